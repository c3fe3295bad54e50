/* SPDX-License-Identifier: Apache-2.0 */
#include "images/image-ops.h"
#include "base/alloc.h"
#include "projects/commit-reply.h"
#include "projects/project.h"

static struct commit_reply reply_about(const char *action, const char *project, const char *name,
                                       route_fn retry)
{
        return (struct commit_reply){
                .action = action, .project = project, .take_source = image_alias_url(name), .retry = retry
        };
}

/* The change goes its way, or the error back. */
static void answer(struct request *req, int r, struct change *take_c, const struct commit_reply *reply,
                   const struct error *err)
{
        if (r >= 0) {
                commit_and_reply(req, take_c, reply);
                return;
        }
        change_free(take_c);
        free(reply->take_source);
        json_object_put(reply->take_context);
        reply_error(req, err);
}

/* An alias may hold '/': what a client did not encode comes as further segments. */
static char *name_of(const struct request *req)
{
        struct strbuf b = STRBUF_INIT;
        for (size_t i = 0; i < ROUTE_PARAMS_MAX && req->params[i]; i++)
                strbuf_addf(&b, "%s%s", i ? "/" : "", req->params[i]);
        return strbuf_take(&b);
}

/* The alias a request names, its If-Match checked; false: answered. */
static bool find(struct request *req, struct object **ret)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        _cleanup_free_ char *name = name_of(req);
        const char *project;
        int r = project_of_request(req, PROJECT_IMAGES, &project, &err);
        if (r >= 0)
                r = object_get(req->server, &image_alias_kind, project, name, ret, &err);
        if (r >= 0 && req->method != METHOD_GET && req->method != METHOD_HEAD)
                r = request_check_etag(req, *ret, &err);
        if (r < 0)
                reply_error(req, &err);
        return r >= 0;
}

static void get_list(struct request *req)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        const char *project = NULL;
        struct object **aliases;
        struct reply_list l;
        if (!req->is_all_projects && project_of_request(req, PROJECT_IMAGES, &project, &err) < 0) {
                reply_error(req, &err);
                return;
        }
        if (reply_list_begin(&l, req) < 0)
                return;
        size_t n = object_list(req->server, &image_alias_kind, project, &aliases);
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *plain = image_alias_url(aliases[i]->name);
                _cleanup_free_ char *url = url_in_project(plain, aliases[i]->project);
                const struct strbuf *rest = object_rest(aliases[i]);
                reply_list_add(&l, url, rest->data, rest->len);
        }
        reply_list_end(&l);
}

static void get_one(struct request *req)
{
        struct object *o;
        if (find(req, &o))
                reply_object(req, o);
}

static void post_list(struct request *req)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct image_alias *a = type_new(&image_alias_type);
        const char *project;
        int r = project_of_request(req, PROJECT_IMAGES, &project, &err);
        if (r >= 0)
                r = request_decode(req, &image_alias_type, TYPE_REPLACE, a, &err);
        if (r < 0) {
                type_free(&image_alias_type, a);
                reply_error(req, &err);
                return;
        }
        struct commit_reply reply =
                reply_about("image-alias-created", project, a->name ? a->name : "", post_list);
        struct change *c = change_new(req->server);
        reply.is_created = true;
        r = alias_create(req->server, c, project, a, &err);
        answer(req, r, c, &reply, &err);
}

static void update(struct request *req, enum type_mode mode, route_fn retry)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct object *o;
        if (!find(req, &o))
                return;
        struct image_alias *next = type_copy(&image_alias_type, o->body);
        int r = request_decode(req, &image_alias_type, mode, next, &err);
        if (r < 0) {
                type_free(&image_alias_type, next);
                reply_error(req, &err);
                return;
        }
        /* A client sends the whole object back, its name too; renaming is POST. */
        free(next->name);
        next->name = xstrdup(o->name);
        struct commit_reply reply = reply_about("image-alias-updated", o->project, o->name, retry);
        struct change *c = change_new(req->server);
        r = alias_update(req->server, c, o, next, &err);
        answer(req, r, c, &reply, &err);
}

static void put_one(struct request *req)
{
        update(req, TYPE_REPLACE, put_one);
}

static void patch_one(struct request *req)
{
        update(req, TYPE_PATCH, patch_one);
}

static void post_one(struct request *req)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct object *o;
        const char *new_name = json_get_string(req->body, "name", "");
        if (!find(req, &o))
                return;
        struct commit_reply reply = reply_about("image-alias-renamed", o->project, new_name, post_one);
        struct change *c = change_new(req->server);
        reply.is_created = true;
        reply.take_context = json_object_new_object();
        json_set_string(reply.take_context, "old_name", o->name);
        int r = alias_rename(req->server, c, o, new_name, &err);
        answer(req, r, c, &reply, &err);
}

static void delete_one(struct request *req)
{
        struct object *o;
        if (!find(req, &o))
                return;
        struct commit_reply reply = reply_about("image-alias-deleted", o->project, o->name, delete_one);
        struct change *c = change_new(req->server);
        change_delete(c, &image_alias_kind, o->project, o->name, o->rev);
        commit_and_reply(req, c, &reply);
}

#define ONE_ALIAS(path)                                                                                           \
        { METHOD_GET, path, get_one, PERM_VIEW, ROUTE_PROJECT, "One image alias." },                              \
                { METHOD_PUT,                                                                                     \
                  path,                                                                                           \
                  put_one,                                                                                        \
                  PERM_EDIT,                                                                                      \
                  ROUTE_PROJECT | ROUTE_BODY,                                                                     \
                  "Replace the description and the target of an image alias." },                                  \
                { METHOD_PATCH,                                                                                   \
                  path,                                                                                           \
                  patch_one,                                                                                      \
                  PERM_EDIT,                                                                                      \
                  ROUTE_PROJECT | ROUTE_BODY,                                                                     \
                  "Change the description or the target of an image alias." },                                    \
                { METHOD_POST, path, post_one, PERM_EDIT, ROUTE_PROJECT | ROUTE_BODY, "Rename an image alias." }, \
        {                                                                                                         \
                METHOD_DELETE, path, delete_one, PERM_EDIT, ROUTE_PROJECT, "Delete an image alias."               \
        }

const struct route image_alias_routes[] = {
        { METHOD_GET, "/1.0/images/aliases", get_list, PERM_VIEW, ROUTE_PROJECT, "List the image aliases." },
        { METHOD_POST, "/1.0/images/aliases", post_list, PERM_EDIT, ROUTE_PROJECT | ROUTE_BODY,
          "Create an image alias." },
        ONE_ALIAS("/1.0/images/aliases/{name}"),
        ONE_ALIAS("/1.0/images/aliases/{name}/{part}"),
        ONE_ALIAS("/1.0/images/aliases/{name}/{part}/{part}"),
        ONE_ALIAS("/1.0/images/aliases/{name}/{part}/{part}/{part}"),
        { 0 },
};
