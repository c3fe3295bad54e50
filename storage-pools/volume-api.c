/* SPDX-License-Identifier: Apache-2.0 */
/* Volumes as lists: the root volumes of instances (type "container") and the layers of images (type "image"). */
#include "storage-pools/volume.h"
#include "storage-pools/internal.h"
#include "base/alloc.h"
#include "base/time.h"
#include "projects/project.h"

struct listing {
        struct reply_list list;
        const char *pool;
        const char *project; /* NULL: all */
};

struct entry {
        const char *type, *name, *description, *project, *used_by;
        int64_t created_at;
};

static void write_entry(const struct entry *e, struct strbuf *out)
{
        char stamp[TIME_TEXT_SIZE];
        struct json_writer w = JSON_WRITER(out);
        json_write_object_begin(&w);
        json_write_key_string(&w, "name", e->name);
        json_write_key_string(&w, "type", e->type);
        json_write_key_string(&w, "description", e->description);
        json_write_key_string(&w, "content_type", "filesystem");
        json_write_key_string(&w, "created_at", time_format_rfc3339(e->created_at, stamp));
        json_write_key_string(&w, "location", "none");
        json_write_key_string(&w, "project", e->project);
        json_write_key(&w, "config");
        json_write_object_begin(&w);
        json_write_object_end(&w);
        json_write_key(&w, "used_by");
        json_write_array_begin(&w);
        if (e->used_by)
                json_write_string(&w, e->used_by);
        json_write_array_end(&w);
        json_write_object_end(&w);
}

static void add_entry(struct listing *l, const struct entry *e)
{
        _cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
        _cleanup_free_ char *plain = xasprintf("/1.0/storage-pools/%s/volumes/%s/%s", l->pool, e->type, e->name);
        _cleanup_free_ char *url = url_in_project(plain, e->project);
        if (reply_list_wants_bodies(&l->list))
                write_entry(e, &body);
        reply_list_add(&l->list, url, strbuf_str(&body), body.len);
}

static void add_volume(void *data, const struct volume_info *v)
{
        struct listing *l = data;
        if (!streq(v->pool, l->pool) || (l->project && !streq(v->project, l->project)))
                return;
        _cleanup_free_ char *plain = xasprintf("/1.0/instances/%s", v->instance);
        _cleanup_free_ char *user = url_in_project(plain, v->project);
        add_entry(l, &(struct entry){ .type = "container", .name = v->instance, .description = v->description,
                                      .project = v->project, .used_by = user, .created_at = v->created_at });
}

static void add_layers(struct server *s, struct listing *l)
{
        struct object **layers;
        size_t n = object_list(s, &layer_kind, NULL, &layers);
        for (size_t i = 0; i < n; i++) {
                const struct layer *layer = layers[i]->body;
                if (streq(layer->pool, l->pool))
                        add_entry(l, &(struct entry){ .type = "image", .name = layer->fingerprint,
                                                      .project = "default", .created_at = layer->created_at });
        }
}

/* NULL, or an answer was given. */
static const char *checked_type(struct request *req, const char *type)
{
        static const char *const known[] = { "container", "image", "custom", "virtual-machine" };
        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                if (streq(type, known[i]))
                        return known[i];
        reply_errorf(req, ERR_BAD_REQUEST, "Unknown type of volume (container, image, custom, virtual-machine)");
        return NULL;
}

/* Custom and virtual machine volumes cannot be made, so there are none: their lists are empty. */
static void reply_volumes(struct request *req, const char *type)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct listing l = { 0 };
        struct object *pool;
        int r = storage_pool_get(req->server, req->params[0], &pool, &err);
        if (r >= 0 && !req->is_all_projects)
                r = project_of_request(req, PROJECT_INSTANCES, &l.project, &err);
        if (r < 0) {
                reply_error(req, &err);
                return;
        }
        l.pool = pool->name;
        if (reply_list_begin(&l.list, req) < 0)
                return;
        if (!type || streq(type, "container"))
                volumes_each(req->server, add_volume, &l);
        if ((!type || streq(type, "image")) && (!l.project || streq(l.project, "default")))
                add_layers(req->server, &l);
        reply_list_end(&l.list);
}

static void get_all(struct request *req)
{
        reply_volumes(req, NULL);
}

static void get_type(struct request *req)
{
        const char *type = checked_type(req, req->params[1]);
        if (type)
                reply_volumes(req, type);
}

const struct route volume_routes[] = {
        { METHOD_GET, "/1.0/storage-pools/{name}/volumes", get_all, PERM_VIEW, ROUTE_PROJECT,
          "List the volumes of a storage pool." },
        { METHOD_GET, "/1.0/storage-pools/{name}/volumes/{type}", get_type, PERM_VIEW, ROUTE_PROJECT,
          "List the volumes of one type of a storage pool." },
        { 0 },
};
