/* SPDX-License-Identifier: Apache-2.0 */
/* The routes of instances, and what instances tell the other families about themselves. */
#include "instances/instances.h"
#include "instances/create.h"
#include "instances/devices.h"
#include "instances/edit.h"
#include "instances/guest-access.h"
#include "instances/metadata.h"
#include "instances/power-api.h"
#include "instances/apparmor.h"
#include "base/alloc.h"
#include "images/images.h"
#include "profiles/profiles.h"
#include "projects/projects.h"
#include "projects/used-by.h"
#include "storage-pools/driver.h"
#include "storage-pools/storage-pools.h"

static bool is_seen(struct request *req, const char *project, const struct object *o)
{
        return req->is_all_projects || streq(o->project, project);
}

static void add_to_list(struct reply_list *l, struct instance *i, struct strbuf *body)
{
        _cleanup_free_ char *plain = xasprintf("/1.0/%s/%s", l->req->uri.segments[1], i->name); /* by the name asked for */
        _cleanup_free_ char *url = url_in_project(plain, i->project);
        const struct strbuf *rest = instance_rest(i);
        if (l->req->recursion == 2) {
                struct json_writer w = JSON_WRITER(body);
                strbuf_clear(body);
                instance_write_full(i, &w);
                rest = body;
        }
        reply_list_add(l, url, rest->data, rest->len);
}

static void get_instances(struct request *req)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        _cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
        struct reply_list l;
        struct object **objects;
        const char *project;
        if (project_of_request(req, PROJECT_INSTANCES, &project, &err) < 0) {
                reply_error(req, &err);
                return;
        }
        if (reply_list_begin(&l, req) < 0)
                return;
        size_t n = instance_tree_is_empty(req) ? 0 : object_list(req->server, &instance_kind, NULL, &objects);
        for (size_t k = 0; k < n; k++) {
                struct instance *i = instance_find(req->server, objects[k]->project, objects[k]->name);
                if (i && is_seen(req, project, objects[k]))
                        add_to_list(&l, i, &body);
        }
        reply_list_end(&l);
}

static void get_instance(struct request *req)
{
        char etag[OBJECT_ETAG_SIZE];
        _cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
        struct instance *i = instance_of_request(req);
        if (!i)
                return;
        reply_header(req, "ETag", object_etag(instance_object(i), etag));
        const struct strbuf *rest = instance_rest(i);
        if (req->recursion > 0) { /* of a single one, recursion=1 is already all of it */
                struct json_writer w = JSON_WRITER(&body);
                instance_write_full(i, &w);
                rest = &body;
        }
        reply_text(req, rest->data, rest->len);
}

static void get_state(struct request *req)
{
        _cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
        struct json_writer w = JSON_WRITER(&body);
        struct instance *i = instance_of_request(req);
        if (!i)
                return;
        instance_write_state(i, &w);
        reply_text(req, body.data, body.len);
}

static const struct route instance_routes[] = {
        { METHOD_GET, "/1.0/instances", get_instances, PERM_VIEW, ROUTE_PROJECT, "List instances; recursion=2 with state." },
        { METHOD_POST, "/1.0/instances", instances_post, PERM_EDIT, ROUTE_PROJECT | ROUTE_BODY, "Create an instance." },
        { METHOD_PUT, "/1.0/instances", instances_put, PERM_EDIT, ROUTE_PROJECT | ROUTE_BODY, "Start, stop, restart, freeze or unfreeze all instances." },
        { METHOD_GET, "/1.0/instances/{name}", get_instance, PERM_VIEW, ROUTE_PROJECT, "One instance; recursion=1 with state." },
        { METHOD_PUT, "/1.0/instances/{name}", instance_put, PERM_EDIT, ROUTE_PROJECT | ROUTE_BODY, "Replace an instance's settings." },
        { METHOD_PATCH, "/1.0/instances/{name}", instance_patch, PERM_EDIT, ROUTE_PROJECT | ROUTE_BODY, "Change some of an instance's settings." },
        { METHOD_POST, "/1.0/instances/{name}", instance_post, PERM_EDIT, ROUTE_PROJECT | ROUTE_BODY, "Rename an instance." },
        { METHOD_DELETE, "/1.0/instances/{name}", instance_delete_request, PERM_EDIT, ROUTE_PROJECT, "Delete a stopped instance." },
        { METHOD_GET, "/1.0/instances/{name}/state", get_state, PERM_VIEW, ROUTE_PROJECT, "What an instance uses now." },
        { METHOD_PUT, "/1.0/instances/{name}/state", instance_put_state, PERM_EDIT, ROUTE_PROJECT | ROUTE_BODY, "Start, stop, restart, freeze or unfreeze an instance." },
        { 0 },
};

/* ---- hooks ---- */

static void add_url(struct instance *i, struct strlist *urls)
{
        _cleanup_free_ char *plain = instance_url(i);
        _cleanup_free_ char *url = url_in_project(plain, i->project);
        strlist_add(urls, url);
}

static void users_of_profile(struct server *s, const struct object *o, struct strlist *urls)
{
        for (struct instance *i = instance_next(s, NULL); i; i = instance_next(s, i))
                if (streq(project_effective(s, i->project, PROJECT_PROFILES), o->project) &&
                    strlist_has(&instance_body(i)->profiles, o->name))
                        add_url(i, urls);
}

static void users_of_pool(struct server *s, const struct object *o, struct strlist *urls)
{
        for (struct instance *i = instance_next(s, NULL); i; i = instance_next(s, i))
                if (streq(instance_body(i)->pool, o->name))
                        add_url(i, urls);
}

static void users_of_network(struct server *s, const struct object *o, struct strlist *urls)
{
        for (struct instance *i = instance_next(s, NULL); i; i = instance_next(s, i)) {
                const struct devices *d = instance_devices(i);
                bool uses = false;
                for (size_t k = 0; k < d->n; k++)
                        uses |= streq(strmap_get(&d->items[k].keys, "network"), o->name) ||
                                streq(strmap_get(&d->items[k].keys, "parent"), o->name);
                if (uses)
                        add_url(i, urls);
        }
}

static void users_of_project(struct server *s, const struct object *o, struct strlist *urls)
{
        used_by_project(s, o, &instance_kind, "/1.0/instances", urls);
}

static void on_profile_changed(struct server *s, const struct object_kind *kind _unused_, const char *project _unused_,
                               const char *name _unused_)
{
        instance_touch_all(s);
}

static void on_image_changed(struct server *s, const struct object_kind *kind _unused_, const char *project, const char *name)
{
        if (!object_find(s, &image_kind, project, name))
                layers_collect(s);
}

static void on_instance_changed(struct server *s, const struct object_kind *kind _unused_, const char *project,
                                const char *name)
{
        struct instance *i = instance_find(s, project, name);
        if (i)
                instance_touch(i);
}

static void visit_volumes(struct server *s, volume_visit_fn visit, void *data)
{
        for (struct instance *i = instance_next(s, NULL); i; i = instance_next(s, i)) {
                const struct instance_body *b = instance_body(i);
                struct volume_info v = { .pool = b->pool, .project = i->project, .instance = i->name,
                                         .description = b->description, .num = i->num, .created_at = b->created_at,
                                         .layers = (const char *const *)b->layers.items, .n_layers = b->layers.n };
                visit(data, &v);
        }
}

static bool image_exists(struct server *s, const char *fingerprint)
{
        struct object **objects;
        size_t n = object_list(s, &image_kind, NULL, &objects);
        for (size_t k = 0; k < n; k++)
                if (streq(objects[k]->name, fingerprint))
                        return true;
        return false;
}

static int profile_exists(struct server *s, const char *project, const char *name, struct error *err)
{
        struct object *o;
        return profile_get(s, project_effective(s, project, PROJECT_PROFILES), name, &o, err);
}

/* Whether the instances that use a profile could live with its next form. */
static int check_profile_users(struct server *s, const struct object *profile, const struct profile *next,
                               struct error *err)
{
        for (struct instance *i = instance_next(s, NULL); i; i = instance_next(s, i)) {
                const struct instance_body *b = instance_body(i);
                if (!streq(project_effective(s, i->project, PROJECT_PROFILES), profile->project) ||
                    !strlist_has(&b->profiles, profile->name))
                        continue;
                int r = instance_check_profile_change(i, profile->name, next, err);
                if (r < 0)
                        return error_prefix(err, "Profile \"%s\" is used by instance \"%s\"", profile->name, i->name);
        }
        return 0;
}

static void rename_profile_in_users(struct server *s, struct change *c, const struct object *profile, const char *new_name)
{
        for (struct instance *i = instance_next(s, NULL); i; i = instance_next(s, i)) {
                const struct instance_body *b = instance_body(i);
                if (!streq(project_effective(s, i->project, PROJECT_PROFILES), profile->project) ||
                    !strlist_has(&b->profiles, profile->name))
                        continue;
                struct instance_body *next = type_copy(&instance_body_type, b);
                for (size_t k = 0; k < next->profiles.n; k++)
                        if (streq(next->profiles.items[k], profile->name)) {
                                free(next->profiles.items[k]);
                                next->profiles.items[k] = xstrdup(new_name);
                        }
                change_put(c, &instance_kind, i->project, i->name, instance_object(i)->rev, next);
        }
}

static const struct profile_hooks profile_hooks = {
        .check_devices = devices_check,
        .check_users = check_profile_users,
        .rename_in_users = rename_profile_in_users,
};

void instances_register(struct server *s)
{
        instances_registry_new(s);
        object_kind_register(s, &instance_kind);
        object_kind_register(s, &instance_volatile_kind);
        object_kind_register(s, &instance_power_kind);
        object_on_change(s, &instance_kind, on_instance_changed);
        object_on_change(s, &instance_volatile_kind, on_instance_changed);
        object_on_change(s, &instance_power_kind, on_instance_changed);
        object_on_change(s, &profile_kind, on_profile_changed);
        object_on_change(s, &image_kind, on_image_changed);
        router_add(s, instance_routes);
        router_alias(s, "containers", "instances");
        router_alias(s, "virtual-machines", "instances");
        router_add(s, instance_exec_routes);
        router_add(s, instance_console_routes);
        router_add(s, instance_file_routes);
        router_add(s, instance_log_routes);
        router_add(s, instance_metadata_routes);
        profiles_set_hooks(&profile_hooks);
        used_by_add("profile", users_of_profile);
        used_by_add("storage-pool", users_of_pool);
        used_by_add("network", users_of_network);
        used_by_add("project", users_of_project);
        volumes_set_source(visit_volumes);
        layers_set_image_check(image_exists);
        images_set_profile_check(profile_exists);
}

void instances_write_environment(struct server *s _unused_, struct json_writer *w)
{
        json_write_key_string(w, "storage", storage_drivers[0]->name);
        json_write_key_string(w, "storage_version", "1");
        json_write_key(w, "storage_supported_drivers");
        json_write_array_begin(w);
        for (size_t i = 0; storage_drivers[i]; i++) {
                json_write_object_begin(w);
                json_write_key_string(w, "Name", storage_drivers[i]->name);
                json_write_key_string(w, "Version", "1");
                json_write_key_bool(w, "Remote", false);
                json_write_object_end(w);
        }
        json_write_array_end(w);
        json_write_key(w, "kernel_features");
        json_write_object_begin(w);
        json_write_key_string(w, "apparmor", apparmor_is_loaded() ? "true" : "false");
        json_write_object_end(w);
}
