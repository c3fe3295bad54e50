/* SPDX-License-Identifier: Apache-2.0 */
#include "lightd/init.h"
#include "lightd/commands.h"
#include "lightd/daemon.h"
#include "lightd/places.h"
#include "lightd/server-api.h"
#include "base/alloc.h"
#include "base/names.h"
#include "base/nearest.h"
#include "config/keys.h"
#include "networks/host.h"
#include "networks/network.h"
#include "profiles/profile.h"
#include "projects/project.h"
#include "server/object.h"
#include "storage-pools/pool.h"


/* ---- what the daemon would say ---- */

static int check_project(struct server *s, struct change *c, const struct object *now, void *take_body, struct error *err)
{
        return now ? project_update(s, c, now, take_body, err) : project_create(s, c, "", take_body, err);
}

static int check_profile(struct server *s, struct change *c, const struct object *now, void *take_body, struct error *err)
{
        return now ? profile_update(s, c, now, take_body, err) : profile_create(s, c, "default", take_body, err);
}

static int check_source(struct server *s, const struct storage_pool *p, struct error *err)
{
        const char *source = strmap_get(&p->config, "source");
        struct object **pools;
        if (str_empty(source))
                return 0;
        size_t n = object_list(s, &storage_pool_kind, "", &pools), n_others = 0;
        const char **others = xnew_array(const char *, n + 1);
        for (size_t i = 0; i < n; i++)
                if (storage_pool_path(pools[i]))
                        others[n_others++] = storage_pool_path(pools[i]);
        int r = storage_pool_check_source(source, places_dir(), others, n_others, err);
        free(others);
        return r;
}

static int check_pool(struct server *s, struct change *c, const struct object *now, void *take_body, struct error *err)
{
        struct storage_pool *p = take_body;
        if (now)
                return storage_pool_update(s, c, now, p, err);
        int r = str_empty(p->driver) ? name_check_object("storage pool", p->name, err) : storage_pool_check(p, err);
        if (r >= 0)
                r = check_source(s, p, err);
        if (r < 0)
                type_free(&storage_pool_type, p);
        else
                change_put(c, &storage_pool_kind, "", p->name, OBJECT_REV_NEW, p);
        return r;
}

static int check_overlaps(struct server *s, const struct network *n, struct error *err)
{
        struct object **all;
        size_t count = object_list(s, &network_kind, NULL, &all);
        int r = 0;
        for (size_t i = 0; i < count && r >= 0; i++)
                if (!streq(all[i]->name, n->name))
                        r = network_check_overlap(n, all[i]->body, err);
        return r;
}

static int check_network(struct server *s, struct change *c, const struct object *now, void *take_body, struct error *err)
{
        struct network *n = take_body;
        config_drop_empty(&n->config);
        if (str_empty(n->type)) {
                free(n->type);
                n->type = xstrdup("bridge");
        }
        if (!now)
                network_fill(n, host_has_ipv6());
        int r = network_check(n, err);
        if (r >= 0 && !now && host_has_interface(n->name))
                r = error_set(err, ERR_EXISTS, "An interface \"%s\" exists already on this host", n->name);
        if (r >= 0)
                r = check_overlaps(s, n, err);
        if (r < 0)
                type_free(&network_type, n);
        else
                change_put(c, &network_kind, "default", n->name, OBJECT_REV_ANY, n);
        return r;
}

static const char *const project_members[] = { "name", "description", "config", NULL };
static const char *const pool_members[] = { "name", "description", "driver", "config", NULL };
static const char *const network_members[] = { "name", "description", "type", "config", NULL };
static const char *const profile_members[] = { "name", "description", "config", "devices", NULL };

const struct init_family init_families[] = {
        { "projects", "/1.0/projects", &project_kind, "", project_members, NULL, check_project },
        { "storage_pools", "/1.0/storage-pools", &storage_pool_kind, "", pool_members, "driver", check_pool },
        { "networks", "/1.0/networks", &network_kind, "default", network_members, "type", check_network },
        { "profiles", "/1.0/profiles", &profile_kind, "default", profile_members, NULL, check_profile },
        { 0 },
};

/* ---- the shape of a document ---- */

/* What clients show beside an object's own members, and people paste. */
static const char *const shown_members[] = { "used_by", "status", "locations", "managed", "project", NULL };
/* LXD's, taken when they say nothing. */
static const char *const empty_parts[] = { "cluster", "storage_volumes", NULL };

static bool is_one_of(const char *word, const char *const *words)
{
        for (; *words; words++)
                if (streq(word, *words))
                        return true;
        return false;
}

static int refuse_member(const char *key, const char *const *known, struct error *err)
{
        _cleanup_free_ char *shown = name_printable(key);
        struct nearest near = nearest_to(key);
        for (; *known; known++)
                nearest_offer(&near, *known);
        error_set(err, ERR_BAD_REQUEST, "Unknown key \"%s\"", shown);
        if (near.best)
                error_hint(err, "Did you mean \"%s\"?", near.best);
        return -EINVAL;
}

static bool says_nothing(struct json_object *v)
{
        return !v || (json_object_is_type(v, json_type_array) && !json_object_array_length(v)) ||
               (json_object_is_type(v, json_type_object) && !json_object_object_length(v));
}

static int check_part(const char *key, struct json_object *value, struct error *err)
{
        static const char *const known[] = { "config", "projects", "storage_pools", "networks", "profiles", NULL };
        if (is_one_of(key, empty_parts))
                return says_nothing(value) ? 0 : error_set(err, ERR_UNSUPPORTED, "\"%s\" is not there in this release", key);
        if (!is_one_of(key, known))
                return refuse_member(key, known, err);
        bool is_config = streq(key, "config");
        if (value && !json_object_is_type(value, is_config ? json_type_object : json_type_array))
                return error_set(err, ERR_BAD_REQUEST, "\"%s\" must be a %s", key, is_config ? "map" : "list");
        return 0;
}

static int check_parts(struct json_object *document, struct error *err)
{
        json_object_object_foreach(document, key, value)
        {
                int r = check_part(key, value, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int check_members(const struct init_family *f, struct json_object *item, struct error *err)
{
        json_object_object_foreach(item, key, value)
        {
                (void)value;
                if (!is_one_of(key, f->members) && !is_one_of(key, shown_members))
                        return refuse_member(key, f->members, err);
        }
        const char *project = json_get_string(item, "project", "default");
        if (!streq(project, "default"))
                return error_set(err, ERR_UNSUPPORTED, "Project \"%s\": this release has the project \"default\" only", project);
        return 0;
}

/* ---- merging: what is not said stays, an empty value unsets ---- */

static void merge(struct json_object *into, struct json_object *from)
{
        json_object_object_foreach(from, key, value)
        {
                struct json_object *there = json_get_object(into, key);
                bool is_unset = !value || (json_object_is_type(value, json_type_string) && !json_object_get_string_len(value));
                if (there && value && json_object_is_type(value, json_type_object))
                        merge(there, value);
                else if (is_unset && !streq(key, "description"))
                        json_object_object_del(into, key);
                else
                        json_set_take(into, key, value ? json_object_get(value) : json_object_new_string(""));
        }
}

struct json_object *init_portable(const struct init_family *f, struct json_object *item)
{
        struct json_object *o = json_object_new_object(), *v, *copy;
        for (const char *const *m = f->members; *m; m++) {
                copy = NULL;
                if (!json_object_object_get_ex(item, *m, &v) || json_object_deep_copy(v, &copy, NULL) < 0)
                        continue;
                json_set_take(o, *m, copy);
        }
        return o;
}

/* "auto" is what an address there already satisfies: to choose another at each run would cut instances off. */
static void keep_chosen(struct json_object *next, struct json_object *now)
{
        static const char *const keys[] = { "ipv4.address", "ipv6.address" };
        struct json_object *config = json_get_object(next, "config"), *old = json_get_object(now, "config");
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
                const char *was = json_get_string(old, keys[i], "none");
                if (streq(json_get_string(config, keys[i], ""), "auto") && !streq(was, "none"))
                        json_set_string(config, keys[i], was);
        }
}

/* ---- the copy in memory ---- */

struct wait {
        bool is_done;
        int r;
        struct error *err;
};

static void on_committed(void *data, int r, struct error *err)
{
        struct wait *w = data;
        w->is_done = true;
        w->r = r;
        if (r < 0)
                error_move(w->err, err);
}

static int commit(struct server *s, struct change *take_c, struct error *err)
{
        struct wait w = { .err = err };
        change_commit(take_c, on_committed, &w);
        while (!w.is_done)
                uv_run(s->loop, UV_RUN_ONCE);
        return w.r;
}

static int copy_family(struct server *s, const struct init_family *f, struct error *err)
{
        _cleanup_json_ struct json_object *items = NULL;
        _cleanup_free_ char *path = xasprintf("%s?recursion=1", f->path);
        int r = daemon_call("GET", path, NULL, &items, err);
        if (r < 0)
                return r;
        struct change *c = change_new(s);
        for (size_t i = 0; r >= 0 && i < json_object_array_length(items); i++) {
                struct json_object *item = json_object_array_get_idx(items, i);
                void *body = type_new(f->kind->type);
                r = json_get_bool(item, "managed", true) ? type_decode(f->kind->type, item, TYPE_LOAD, body, err) : 1;
                if (r == 0)
                        change_put(c, f->kind, f->project, json_get_string(item, "name", ""), OBJECT_REV_NEW, body);
                else
                        type_free(f->kind->type, body);
        }
        if (r < 0) {
                change_free(c);
                return r;
        }
        return commit(s, c, err);
}

static int copy_server(struct server *s, struct error *err)
{
        daemon_register(s);
        int r = object_store_open_memory(s, 0);
        for (const struct init_family *f = init_families; f->key && r >= 0; f++)
                r = copy_family(s, f, err);
        return r;
}

/* ---- steps ---- */

static struct init_step *add_step(struct init_plan *p)
{
        p->steps = xreallocarray(p->steps, p->n + 1, sizeof *p->steps);
        p->steps[p->n] = (struct init_step){ 0 };
        return &p->steps[p->n++];
}

static int plan_fixed(const struct init_family *f, struct init_step *st, struct error *err)
{
        const char *was = json_get_string(st->now, f->fixed, ""), *wanted = json_get_string(st->next, f->fixed, was);
        if (streq(was, wanted))
                return 0;
        return error_set(err, ERR_BAD_REQUEST, "Its %s is \"%s\" and cannot become \"%s\"", f->fixed, was, wanted);
}

static int plan_next(const struct init_family *f, struct init_step *st, struct json_object *item, struct error *err)
{
        _cleanup_json_ struct json_object *said = init_portable(f, item);
        if (!st->now) {
                st->next = json_object_get(said);
                return 0;
        }
        st->next = init_portable(f, st->now);
        merge(st->next, said);
        keep_chosen(st->next, st->now);
        return f->fixed ? plan_fixed(f, st, err) : 0;
}

static int try_step(struct server *s, const struct init_family *f, const struct object *now, struct init_step *st,
                    struct error *err)
{
        void *body = now ? type_copy(f->kind->type, now->body) : type_new(f->kind->type);
        struct change *c = change_new(s);
        int r = type_decode(f->kind->type, st->next, TYPE_REPLACE, body, err);
        if (r < 0)
                type_free(f->kind->type, body);
        else
                r = f->check(s, c, now, body, err);
        if (r < 0) {
                change_free(c);
                return r;
        }
        return commit(s, c, err);
}

static bool is_planned(const struct init_plan *p, const char *label)
{
        size_t times = 0;
        for (size_t i = 0; i < p->n; i++)
                times += streq(p->steps[i].label, label);
        return times > 1;
}

static int plan_named(struct server *s, const struct init_family *f, struct json_object *item, struct init_plan *p,
                      const char *name, struct error *err)
{
        struct init_step *st = add_step(p);
        _cleanup_free_ char *shown = name_printable(name);
        st->label = xasprintf("%s \"%s\"", f->kind->title, shown);
        st->path = xasprintf("%s/%s", f->path, name);
        st->list = f->path;
        if (is_planned(p, st->label))
                return error_set(err, ERR_BAD_REQUEST, "It is given twice");
        const struct object *now = object_find(s, f->kind, f->project, name);
        int r = check_members(f, item, err);
        if (r >= 0 && now) {
                _cleanup_json_ struct json_object *there = NULL;
                r = daemon_ask(&(struct daemon_request){ .method = "GET", .path = st->path }, &there, &st->etag, err);
                st->now = r >= 0 ? init_portable(f, there) : NULL;
        }
        if (r >= 0)
                r = plan_next(f, st, item, err);
        return r < 0 ? r : try_step(s, f, now, st, err);
}

static int plan_item(struct server *s, const struct init_family *f, struct json_object *item, size_t index,
                     struct init_plan *p, struct error *err)
{
        const char *name = json_get_string(item, "name", "");
        if (!json_object_is_type(item, json_type_object) || str_empty(name))
                return error_set(err, ERR_BAD_REQUEST, "Item %zu of \"%s\" has no \"name\"", index + 1, f->key);
        int r = plan_named(s, f, item, p, name, err);
        const char *label = p->steps[p->n - 1].label;
        if (r < 0 && !strstr(error_message(err), label))
                error_prefix(err, "%s", label);
        return r;
}

static int check_config(struct json_object *config, struct error *err)
{
        _cleanup_strmap_ struct strmap map = STRMAP_INIT;
        int r = field_decode_strmap(config, false, &map, err);
        for (size_t i = 0; i < map.n && r >= 0; i++) {
                r = config_validate_one(config_tables_server, map.items[i].key, map.items[i].value, ON_SERVER, err);
                if (r < 0 && (str_starts(map.items[i].key, "core.https_") || str_starts(map.items[i].key, "core.trust_")))
                        error_hint(err, "This release answers on its unix socket only");
        }
        return r;
}

static int plan_config(struct json_object *config, struct init_plan *p, struct error *err)
{
        _cleanup_json_ struct json_object *server = NULL;
        _cleanup_free_ char *etag = NULL;
        int r = check_config(config, err);
        if (r >= 0)
                r = daemon_ask(&(struct daemon_request){ .method = "GET", .path = "/1.0" }, &server, &etag, err);
        if (r < 0)
                return error_prefix(err, "The server's configuration");
        struct init_step *st = add_step(p);
        struct json_object *copy = NULL, *said = json_object_new_object();
        st->label = xstrdup("The server's configuration");
        st->path = xstrdup("/1.0");
        st->etag = TAKE_PTR(etag);
        st->now = json_object_new_object();
        json_set_take(st->now, "config", json_object_get(json_get_object(server, "config")));
        json_object_deep_copy(st->now, &copy, NULL);
        st->next = copy;
        json_set_take(said, "config", json_object_get(config));
        merge(st->next, said);
        json_object_put(said);
        return 0;
}

static int plan_all(struct server *s, struct json_object *document, struct init_plan *p, struct error *err)
{
        struct json_object *config = json_get_object(document, "config");
        int r = config && json_object_object_length(config) ? plan_config(config, p, err) : 0;
        for (const struct init_family *f = init_families; f->key && r >= 0; f++) {
                struct json_object *items = json_get_array(document, f->key);
                for (size_t i = 0; items && i < json_object_array_length(items) && r >= 0; i++)
                        r = plan_item(s, f, json_object_array_get_idx(items, i), i, p, err);
        }
        return r;
}

int init_plan_make(struct json_object *document, struct init_plan *ret, struct error *err)
{
        *ret = (struct init_plan){ 0 };
        int r = check_parts(document, err);
        if (r < 0)
                return r;
        struct server *s = server_new(uv_default_loop(), "");
        r = copy_server(s, err);
        if (r >= 0)
                r = plan_all(s, document, ret, err);
        object_store_close(s);
        server_free(s);
        return r;
}

void init_plan_done(struct init_plan *plan)
{
        for (size_t i = 0; i < plan->n; i++) {
                free(plan->steps[i].label);
                free(plan->steps[i].path);
                free(plan->steps[i].etag);
                json_object_put(plan->steps[i].now);
                json_object_put(plan->steps[i].next);
        }
        free(plan->steps);
        *plan = (struct init_plan){ 0 };
}
