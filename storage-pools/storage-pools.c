/* SPDX-License-Identifier: Apache-2.0 */
#include "storage-pools/storage-pools.h"
#include "storage-pools/internal.h"
#include "base/alloc.h"
#include "base/log.h"
#include "base/path.h"

#include <fcntl.h>
#include <sys/utsname.h>

#define MOUNTINFO_MAX MiB(16)

void storage_pools_register(struct server *s)
{
        pools_reset();
        volumes_reset();
        layers_reset();
        layer_mounts_reset();
        object_kind_register(s, &storage_pool_kind);
        object_kind_register(s, &layer_kind);
        router_add(s, storage_pool_routes);
        router_add(s, volume_routes);
}

/* ---- start-up ---- */

struct startup {
        struct server *server;
        storage_done_fn done;
        void *data;
        unsigned pending;
};

struct sweep {
        struct startup *startup;
        char *pool;
};

static void one_done(struct startup *st)
{
        if (--st->pending)
                return;
        done_later(st->server, st->done, st->data, ERR_NONE, NULL);
        free(st);
}

static void sweep_done(struct sweep *sw)
{
        struct startup *st = sw->startup;
        free(sw->pool);
        free(sw);
        one_done(st);
}

/* A layer whose files are gone is no layer: the next instance makes it anew. One that volumes lie on is a loss. */
static void forget_missing(struct server *s, const char *pool, struct json_object *missing)
{
        for (size_t i = 0; missing && i < json_object_array_length(missing); i++) {
                const char *file = json_object_get_string(json_object_array_get_idx(missing, i));
                _cleanup_free_ char *fingerprint = xstrndup(file ? file : "", strcspn(file ? file : "", "."));
                _cleanup_free_ char *name = layer_object_name(pool, fingerprint);
                struct change *c = change_new(s);
                log_warning("storage pool \"%s\": layer %s is missing", pool, fingerprint);
                change_delete(c, &layer_kind, "", name, OBJECT_REV_ANY);
                change_commit(c, NULL, NULL);
        }
}

static void on_swept(void *data, int r, struct json_object *result, struct error *err)
{
        struct sweep *sw = data;
        struct server *s = sw->startup->server;
        const struct object *pool = object_find(s, &storage_pool_kind, "", sw->pool);
        if (r < 0) {
                log_error("storage pool \"%s\": %s", sw->pool, error_message(err));
        } else if (pool) {
                _cleanup_free_ char *trash = storage_pool_part(pool, "trash");
                forget_missing(s, sw->pool, json_get_array(result, "missing"));
                job_start_forgotten(s, "trash-empty", args_with_path(trash));
        }
        sweep_done(sw);
}

static void on_undone(void *data, int r, struct error *err)
{
        struct sweep *sw = data;
        if (r < 0)
                log_error("storage pool \"%s\": %s", sw->pool, error_message(err));
        else
                log_info("storage pool \"%s\": half made or half deleted, removed", sw->pool);
        sweep_done(sw);
}

static void add_kept_volume(void *data, const struct volume_info *v)
{
        struct {
                const char *pool;
                struct json_object *names;
        } *to = data;
        _cleanup_free_ char *name = xasprintf("%u", v->num);
        if (streq(v->pool, to->pool))
                json_array_add_string(to->names, name);
}

static struct json_object *kept_volumes(struct server *s, const char *pool)
{
        struct {
                const char *pool;
                struct json_object *names;
        } to = { pool, json_object_new_array() };
        volumes_each(s, add_kept_volume, &to);
        return to.names;
}

static struct json_object *kept_layers(struct server *s, const char *pool)
{
        struct json_object *names = json_object_new_array();
        struct object **layers;
        size_t n = object_list(s, &layer_kind, NULL, &layers);
        for (size_t i = 0; i < n; i++) {
                const struct layer *l = layers[i]->body;
                _cleanup_free_ char *name = layer_file_name(l->fingerprint, l->form);
                if (streq(l->pool, pool))
                        json_array_add_string(names, name);
        }
        return names;
}

static void start_sweep(struct startup *st, const struct object *pool)
{
        struct sweep *sw = xnew(struct sweep);
        struct job_spec spec = JOB_SPEC_INIT;
        sw->startup = st;
        sw->pool = xstrdup(pool->name);
        st->pending++;
        if (streq(((const struct storage_pool *)pool->body)->status, POOL_PENDING)) {
                storage_pool_undo(st->server, pool, on_undone, sw);
                return;
        }
        spec.program = "lightrun";
        spec.name = "pool-sweep";
        spec.take_args = args_with_path(storage_pool_path(pool));
        json_set_take(spec.take_args, "layers", kept_layers(st->server, pool->name));
        json_set_take(spec.take_args, "instances", kept_volumes(st->server, pool->name));
        job_start(st->server, &spec, on_swept, sw);
}

static void on_probed(void *data, int r, struct json_object *result, struct error *err)
{
        struct startup *st = data;
        struct utsname u;
        if (r < 0)
                log_error("Asking the kernel for squashfs: %s", error_message(err));
        layers_set_mountable(r >= 0 && json_get_bool(result, "squashfs", false) && uname(&u) == 0 &&
                             kernel_can_map_squashfs(u.release));
        one_done(st);
}

static void adopt_mounts(struct server *s)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        int r = path_read_file(AT_FDCWD, "/proc/self/mountinfo", MOUNTINFO_MAX, &b);
        if (r < 0)
                log_error("Reading the mount table: %s", strerror(-r));
        else
                layer_mounts_adopt(s, strbuf_str(&b));
}

void storage_pools_start(struct server *s, storage_done_fn done, void *data)
{
        struct startup *st = xnew(struct startup);
        struct job_spec spec = JOB_SPEC_INIT;
        struct object **pools;
        st->server = s;
        st->done = done;
        st->data = data;
        st->pending = 2; /* the probe, and this function itself */
        adopt_mounts(s);
        size_t n = object_list(s, &storage_pool_kind, NULL, &pools);
        for (size_t i = 0; i < n; i++)
                start_sweep(st, pools[i]);
        spec.program = "lightrun";
        spec.name = "layer-probe";
        job_start(s, &spec, on_probed, st);
        one_done(st);
}
