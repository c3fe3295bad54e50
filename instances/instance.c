/* SPDX-License-Identifier: Apache-2.0 */
#include "instances/instance.h"
#include "instances/live.h"
#include "instances/monitor-link.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/names.h"
#include "profiles/profiles.h"
#include "projects/projects.h"
#include "server/event.h"

#include <stdio.h>

#define NUM_MAX ((1u << SERVER_IDMAP_PLACE_BITS) / INSTANCE_IDMAP_SIZE - 1)

const struct object_kind instance_kind = { "instance", "Instance", &instance_body_type, 2 };
const struct object_kind instance_volatile_kind = { "instance-volatile", "Instance", &instance_volatile_type, 1 };
const struct object_kind instance_power_kind = { "instance-power", "Instance", &instance_power_type, 1 };

struct instances {
        struct instance *by_key, *by_num;
};

static char *key_of(const char *project, const char *name)
{
        return xasprintf("%s\n%s", project, name);
}

static struct instance *find_any(struct server *s, const char *project, const char *name)
{
        _cleanup_free_ char *key = key_of(project, name);
        struct instance *i = NULL;
        HASH_FIND(hh, s->instances->by_key, key, strlen(key), i);
        return i;
}

struct instance *instance_find(struct server *s, const char *project, const char *name)
{
        struct instance *i = find_any(s, project, name);
        return i && object_find(s, &instance_kind, project, name) ? i : NULL;
}

struct instance *instance_find_num(struct server *s, uint32_t num)
{
        struct instance *i = NULL;
        HASH_FIND(hh_num, s->instances->by_num, &num, sizeof num, i);
        return i;
}

struct instance *instance_next(struct server *s, struct instance *i)
{
        i = i ? i->hh.next : s->instances->by_key;
        while (i && !instance_object(i))
                i = i->hh.next;
        return i;
}

size_t instance_count(struct server *s)
{
        return HASH_COUNT(s->instances->by_key);
}

bool instance_tree_is_empty(const struct request *req)
{
        return streq(req->uri.segments[1], "virtual-machines");
}

/* What breaks the rules for names cannot be there, so it is as little found as any other. */
struct instance *instance_of_request(struct request *req)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        const char *project;
        struct instance *i = NULL;
        struct object *o;
        int r = project_of_request(req, PROJECT_INSTANCES, &project, &err);
        if (r >= 0 && instance_tree_is_empty(req))
                r = error_set(&err, ERR_NOT_FOUND, "Virtual machine \"%s\" not found", req->params[0]);
        if (r >= 0)
                r = object_get(req->server, &instance_kind, project, req->params[0], &o, &err);
        if (r >= 0)
                i = instance_find(req->server, project, req->params[0]);
        if (!i)
                reply_error(req, &err);
        return i;
}

/* The lowest free one: numbers stay small, and with them the ranges of ids. */
static int free_num(struct server *s, uint32_t *ret, struct error *err)
{
        for (uint32_t num = 1; num <= NUM_MAX; num++)
                if (!instance_find_num(s, num)) {
                        *ret = num;
                        return 0;
                }
        return error_set(err, ERR_NO_SPACE, "All %u ranges of user ids are in use", NUM_MAX);
}

static struct instance *instance_new(struct server *s, const char *project, const char *name, uint32_t num)
{
        struct instance *i = xnew(struct instance);
        i->server = s;
        i->project = xstrdup(project);
        i->name = xstrdup(name);
        i->num = num;
        snprintf(i->num_text, sizeof i->num_text, "%u", num);
        i->pidfd = -EBADF;
        i->key = key_of(project, name);
        list_init(&i->waiting_clean);
        HASH_ADD_KEYPTR(hh, i->server->instances->by_key, i->key, strlen(i->key), i);
        HASH_ADD(hh_num, s->instances->by_num, num, sizeof i->num, i);
        return i;
}

void instance_forget(struct instance *i)
{
        HASH_DELETE(hh, i->server->instances->by_key, i);
        free(i->key);
        i->key = NULL;
}

static void instance_free(struct instance *i)
{
        if (i->key)
                HASH_DELETE(hh, i->server->instances->by_key, i);
        HASH_DELETE(hh_num, i->server->instances->by_num, i);
        monitor_link_close(i->link);
        live_free(i->live);
        fd_close(i->pidfd);
        strmap_done(&i->expanded_config);
        devices_done(&i->expanded_devices);
        strbuf_done(&i->rest);
        free(i->project);
        free(i->name);
        free(i->key);
        free(i);
}

static void free_all(void *data)
{
        struct server *s = data;
        struct instance *i, *next;
        HASH_ITER (hh_num, s->instances->by_num, i, next)
                instance_free(i);
        free(s->instances);
}

void instances_registry_new(struct server *s)
{
        s->instances = xnew(struct instances);
        server_on_free(s, free_all, s);
}

int instance_reserve(struct server *s, const char *project, const char *name, struct instance **ret, struct error *err)
{
        uint32_t num = 0;
        if (find_any(s, project, name)) {
                error_set(err, ERR_EXISTS, "Instance \"%s\" already exists", name);
                return error_object(err, "instance", name);
        }
        int r = free_num(s, &num, err);
        if (r < 0)
                return r;
        *ret = instance_new(s, project, name, num);
        return 0;
}

void instance_unreserve(struct instance *i)
{
        instance_free(i);
}

struct instance *instance_load(struct server *s, struct object *o)
{
        const struct instance_body *b = o->body;
        return instance_new(s, o->project, o->name, (uint32_t)b->num);
}

void instance_renamed(struct instance *i, const char *name)
{
        HASH_DELETE(hh, i->server->instances->by_key, i);
        free(i->name);
        free(i->key);
        i->name = xstrdup(name);
        i->key = key_of(i->project, name);
        HASH_ADD_KEYPTR(hh, i->server->instances->by_key, i->key, strlen(i->key), i);
        instance_touch(i);
}

struct object *instance_object(const struct instance *i)
{
        return object_find(i->server, &instance_kind, i->project, i->name);
}

const struct instance_body *instance_body(const struct instance *i)
{
        return instance_object(i)->body;
}

const struct strmap *instance_volatile(const struct instance *i)
{
        static const struct strmap none;
        struct object *o = object_find(i->server, &instance_volatile_kind, i->project, i->name);
        return o ? &((struct instance_volatile *)o->body)->config : &none;
}

const struct instance_power *instance_power(const struct instance *i)
{
        static const struct instance_power none;
        struct object *o = object_find(i->server, &instance_power_kind, i->project, i->name);
        return o ? o->body : &none;
}

void instance_expand(struct server *s, const char *project, const struct instance_body *b, struct strmap *ret_config,
                     struct devices *ret_devices)
{
        const char *profiles_project = project_effective(s, project, PROJECT_PROFILES);
        for (size_t i = 0; i < b->profiles.n; i++) {
                struct object *o = object_find(s, &profile_kind, profiles_project, b->profiles.items[i]);
                const struct profile *p = o ? o->body : NULL;
                if (p) {
                        strmap_merge(ret_config, &p->config);
                        devices_merge(ret_devices, &p->devices);
                }
        }
        strmap_merge(ret_config, &b->config);
        devices_merge(ret_devices, &b->devices);
}

static void expand(struct instance *i)
{
        if (i->is_expanded)
                return;
        strmap_done(&i->expanded_config);
        devices_done(&i->expanded_devices);
        instance_expand(i->server, i->project, instance_body(i), &i->expanded_config, &i->expanded_devices);
        strmap_merge(&i->expanded_config, instance_volatile(i));
        i->is_expanded = true;
}

const struct strmap *instance_config(struct instance *i)
{
        expand(i);
        return &i->expanded_config;
}

const struct devices *instance_devices(struct instance *i)
{
        expand(i);
        return &i->expanded_devices;
}

bool instance_is_privileged(struct instance *i)
{
        return strmap_get_bool(instance_config(i), "security.privileged", false);
}

void instance_touch(struct instance *i)
{
        i->is_expanded = false;
        strbuf_clear(&i->rest);
}

void instance_touch_all(struct server *s)
{
        for (struct instance *i = instance_next(s, NULL); i; i = instance_next(s, i))
                instance_touch(i);
}

int instance_claim(struct instance *i, const char *what, struct operation *op, struct error *err)
{
        if (i->busy) {
                error_set(err, ERR_IN_USE, "Instance \"%s\" is busy: a %s is under way", i->name, i->busy);
                error_hint(err, "Wait for it (lightc operation list), then try again");
                return error_object(err, "instance", i->name);
        }
        i->busy = what;
        i->busy_op = op;
        return 0;
}

void instance_release(struct instance *i)
{
        i->busy = NULL;
        i->busy_op = NULL;
}

void instance_set_state(struct instance *i, enum instance_state state)
{
        i->state = state;
        strbuf_clear(&i->rest);
}

bool instance_is_running(const struct instance *i)
{
        return i->pid > 0 && i->state != INSTANCE_STARTING;
}

const char *instance_status(const struct instance *i, int *ret_code)
{
        static const struct {
                const char *name;
                int code;
        } rows[] = { [INSTANCE_STOPPED] = { "Stopped", 102 },
                     [INSTANCE_STARTING] = { "Stopped", 102 }, /* as LXD: running only when it runs */
                     [INSTANCE_RUNNING] = { "Running", 103 },
                     [INSTANCE_FROZEN] = { "Frozen", 110 },
                     [INSTANCE_STOPPING] = { "Running", 103 } };
        if (ret_code)
                *ret_code = rows[i->state].code;
        return rows[i->state].name;
}

bool instance_is_32bit(const struct instance *i)
{
        static const char *const architectures[] = { "i686", "armv7l", "armv6l" };
        const char *architecture = instance_body(i)->architecture;
        for (size_t k = 0; k < ARRAY_SIZE(architectures); k++)
                if (streq(architecture, architectures[k]))
                        return true;
        return false;
}

char *instance_url(const struct instance *i)
{
        return xasprintf("/1.0/instances/%s", i->name);
}

char *instance_run_dir(const struct instance *i)
{
        return xasprintf("%s/%u", i->server->run_dir, i->num);
}

char *instance_cgroup(const struct instance *i)
{
        return xasprintf("%s/%u", i->server->cgroup, i->num);
}

uint32_t instance_idmap_base(const struct instance *i)
{
        return i->server->idmap_base + i->num * INSTANCE_IDMAP_SIZE;
}

void instance_event(struct instance *i, const struct request *req, const char *action, struct json_object *take_context)
{
        _cleanup_free_ char *url = instance_url(i);
        const struct identity *who = req ? &req->who : i->busy_op ? operation_who(i->busy_op) : NULL;
        event_lifecycle_by(i->server, who, action, i->project, url, take_context);
}
