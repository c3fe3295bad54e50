/* SPDX-License-Identifier: Apache-2.0 */
/* POST /1.0/instances: from an image or an instance to another one in one operation, started at the end when asked. */
#include "instances/create.h"
#include "instances/copy.h"
#include "instances/delete.h"
#include "instances/devices.h"
#include "instances/metadata.h"
#include "instances/power.h"
#include "instances/run.h"
#include "api/image.h"
#include "base/alloc.h"
#include "base/names.h"
#include "base/time.h"
#include "config/keys.h"
#include "images/images.h"
#include "profiles/profiles.h"
#include "projects/projects.h"
#include "storage-pools/driver.h"

#include <sys/random.h>
#include <sys/utsname.h>
#include <uuid/uuid.h>

struct create {
        struct server *server;
        struct instance *instance; /* reserved; its objects come with the commit */
        struct instance *from;     /* claimed while it is copied; NULL: there is an image */
        struct instance_body *body;
        struct instance_volatile *volatile_keys;
        struct instance_post post;
        struct operation *op;
        char *pool, *fingerprint;
        bool has_volume, is_committed, is_cancelled;
};

static void create_free(struct create *c)
{
        type_free(&instance_body_type, c->body);
        type_free(&instance_volatile_type, c->volatile_keys);
        type_done(&instance_post_type, &c->post);
        free(c->pool);
        free(c->fingerprint);
        free(c);
}

static void release_source(struct create *c)
{
        if (c->from)
                instance_release(c->from);
        c->from = NULL;
}

/* Until the commit nothing of the instance exists but its name, its number and perhaps its volume. */
static void fail(struct create *c, struct error *err)
{
        release_source(c);
        if (c->is_committed)
                instance_release(c->instance);
        else if (c->has_volume)
                instance_drop(c->instance, c->pool);
        else
                instance_unreserve(c->instance);
        operation_fail(c->op, err);
        create_free(c);
}

static bool was_cancelled(struct create *c)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        if (!c->is_cancelled)
                return false;
        error_set(&err, ERR_CANCELLED, "Creating instance \"%s\" was cancelled", c->instance->name);
        fail(c, &err);
        return true;
}

static void succeed(struct create *c)
{
        instance_release(c->instance);
        operation_succeed(c->op, NULL);
        create_free(c);
}

static void on_started(void *data, int r, struct error *err)
{
        struct create *c = data;
        if (r < 0) {
                fail(c, err);
                return;
        }
        instance_event(c->instance, NULL, "instance-started", NULL);
        succeed(c);
}

static void on_committed(void *data, int r, struct error *err)
{
        struct create *c = data;
        if (r < 0) {
                fail(c, err);
                return;
        }
        c->is_committed = true;
        release_source(c);
        struct json_object *context = json_object_new_object();
        json_set_string(context, "type", "container");
        json_set_string(context, "storage-pool", c->pool);
        instance_event(c->instance, NULL, "instance-created", context);
        if (c->post.is_start_wanted)
                instance_start(c->instance, c->op, on_started, c);
        else
                succeed(c);
}

static void commit(struct create *c)
{
        struct instance *i = c->instance;
        struct instance_power *power = type_new(&instance_power_type);
        power->state = xstrdup("stopped");
        struct change *change = change_new(c->server);
        change_put(change, &instance_kind, i->project, i->name, OBJECT_REV_NEW, TAKE_PTR(c->body));
        change_put(change, &instance_volatile_kind, i->project, i->name, OBJECT_REV_ANY, TAKE_PTR(c->volatile_keys));
        change_put(change, &instance_power_kind, i->project, i->name, OBJECT_REV_ANY, power);
        change_commit(change, on_committed, c);
}

static void on_volume_made(void *data, int r, struct error *err)
{
        struct create *c = data;
        c->has_volume = r >= 0;
        if (r < 0)
                fail(c, err);
        else if (!was_cancelled(c))
                commit(c);
}

/* What the instance takes from its image: metadata, templates, properties. */
static void take_from_image(struct create *c, const struct object *object)
{
        const struct image *image = object->body;
        struct instance_body *b = c->body;
        b->image = xstrdup(image->fingerprint);
        metadata_from_image(image, &b->metadata, &b->template_files);
        for (size_t k = 0; k < image->properties.n; k++) {
                _cleanup_free_ char *key = xasprintf("image.%s", image->properties.items[k].key);
                if (!strmap_get(&b->config, key))
                        strmap_set(&b->config, key, image->properties.items[k].value);
        }
        if (!str_empty(image->architecture)) {
                free(b->architecture);
                b->architecture = xstrdup(image->architecture);
        }
        strmap_set(&c->volatile_keys->config, "volatile.base_image", image->fingerprint);
        strmap_set(&c->volatile_keys->config, "volatile.apply_template", "create");
}

static void on_image(void *data, int r, struct object *image, struct error *err)
{
        struct create *c = data;
        struct object *pool;
        _cleanup_error_ struct error e = ERROR_INIT;
        if (r < 0) {
                fail(c, err);
                return;
        }
        if (was_cancelled(c))
                return;
        if (storage_pool_get_usable(c->server, c->pool, &pool, &e) < 0) {
                fail(c, &e);
                return;
        }
        const struct image *body = image->body;
        _cleanup_free_ char *meta = image_meta_path(c->server, image), *rootfs = image_rootfs_path(c->server, image);
        struct image_files files = { .fingerprint = body->fingerprint, .meta_path = meta, .rootfs_path = rootfs ? rootfs : "",
                                     .format = body->format, .may_mount_squashfs = body->may_mount_squashfs };
        take_from_image(c, image);
        if (storage_pool_driver(pool)->uses_layers)
                strlist_add(&c->body->layers, body->fingerprint);
        volume_create(c->server, pool, c->instance->num, &files, c->op, on_volume_made, c);
}

static void on_cancel(struct operation *op _unused_, void *data)
{
        struct create *c = data;
        c->is_cancelled = true;
        image_for_instance_cancel(c->server, c);
        volume_cancel(c->server, c);
}

static void on_source_clean(void *data)
{
        struct create *c = data;
        struct object *pool;
        _cleanup_error_ struct error err = ERROR_INIT;
        if (was_cancelled(c))
                return;
        if (storage_pool_get_usable(c->server, c->pool, &pool, &err) < 0)
                fail(c, &err);
        else
                volume_copy(c->server, pool, c->from->num, c->instance->num, c->op, on_volume_made, c);
}

/* ---- the request ---- */

static int decode_profiles(struct server *s, const char *project, struct instance_body *b, struct error *err)
{
        const char *in = project_effective(s, project, PROJECT_PROFILES);
        if (b->profiles.is_null) /* null and nothing mean the default one; [] means none */
                strlist_add(&b->profiles, "default");
        for (size_t i = 0; i < b->profiles.n; i++) {
                struct object *o;
                int r = profile_get(s, in, b->profiles.items[i], &o, err);
                for (size_t k = 0; k < i && r >= 0; k++)
                        if (streq(b->profiles.items[k], b->profiles.items[i]))
                                r = error_set(err, ERR_BAD_REQUEST, "Profile \"%s\" is named twice", b->profiles.items[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}

/* In the kernel's words, whatever the client calls it. */
static int decode_architecture(struct instance_body *b, struct error *err)
{
        const char *known = str_empty(b->architecture) ? "" : image_architecture(b->architecture);
        if (!known)
                return error_set(err, ERR_BAD_REQUEST, "Unknown architecture \"%.32s\"", b->architecture);
        free(b->architecture);
        b->architecture = xstrdup(known);
        return 0;
}

int instance_body_check(struct server *s, const char *project, struct instance_body *b, const char **ret_pool,
                        struct error *err)
{
        _cleanup_strmap_ struct strmap config = STRMAP_INIT;
        _cleanup_devices_ struct devices devices = { 0 };
        static char pool[128];
        const char *found = NULL;
        int r = decode_profiles(s, project, b, err);
        if (r >= 0)
                r = decode_architecture(b, err);
        if (r >= 0)
                r = config_validate(config_tables_instance, &b->config, ON_INSTANCE, err);
        if (r < 0)
                return r;
        config_drop_empty(&b->config);
        instance_expand(s, project, b, &config, &devices);
        r = devices_check_instance(s, project, &devices, &found, err);
        if (r >= 0 && ret_pool) {
                snprintf(pool, sizeof pool, "%s", found);
                *ret_pool = pool;
        }
        return r;
}

static int check_type(struct request *req, const struct instance_post *post, struct error *err)
{
        const char *type = instance_tree_is_empty(req) ? "virtual-machine" : post->type;
        if (streq(type, "virtual-machine"))
                return error_set(err, ERR_UNSUPPORTED, "Virtual machines are not there: lightvisor runs containers");
        if (!str_empty(type) && !streq(type, "container"))
                return error_set(err, ERR_BAD_REQUEST, "Unknown type of instance \"%.32s\"", type);
        if (!str_empty(post->instance_type))
                return error_set(err, ERR_UNSUPPORTED, "\"instance_type\" is not known to this release");
        return 0;
}

static int check_source(const struct instance_post *post, struct error *err)
{
        static const char *const later[] = { "migration", "none" };
        const char *from = json_get_string(post->source, "type", "");
        if (str_empty(from))
                return error_set(err, ERR_BAD_REQUEST, "\"source\" must be an object with a \"type\"");
        for (size_t i = 0; i < ARRAY_SIZE(later); i++)
                if (streq(from, later[i]))
                        return error_set(err, ERR_UNSUPPORTED,
                                         "Making an instance from source type \"%s\" is not there in this release", from);
        if (!streq(from, "image") && !streq(from, "copy"))
                return error_set(err, ERR_BAD_REQUEST, "Unknown source type \"%.32s\"", from);
        return 0;
}

/* A name for whom none was given: two words are easier to type than a number. */
static char *generate_name(struct server *s, const char *project)
{
        static const char *const first[] = { "able", "brave", "calm", "deft", "eager", "fair", "glad", "keen",
                                             "light", "merry", "neat", "prime", "quick", "ready", "sound", "warm" };
        static const char *const second[] = { "ant", "bee", "crane", "dove", "eel", "finch", "gull", "hare",
                                              "ibis", "jay", "kite", "lark", "mole", "newt", "otter", "wren" };
        for (;;) {
                unsigned char dice[3];
                if (getrandom(dice, sizeof dice, 0) != sizeof dice)
                        abort();
                char *name = xasprintf("%s-%s%u", first[dice[0] % 16], second[dice[1] % 16], dice[2] % 100u);
                if (!instance_find(s, project, name))
                        return name;
                free(name);
        }
}

static const char *host_architecture(void)
{
        static struct utsname u;
        uname(&u);
        return u.machine;
}

void instance_split_volatile(struct instance_body *b, struct strmap *volatile_config)
{
        for (size_t i = b->config.n; i-- > 0;) {
                const char *key = b->config.items[i].key;
                if (!str_starts(key, "volatile."))
                        continue;
                if (!streq(key, VOLATILE_POWER))
                        strmap_set(volatile_config, key, b->config.items[i].value);
                strmap_remove(&b->config, key);
        }
}

static void note_devices(struct create *c)
{
        static const struct devices none;
        _cleanup_strmap_ struct strmap config = STRMAP_INIT;
        _cleanup_devices_ struct devices devices = { 0 };
        instance_expand(c->server, c->instance->project, c->body, &config, &devices);
        devices_note(&none, &devices, &c->volatile_keys->config);
}

static void complete(struct create *c, uint32_t num)
{
        struct instance_body *b = c->body;
        uuid_t id;
        char text[37];
        uuid_generate_random(id);
        uuid_unparse_lower(id, text);
        b->num = num;
        b->created_at = time_now_ns();
        b->type = xstrdup("container");
        b->pool = xstrdup(c->pool);
        if (str_empty(b->architecture)) {
                free(b->architecture);
                b->architecture = xstrdup(host_architecture());
        }
        instance_split_volatile(b, &c->volatile_keys->config);
        note_devices(c);
        strmap_set(&c->volatile_keys->config, "volatile.uuid", text);
        strmap_set(&c->volatile_keys->config, "volatile.cloud-init.instance-id", text);
}

static int decode_copy(struct request *req, struct create *c, const char *project, struct error *err)
{
        int r = copy_find_source(req->server, project, c->post.source, &c->from, err);
        if (r >= 0)
                r = instance_claim(c->from, "copy", NULL, err);
        if (r < 0) {
                c->from = NULL;
                return r;
        }
        r = request_decode(req, &instance_body_type, TYPE_REPLACE, c->body, err);
        if (r >= 0)
                copy_inherit(c->from, c->body, &c->volatile_keys->config);
        return r;
}

/* Who names no profile gets those of the image. */
static int decode_body(struct request *req, struct create *c, const char *project, struct error *err)
{
        const struct object *image;
        struct strlist *profiles = &c->body->profiles;
        int r = image_check_source(req->server, project, c->post.source, &image, err);
        if (r >= 0)
                r = request_decode(req, &instance_body_type, TYPE_REPLACE, c->body, err);
        if (r < 0 || !image || !profiles->is_null)
                return r;
        const struct strlist *wanted = &((const struct image *)image->body)->profiles;
        for (size_t i = 0; i < wanted->n; i++)
                strlist_add(profiles, wanted->items[i]);
        profiles->is_null = false;
        return 0;
}

static int prepare(struct request *req, struct create *c, const char *project, struct error *err)
{
        const char *pool = NULL;
        int r = request_decode(req, &instance_post_type, TYPE_REPLACE, &c->post, err);
        if (r >= 0)
                r = check_type(req, &c->post, err);
        if (r >= 0)
                r = check_source(&c->post, err);
        if (r >= 0 && !str_empty(c->post.name))
                r = name_check_instance(c->post.name, err);
        if (r >= 0)
                r = streq(json_get_string(c->post.source, "type", ""), "copy") ? decode_copy(req, c, project, err)
                                                                              : decode_body(req, c, project, err);
        if (r >= 0)
                r = instance_body_check(req->server, project, c->body, &pool, err);
        if (r >= 0 && c->from && !streq(pool, instance_body(c->from)->pool))
                r = error_set(err, ERR_UNSUPPORTED,
                              "Copying to another storage pool is not there in this release (\"%s\" is on \"%s\")",
                              c->from->name, instance_body(c->from)->pool);
        if (r < 0)
                return r;
        _cleanup_free_ char *name = str_empty(c->post.name) ? generate_name(req->server, project) : xstrdup(c->post.name);
        r = instance_reserve(req->server, project, name, &c->instance, err);
        if (r < 0)
                return r;
        c->pool = xstrdup(pool);
        complete(c, c->instance->num);
        return 0;
}

static struct create *create_new(struct request *req)
{
        struct create *c = xnew(struct create);
        c->server = req->server;
        c->body = type_new(&instance_body_type);
        c->volatile_keys = type_new(&instance_volatile_type);
        return c;
}

void instances_post(struct request *req)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        const char *project;
        struct create *c = create_new(req);
        int r = project_of_request(req, PROJECT_INSTANCES, &project, &err);
        if (r >= 0)
                r = prepare(req, c, project, &err);
        if (r < 0) {
                release_source(c);
                create_free(c);
                reply_error(req, &err);
                return;
        }
        struct operation_spec spec = { .class = OPERATION_TASK, .description = "Creating instance", .project = project,
                                       INSTANCE_RESOURCE(c->instance->name),
                                       .cancel = on_cancel, .data = c };
        c->op = operation_new(req->server, req, &spec);
        instance_claim(c->instance, "create", c->op, NULL);
        struct server *s = req->server;
        struct operation *op = c->op;
        struct json_object *source = c->post.source;
        reply_operation(req, op);
        if (c->from)
                instance_when_clean(c->from, on_source_clean, c);
        else
                image_for_instance(s, project, source, op, on_image, c);
}
