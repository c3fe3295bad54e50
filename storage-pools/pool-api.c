/* SPDX-License-Identifier: Apache-2.0 */
#include "storage-pools/pool.h"
#include "base/alloc.h"
#include "projects/commit-reply.h"
#include "projects/used-by.h"

#include <sys/statvfs.h>

/* The pool a request names, its If-Match checked; false: answered. */
static bool find(struct request *req, struct object **ret)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        int r = storage_pool_get(req->server, req->params[0], ret, &err);
        if (r >= 0 && req->method != METHOD_GET && req->method != METHOD_HEAD)
                r = request_check_etag(req, *ret, &err);
        if (r < 0)
                reply_error(req, &err);
        return r >= 0;
}

static void get_list(struct request *req)
{
        reply_used_list(req, &storage_pool_kind, NULL, "/1.0/storage-pools");
}

static void get_one(struct request *req)
{
        struct object *o;
        if (find(req, &o))
                reply_used_object(req, o);
}

/* A request whose answer waits for jobs. */
struct waiting {
        struct request *req;
        char *name, *url;
        const char *action;
};

static void waiting_free(struct waiting *w)
{
        free(w->name);
        free(w->url);
        free(w);
}

static struct waiting *waiting_new(struct request *req, const char *name, const char *action)
{
        struct waiting *w = xnew(struct waiting);
        w->req = req;
        w->name = xstrdup(name);
        w->url = xasprintf("/1.0/storage-pools/%s", name);
        w->action = action;
        return w;
}

static void on_changed(void *data, int r, struct error *err)
{
        struct waiting *w = data;
        if (r >= 0) {
                event_lifecycle(w->req->server, w->req, w->action, "", w->url, NULL);
                reply_etag(w->req, object_find(w->req->server, &storage_pool_kind, "", w->name));
        }
        if (r < 0)
                reply_error(w->req, err);
        else if (w->req->method == METHOD_POST)
                reply_created(w->req, "%s", w->url);
        else
                reply_empty(w->req);
        waiting_free(w);
}

static void post_list(struct request *req)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct storage_pool *p = type_new(&storage_pool_type);
        int r = request_decode(req, &storage_pool_type, TYPE_REPLACE, p, &err);
        if (r < 0) {
                type_free(&storage_pool_type, p);
                reply_error(req, &err);
                return;
        }
        struct waiting *w = waiting_new(req, p->name ? p->name : "", "storage-pool-created");
        r = storage_pool_create(req->server, p, on_changed, w, &err);
        if (r < 0) {
                waiting_free(w);
                reply_error(req, &err);
        }
}

static void delete_one(struct request *req)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct object *o;
        if (!find(req, &o))
                return;
        struct waiting *w = waiting_new(req, o->name, "storage-pool-deleted");
        if (storage_pool_delete(req->server, o, on_changed, w, &err) < 0) {
                waiting_free(w);
                reply_error(req, &err);
        }
}

/* What a client may not change comes back in its body all the same. */
static void keep_fixed(struct storage_pool *next, const struct storage_pool *now)
{
        free(next->name);
        free(next->driver);
        next->name = xstrdup(now->name);
        next->driver = xstrdup(now->driver);
}

static void update(struct request *req, enum type_mode mode, route_fn retry)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct object *o;
        if (!find(req, &o))
                return;
        struct storage_pool *next = type_copy(&storage_pool_type, o->body);
        int r = request_decode(req, &storage_pool_type, mode, next, &err);
        keep_fixed(next, o->body);
        struct change *c = change_new(req->server);
        if (r >= 0)
                r = storage_pool_update(req->server, c, o, next, &err);
        else
                type_free(&storage_pool_type, next);
        if (r < 0) {
                change_free(c);
                reply_error(req, &err);
                return;
        }
        const struct commit_reply reply = {
                .action = "storage-pool-updated", .project = "", .retry = retry,
                .kind = &storage_pool_kind, .take_name = xstrdup(o->name),
                .take_source = xasprintf("/1.0/storage-pools/%s", o->name),
        };
        commit_and_reply(req, c, &reply);
}

static void put_one(struct request *req)
{
        update(req, TYPE_REPLACE, put_one);
}

static void patch_one(struct request *req)
{
        update(req, TYPE_PATCH, patch_one);
}

static struct json_object *used_and_total(uint64_t used, uint64_t total)
{
        struct json_object *o = json_object_new_object();
        json_set_int(o, "used", (int64_t)used);
        json_set_int(o, "total", (int64_t)total);
        return o;
}

/* A local file system answers statvfs() from memory. */
static void get_resources(struct request *req)
{
        struct object *o;
        struct statvfs st;
        if (!find(req, &o))
                return;
        if (statvfs(storage_pool_path(o), &st) < 0) {
                _cleanup_error_ struct error err = ERROR_INIT;
                error_set_errno(&err, -errno, "Reading the size of storage pool \"%s\"", o->name);
                reply_error(req, &err);
                return;
        }
        struct json_object *all = json_object_new_object();
        json_set_take(all, "space", used_and_total((uint64_t)(st.f_blocks - st.f_bfree) * st.f_frsize,
                                                   (uint64_t)st.f_blocks * st.f_frsize));
        json_set_take(all, "inodes", used_and_total(st.f_files - st.f_ffree, st.f_files));
        reply_json(req, all);
}

const struct route storage_pool_routes[] = {
        { METHOD_GET, "/1.0/storage-pools", get_list, PERM_VIEW, ROUTE_PROJECT, "List the storage pools." },
        { METHOD_POST, "/1.0/storage-pools", post_list, PERM_SERVER, ROUTE_PROJECT | ROUTE_BODY,
          "Create a storage pool." },
        { METHOD_GET, "/1.0/storage-pools/{name}", get_one, PERM_VIEW, ROUTE_PROJECT, "One storage pool." },
        { METHOD_PUT, "/1.0/storage-pools/{name}", put_one, PERM_SERVER, ROUTE_PROJECT | ROUTE_BODY,
          "Replace the configuration and description of a storage pool." },
        { METHOD_PATCH, "/1.0/storage-pools/{name}", patch_one, PERM_SERVER, ROUTE_PROJECT | ROUTE_BODY,
          "Change parts of a storage pool; a null or empty value unsets a key." },
        { METHOD_DELETE, "/1.0/storage-pools/{name}", delete_one, PERM_SERVER, ROUTE_PROJECT,
          "Delete a storage pool that nothing uses." },
        { METHOD_GET, "/1.0/storage-pools/{name}/resources", get_resources, PERM_VIEW, 0,
          "Space and inodes of a storage pool." },
        { 0 },
};
