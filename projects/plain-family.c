/* SPDX-License-Identifier: Apache-2.0 */
#include "projects/plain-family.h"
#include "projects/commit-reply.h"
#include "projects/used-by.h"
#include "base/alloc.h"

static const struct plain_family *family_of(const struct request *req)
{
        return req->route->family;
}

static struct commit_reply reply_about(const struct plain_family *f, const char *action, const char *project,
                                       const char *name, route_fn retry)
{
        return (struct commit_reply){ .action = action, .project = project, .kind = f->kind, .take_name = xstrdup(name),
                                      .take_source = f->url(name), .retry = retry };
}

/* Where the request's objects of the family are; "" outside projects. */
static int project_in(struct request *req, const char **ret, struct error *err)
{
        const struct plain_family *f = family_of(req);
        *ret = "";
        return f->is_server_wide ? 0 : project_of_request(req, f->feature, ret, err);
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
        free(reply->take_name);
        free(reply->take_source);
        json_object_put(reply->take_context);
        reply_error(req, err);
}

/* The object a request names, its If-Match checked; false: answered. */
static bool find(struct request *req, struct object **ret)
{
        const struct plain_family *f = family_of(req);
        _cleanup_error_ struct error err = ERROR_INIT;
        _cleanup_free_ char *name = f->name_of ? f->name_of(req) : xstrdup(req->params[0]);
        const char *project;
        int r = project_in(req, &project, &err);
        if (r >= 0)
                r = object_get(req->server, f->kind, project, name, ret, &err);
        if (r >= 0 && req->method != METHOD_GET && req->method != METHOD_HEAD)
                r = request_check_etag(req, *ret, &err);
        if (r < 0)
                reply_error(req, &err);
        return r >= 0;
}

static void add_to_list(struct reply_list *l, const struct plain_family *f, struct object *o)
{
        _cleanup_strbuf_ struct strbuf body = STRBUF_INIT;
        _cleanup_free_ char *plain = f->url(o->name);
        _cleanup_free_ char *url = url_in_project(plain, o->project);
        const struct strbuf *shown = &body;
        if (f->has_users)
                used_by_write(l->req->server, o, &body);
        else
                shown = object_rest(o);
        reply_list_add(l, url, shown->data, shown->len);
}

void plain_list(struct request *req)
{
        const struct plain_family *f = family_of(req);
        _cleanup_error_ struct error err = ERROR_INIT;
        const char *project = NULL;
        struct object **objects;
        struct reply_list l;
        if (!req->is_all_projects && project_in(req, &project, &err) < 0) {
                reply_error(req, &err);
                return;
        }
        if (reply_list_begin(&l, req) < 0)
                return;
        size_t n = object_list(req->server, f->kind, project, &objects);
        for (size_t i = 0; i < n; i++)
                add_to_list(&l, f, objects[i]);
        reply_list_end(&l);
}

void plain_get(struct request *req)
{
        struct object *o;
        if (!find(req, &o))
                return;
        if (family_of(req)->has_users)
                reply_used_object(req, o);
        else
                reply_object(req, o);
}

static char **name_in(const struct plain_family *f, void *body)
{
        return (char **)((char *)body + f->name_offset);
}

void plain_create(struct request *req)
{
        const struct plain_family *f = family_of(req);
        _cleanup_error_ struct error err = ERROR_INIT;
        void *body = type_new(f->kind->type);
        const char *project;
        int r = project_in(req, &project, &err);
        if (r >= 0)
                r = request_decode(req, f->kind->type, TYPE_REPLACE, body, &err);
        if (r < 0) {
                type_free(f->kind->type, body);
                reply_error(req, &err);
                return;
        }
        const char *name = *name_in(f, body);
        struct commit_reply reply = reply_about(f, f->created, project, name ? name : "", NULL);
        struct change *c = change_new(req->server);
        reply.is_created = true;
        reply.take_context = f->context ? f->context(body) : NULL;
        r = f->create(req->server, c, project, body, &err);
        answer(req, r, c, &reply, &err);
}

static void update(struct request *req, enum type_mode mode, route_fn retry)
{
        const struct plain_family *f = family_of(req);
        _cleanup_error_ struct error err = ERROR_INIT;
        struct object *o;
        if (!find(req, &o))
                return;
        void *next = type_copy(f->kind->type, o->body);
        int r = request_decode(req, f->kind->type, mode, next, &err);
        if (r < 0) {
                type_free(f->kind->type, next);
                reply_error(req, &err);
                return;
        }
        /* A client sends the whole object back, its name too; renaming is POST. */
        free(*name_in(f, next));
        *name_in(f, next) = xstrdup(o->name);
        struct commit_reply reply = reply_about(f, f->updated, o->project, o->name, retry);
        struct change *c = change_new(req->server);
        reply.take_context = f->context ? f->context(next) : NULL;
        r = f->update(req->server, c, o, next, &err);
        answer(req, r, c, &reply, &err);
}

void plain_put(struct request *req)
{
        update(req, TYPE_REPLACE, plain_put);
}

void plain_patch(struct request *req)
{
        update(req, TYPE_PATCH, plain_patch);
}

void plain_rename(struct request *req)
{
        const struct plain_family *f = family_of(req);
        _cleanup_error_ struct error err = ERROR_INIT;
        struct object *o;
        const char *name = json_get_string(req->body, "name", "");
        if (!find(req, &o))
                return;
        struct commit_reply reply = reply_about(f, f->renamed, o->project, name, plain_rename);
        struct change *c = change_new(req->server);
        reply.is_created = true;
        reply.take_context = json_object_new_object();
        json_set_string(reply.take_context, "old_name", o->name);
        int r = f->rename(req->server, c, o, name, &err);
        answer(req, r, c, &reply, &err);
}

void plain_delete(struct request *req)
{
        const struct plain_family *f = family_of(req);
        _cleanup_error_ struct error err = ERROR_INIT;
        struct object *o;
        if (!find(req, &o))
                return;
        struct commit_reply reply = reply_about(f, f->deleted, o->project, o->name, plain_delete);
        struct change *c = change_new(req->server);
        int r = f->remove(req->server, c, o, &err);
        answer(req, r, c, &reply, &err);
}
