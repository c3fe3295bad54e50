/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Making and deleting a pool. Both go through the status "Pending": it is the intent. Making: Pending, directories,
 * Created. Deleting: Pending, directories away, object away. What is found Pending at start-up is deleted.
 */
#include "storage-pools/pool.h"
#include "storage-pools/driver.h"
#include "storage-pools/internal.h"
#include "base/alloc.h"
#include "projects/used-by.h"

struct task {
        struct list node;
        struct server *server;
        char *name;
        storage_done_fn done;
        void *data;
        struct error why; /* of the undoing */
};

static struct list tasks;

void pools_reset(void)
{
        list_init(&tasks);
}

static bool is_busy(const char *name)
{
        struct task *t;
        list_for_each (t, &tasks, node)
                if (streq(t->name, name))
                        return true;
        return false;
}

static struct task *task_new(struct server *s, const char *name, storage_done_fn done, void *data)
{
        struct task *t = xnew(struct task);
        t->server = s;
        t->name = xstrdup(name);
        t->done = done;
        t->data = data;
        list_append(&tasks, &t->node);
        return t;
}

static void end(struct task *t, int r, struct error *err)
{
        list_remove(&t->node);
        t->done(t->data, r, err);
        error_done(&t->why);
        free(t->name);
        free(t);
}

static struct object *pool_of(const struct task *t)
{
        return object_find(t->server, &storage_pool_kind, "", t->name);
}

/* Nobody else writes a Pending pool, so its revision is ours. */
static void commit_status(struct task *t, const char *status, change_done_fn done)
{
        const struct object *o = pool_of(t);
        struct storage_pool *p = type_copy(&storage_pool_type, o->body);
        struct change *c = change_new(t->server);
        free(p->status);
        p->status = xstrdup(status);
        change_put(c, &storage_pool_kind, "", t->name, o->rev, p);
        change_commit(c, done, t);
}

static void start(struct task *t, const char *job, struct json_object *take_args, job_done_fn done)
{
        struct job_spec spec = JOB_SPEC_INIT;
        spec.program = "lightrun";
        spec.name = job;
        spec.take_args = take_args;
        job_start(t->server, &spec, done, t);
}

static char *default_source(struct server *s, const char *name)
{
        return xasprintf("%s/storage-pools/%s", s->dir, name);
}

static bool is_default_source(const struct task *t)
{
        _cleanup_free_ char *ours = default_source(t->server, t->name);
        return streq(storage_pool_path(pool_of(t)), ours);
}

static struct json_object *pool_args(const struct task *t)
{
        _cleanup_free_ char *id = xasprintf("%s %s", t->server->did, t->name);
        struct json_object *args = args_with_path(storage_pool_path(pool_of(t)));
        json_set_string(args, "id", id);
        return args;
}

/* ---- making ---- */

static void on_final(void *data, int r, struct error *err)
{
        end(data, r, err);
}

static void on_taken_back(void *data, int r _unused_, struct error *err _unused_)
{
        struct task *t = data;
        end(t, error_errno(t->why.code), &t->why);
}

/* A worker that was killed has not cleared up; what it made bears the pool's id. */
static void on_cleared(void *data, int r _unused_, struct json_object *result _unused_, struct error *err _unused_)
{
        struct task *t = data;
        struct change *c = change_new(t->server);
        change_delete(c, &storage_pool_kind, "", t->name, OBJECT_REV_ANY);
        change_commit(c, on_taken_back, t);
}

static void on_directories(void *data, int r, struct json_object *result _unused_, struct error *err)
{
        struct task *t = data;
        if (r >= 0) {
                commit_status(t, POOL_CREATED, on_final);
                return;
        }
        error_copy(&t->why, err);
        error_prefix(&t->why, "Creating storage pool \"%s\"", t->name);
        struct json_object *args = pool_args(t);
        json_set_bool(args, "remove_root", is_default_source(t));
        start(t, "pool-delete", args, on_cleared);
}

static void on_intended(void *data, int r, struct error *err)
{
        struct task *t = data;
        if (r < 0) {
                end(t, r, err);
                return;
        }
        struct json_object *args = pool_args(t);
        json_set_bool(args, "overlay", storage_pool_driver(pool_of(t))->needs_overlay);
        start(t, "pool-create", args, on_directories);
}

/* "/srv//pool/" → "/srv/pool": two names of one directory must look the same to the check for overlaps. */
static void clean_source(struct strmap *config)
{
        const char *given = strmap_get(config, "source");
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        if (!given)
                return;
        for (const char *p = given; *p; p++)
                if (*p != '/' || (p[1] != '/' && (p[1] || p == given)))
                        strbuf_addc(&b, *p);
        strmap_set(config, "source", strbuf_str(&b));
}

static int check_source(struct server *s, const char *source, struct error *err)
{
        struct object **pools;
        size_t n = object_list(s, &storage_pool_kind, NULL, &pools);
        const char **others = xnew_array(const char *, n + 1);
        for (size_t i = 0; i < n; i++)
                others[i] = storage_pool_path(pools[i]);
        int r = storage_pool_check_source(source, s->dir, others, n, err);
        free(others);
        return r;
}

/* The source is always written down: the pool must be found again when the default changes. */
static void set_defaults(struct server *s, struct storage_pool *p)
{
        _cleanup_free_ char *source = default_source(s, p->name);
        const char *given = strmap_get(&p->config, "source");
        if (given)
                strmap_set(&p->config, "volatile.initial_source", given);
        else
                strmap_set(&p->config, "source", source);
        free(p->status);
        p->status = xstrdup(POOL_PENDING);
        strlist_done(&p->locations);
        strlist_add(&p->locations, "none");
}

static int check_new(struct server *s, struct storage_pool *p, struct error *err)
{
        config_drop_empty(&p->config);
        if (str_empty(p->driver)) {
                free(p->driver);
                p->driver = xstrdup(storage_drivers[0]->name);
        }
        int r = storage_pool_check(p, err);
        if (r < 0)
                return r;
        if (object_find(s, &storage_pool_kind, "", p->name))
                return error_set(err, ERR_EXISTS, "Storage pool \"%s\" already exists", p->name);
        clean_source(&p->config);
        set_defaults(s, p);
        return check_source(s, strmap_get(&p->config, "source"), err);
}

int storage_pool_create(struct server *s, struct storage_pool *take_p, storage_done_fn done, void *data,
                        struct error *err)
{
        int r = check_new(s, take_p, err);
        if (r < 0) {
                type_free(&storage_pool_type, take_p);
                return r;
        }
        struct task *t = task_new(s, take_p->name, done, data);
        struct change *c = change_new(s);
        change_put(c, &storage_pool_kind, "", t->name, OBJECT_REV_NEW, take_p);
        change_commit(c, on_intended, t);
        return 0;
}

/* ---- deleting ---- */

static void on_removed(void *data, int r, struct json_object *result _unused_, struct error *err)
{
        struct task *t = data;
        struct object **layers;
        if (r < 0) {
                error_copy(&t->why, err);
                error_prefix(&t->why, "Deleting storage pool \"%s\"", t->name);
                commit_status(t, POOL_ERRORED, on_taken_back);
                return;
        }
        struct change *c = change_new(t->server);
        size_t n = object_list(t->server, &layer_kind, NULL, &layers);
        for (size_t i = 0; i < n; i++)
                if (streq(((const struct layer *)layers[i]->body)->pool, t->name))
                        change_delete(c, &layer_kind, "", layers[i]->name, OBJECT_REV_ANY);
        change_delete(c, &storage_pool_kind, "", t->name, OBJECT_REV_ANY);
        change_commit(c, on_final, t);
}

static void remove_directories(struct task *t)
{
        struct json_object *args = pool_args(t);
        json_set_bool(args, "remove_root", is_default_source(t));
        json_set_take(args, "unmount", layer_mounts_take(t->server, t->name));
        _cleanup_free_ char *mounts = xasprintf("%s/layers/%s", t->server->run_dir, t->name);
        json_set_string(args, "mounts", mounts);
        start(t, "pool-delete", args, on_removed);
}

static int check_unused(struct server *s, const struct object *o, struct error *err)
{
        int r = used_by_check_free(s, o, err);
        if (r >= 0 && (layer_is_busy(o->name) || volume_is_busy(o)))
                r = error_set(err, ERR_IN_USE, "Storage pool \"%s\" is in use: an image is being unpacked into it",
                              o->name);
        return r;
}

static void on_flushed(void *data, int r, struct error *err)
{
        struct task *t = data;
        if (r < 0)
                end(t, r, err);
        else if (check_unused(t->server, pool_of(t), &t->why) < 0)
                commit_status(t, POOL_CREATED, on_taken_back);
        else
                remove_directories(t);
}

/*
 * From here nobody begins to use the pool, but an instance made while the mark was on its way to the disk may itself
 * still be on the way. The store keeps the order of commits: a second one comes after it, and then it is seen.
 */
static void on_marked(void *data, int r, struct error *err)
{
        struct task *t = data;
        if (r < 0)
                end(t, r, err);
        else if (check_unused(t->server, pool_of(t), &t->why) < 0)
                commit_status(t, POOL_CREATED, on_taken_back);
        else
                commit_status(t, POOL_PENDING, on_flushed);
}

int storage_pool_delete(struct server *s, const struct object *o, storage_done_fn done, void *data,
                        struct error *err)
{
        if (is_busy(o->name))
                return error_set(err, ERR_WRONG_STATE, "Storage pool \"%s\" is being made or deleted already", o->name);
        int r = check_unused(s, o, err);
        if (r >= 0)
                commit_status(task_new(s, o->name, done, data), POOL_PENDING, on_marked);
        return r;
}

void storage_pool_undo(struct server *s, const struct object *o, storage_done_fn done, void *data)
{
        remove_directories(task_new(s, o->name, done, data));
}

/* ---- changing ---- */

int storage_pool_update(struct server *s _unused_, struct change *c, const struct object *o,
                        struct storage_pool *take_next, struct error *err)
{
        const struct storage_pool *now = o->body;
        config_tables tables = storage_driver_tables(storage_pool_driver(o));
        config_drop_empty(&take_next->config);
        int r = is_busy(o->name) ? error_set(err, ERR_WRONG_STATE, "Storage pool \"%s\" is being made or deleted",
                                             o->name) :
                                   0;
        if (r >= 0)
                r = config_validate(tables, &take_next->config, ON_POOL, err);
        if (r >= 0)
                r = config_check_update(tables, &now->config, &take_next->config, err);
        if (r < 0) {
                type_free(&storage_pool_type, take_next);
                return r;
        }
        change_put(c, &storage_pool_kind, "", o->name, o->rev, take_next);
        return 0;
}
