/* SPDX-License-Identifier: Apache-2.0 */
/* Changing what the user set: PUT, PATCH, and another name. */
#include "instances/edit.h"
#include "instances/guest-access.h"
#include "instances/create.h"
#include "base/alloc.h"
#include "base/names.h"
#include "instances/devices.h"
#include "instances/power.h"
#include "profiles/profiles.h"
#include "projects/projects.h"

struct edit {
        struct instance *instance;
        struct request *req;  /* PATCH: waits for the answer */
        struct operation *op; /* PUT, POST */
        const char *action;
        char *new_name;
        bool is_renaming;
};

static void edit_free(struct edit *e)
{
        free(e->new_name);
        free(e);
}

static bool devices_equal(const struct devices *a, const struct devices *b)
{
        if (a->n != b->n)
                return false;
        for (size_t k = 0; k < a->n; k++)
                if (!streq(a->items[k].name, b->items[k].name) || !strmap_equal(&a->items[k].keys, &b->items[k].keys))
                        return false;
        return true;
}

/* What this release cannot change under a running container is refused, not silently kept for later. */
static int check_live_effective(struct instance *i, const struct strmap *config, const struct devices *devices,
                                struct error *err)
{
        static const char *const fixed[] = { "security.privileged", "security.nesting" };
        if (!instance_is_running(i) && i->state != INSTANCE_STARTING)
                return 0;
        for (size_t k = 0; k < ARRAY_SIZE(fixed); k++)
                if (strmap_get_bool(config, fixed[k], false) != strmap_get_bool(instance_config(i), fixed[k], false)) {
                        error_set(err, ERR_WRONG_STATE, "%s of instance \"%s\" cannot change while it runs", fixed[k], i->name);
                        return error_hint(err, "Stop it first: lightc stop %s", i->name);
                }
        if (devices_equal(devices, instance_devices(i)))
                return 0;
        error_set(err, ERR_UNSUPPORTED, "Devices of instance \"%s\" cannot change while it runs in this release", i->name);
        return error_hint(err, "Stop it first: lightc stop %s", i->name);
}

/* What follows from the next body: volatile keys of its devices, and whether a running instance can take it. */
static int settle_effective(struct instance *i, const struct instance_body *next, struct strmap *volatile_config,
                      struct error *err)
{
        _cleanup_strmap_ struct strmap config = STRMAP_INIT;
        _cleanup_devices_ struct devices devices = { 0 };
        instance_expand(i->server, i->project, next, &config, &devices);
        devices_note(instance_devices(i), &devices, volatile_config);
        return check_live_effective(i, &config, &devices, err);
}

static int check_root(struct instance *i, const char *pool, struct error *err)
{
        if (streq(pool, instance_body(i)->pool))
                return 0;
        error_set(err, ERR_UNSUPPORTED, "Instance \"%s\" lies in pool \"%s\": moving it to \"%s\" is not there in this release",
                  i->name, instance_body(i)->pool, pool);
        return -ENOTSUP;
}

/* The new body and volatile keys of a PUT or PATCH, checked. Owned by the caller. */
static int next_bodies(struct request *req, struct instance *i, enum type_mode mode, struct instance_body **ret_body,
                       struct instance_volatile **ret_volatile, struct error *err)
{
        struct object *o = instance_object(i);
        struct instance_body *next = type_copy(&instance_body_type, o->body);
        struct instance_volatile *v = type_new(&instance_volatile_type);
        const char *pool;
        strmap_copy(&v->config, instance_volatile(i));
        int r = request_check_etag(req, o, err);
        if (r >= 0 && mode == TYPE_PATCH)
                strmap_merge(&next->config, &v->config); /* so that a PATCH may name one of them */
        if (r >= 0)
                r = request_decode(req, &instance_body_type, mode, next, err);
        if (str_empty(next->architecture)) { /* who leaves it out means the one it has */
                free(next->architecture);
                next->architecture = xstrdup(instance_body(i)->architecture);
        }
        if (r >= 0)
                r = instance_body_check(i->server, i->project, next, &pool, err);
        if (r >= 0)
                r = check_root(i, pool, err);
        instance_split_volatile(next, &v->config);
        if (r >= 0)
                r = settle_effective(i, next, &v->config, err);
        if (r < 0) {
                type_free(&instance_body_type, next);
                type_free(&instance_volatile_type, v);
                return r;
        }
        *ret_body = next;
        *ret_volatile = v;
        return 0;
}

/* Its effective form with `next` in the place of the profile of that name. */
static void expand_with(struct instance *i, const char *name, const struct profile *next, struct strmap *config,
                        struct devices *devices)
{
        const struct instance_body *b = instance_body(i);
        const char *project = project_effective(i->server, i->project, PROJECT_PROFILES);
        for (size_t k = 0; k < b->profiles.n; k++) {
                struct object *o = object_find(i->server, &profile_kind, project, b->profiles.items[k]);
                const struct profile *p = streq(b->profiles.items[k], name) ? next : o ? o->body : NULL;
                if (p) {
                        strmap_merge(config, &p->config);
                        devices_merge(devices, &p->devices);
                }
        }
        strmap_merge(config, &b->config);
        devices_merge(devices, &b->devices);
}

int instance_check_profile_change(struct instance *i, const char *profile, const struct profile *next, struct error *err)
{
        _cleanup_strmap_ struct strmap config = STRMAP_INIT;
        _cleanup_devices_ struct devices devices = { 0 };
        const char *pool;
        expand_with(i, profile, next, &config, &devices);
        int r = devices_check_instance(i->server, i->project, &devices, &pool, err);
        if (r >= 0)
                r = check_root(i, pool, err);
        return r < 0 ? r : check_live_effective(i, &config, &devices, err);
}

static void on_stored(void *data, int r, struct error *err)
{
        struct edit *e = data;
        struct instance *i = e->instance;
        struct json_object *context = NULL;
        if (r >= 0 && e->is_renaming) {
                context = json_object_new_object();
                json_set_string(context, "old_name", i->name);
                instance_logs_rename(i, e->new_name);
                instance_renamed(i, e->new_name);
        }
        if (r >= 0) {
                instance_touch(i);
                instance_event(i, e->req, e->action, context);
        }
        instance_release(i);
        if (e->op && r < 0)
                operation_fail(e->op, err);
        else if (e->op)
                operation_succeed(e->op, NULL);
        else if (r < 0)
                reply_error(e->req, err);
        else
                reply_empty(e->req);
        edit_free(e);
}

static void commit_edit(struct edit *e, struct instance_body *take_body, struct instance_volatile *take_volatile)
{
        struct instance *i = e->instance;
        struct change *c = change_new(i->server);
        change_put(c, &instance_kind, i->project, i->name, instance_object(i)->rev, take_body);
        if (strmap_equal(&take_volatile->config, instance_volatile(i)))
                type_free(&instance_volatile_type, take_volatile);
        else
                change_put(c, &instance_volatile_kind, i->project, i->name, OBJECT_REV_ANY, take_volatile);
        change_commit(c, on_stored, e);
}

static void change_instance(struct request *req, enum type_mode mode, bool is_async)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct instance_body *next = NULL;
        struct instance_volatile *v = NULL;
        struct instance *i = instance_of_request(req);
        if (!i)
                return;
        int r = json_has(req->body, "restore") && !str_empty(json_get_string(req->body, "restore", NULL))
                        ? error_set(&err, ERR_UNSUPPORTED, "Snapshots are not there in this release")
                        : next_bodies(req, i, mode, &next, &v, &err);
        if (r < 0 || (r = instance_claim(i, "change", NULL, &err)) < 0) {
                reply_error(req, &err);
                return;
        }
        struct edit *e = xnew(struct edit);
        e->instance = i;
        e->action = "instance-updated";
        if (is_async) {
                struct operation_spec spec = { .class = OPERATION_TASK, .description = "Updating instance",
                                               .project = i->project, INSTANCE_RESOURCE(i->name) };
                e->op = i->busy_op = operation_new(req->server, req, &spec);
                reply_operation(req, e->op);
        } else {
                e->req = req;
        }
        commit_edit(e, next, v);
}

void instance_put(struct request *req)
{
        change_instance(req, TYPE_REPLACE, true);
}

void instance_patch(struct request *req)
{
        change_instance(req, TYPE_PATCH, false);
}

/* ---- rename ---- */

static int check_rename(struct instance *i, const struct instance_post *post, struct error *err)
{
        if (post->is_migration)
                return error_set(err, ERR_UNSUPPORTED, "Moving instances to another server is not there in this release");
        int r = name_check_instance(post->name, err);
        if (r < 0)
                return r;
        if (instance_find(i->server, i->project, post->name)) {
                error_set(err, ERR_EXISTS, "Instance \"%s\" already exists", post->name);
                return error_object(err, "instance", post->name);
        }
        if (i->state != INSTANCE_STOPPED) {
                error_set(err, ERR_WRONG_STATE, "Instance \"%s\" is running: only a stopped one can be renamed", i->name);
                return error_hint(err, "lightc stop %s", i->name);
        }
        return 0;
}

static void commit_rename(struct edit *e)
{
        struct instance *i = e->instance;
        struct instance_volatile *v = type_new(&instance_volatile_type);
        struct change *c = change_new(i->server);
        /* Now, while the old name still leads to its devices; the next start registers the name it then has. */
        instance_forget_nics(i);
        strmap_copy(&v->config, instance_volatile(i));
        strmap_set(&v->config, "volatile.apply_template", "rename");
        change_put(c, &instance_kind, i->project, e->new_name, OBJECT_REV_NEW,
                   type_copy(&instance_body_type, instance_body(i)));
        change_put(c, &instance_volatile_kind, i->project, e->new_name, OBJECT_REV_NEW, v);
        change_put(c, &instance_power_kind, i->project, e->new_name, OBJECT_REV_NEW,
                   type_copy(&instance_power_type, instance_power(i)));
        change_delete(c, &instance_kind, i->project, i->name, OBJECT_REV_ANY);
        change_delete(c, &instance_volatile_kind, i->project, i->name, OBJECT_REV_ANY);
        change_delete(c, &instance_power_kind, i->project, i->name, OBJECT_REV_ANY);
        change_commit(c, on_stored, e);
}

void instance_post(struct request *req)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct instance_post post = { 0 };
        struct instance *i = instance_of_request(req);
        if (!i)
                return;
        int r = request_decode(req, &instance_post_type, TYPE_REPLACE, &post, &err);
        if (r >= 0)
                r = check_rename(i, &post, &err);
        if (r >= 0)
                r = instance_claim(i, "rename", NULL, &err);
        if (r < 0) {
                type_done(&instance_post_type, &post);
                reply_error(req, &err);
                return;
        }
        struct edit *e = xnew(struct edit);
        e->instance = i;
        e->action = "instance-renamed";
        e->is_renaming = true;
        e->new_name = TAKE_PTR(post.name);
        type_done(&instance_post_type, &post);
        struct operation_spec spec = { .class = OPERATION_TASK, .description = "Renaming instance", .project = i->project,
                                       INSTANCE_RESOURCE(i->name) };
        e->op = i->busy_op = operation_new(req->server, req, &spec);
        reply_operation(req, e->op);
        commit_rename(e);
}
