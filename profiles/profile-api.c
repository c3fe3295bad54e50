/* SPDX-License-Identifier: Apache-2.0 */
#include "profiles/profile.h"
#include "base/alloc.h"
#include "projects/commit-reply.h"
#include "projects/project.h"
#include "projects/used-by.h"

static struct commit_reply reply_about(const char *action, const char *project, const char *name, route_fn retry)
{
        return (struct commit_reply){
                .action = action, .project = project, .take_source = xasprintf("/1.0/profiles/%s", name), .retry = retry
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

/* The profile a request names, its If-Match checked; false: answered. */
static bool find(struct request *req, struct object **ret)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        const char *project;
        int r = project_of_request(req, PROJECT_PROFILES, &project, &err);
        if (r >= 0)
                r = profile_get(req->server, project, req->params[0], ret, &err);
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
        if (!req->is_all_projects && project_of_request(req, PROJECT_PROFILES, &project, &err) < 0)
                reply_error(req, &err);
        else
                reply_used_list(req, &profile_kind, project, "/1.0/profiles");
}

static void get_one(struct request *req)
{
        struct object *o;
        if (find(req, &o))
                reply_used_object(req, o);
}

static void post_list(struct request *req)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct profile *p = type_new(&profile_type);
        const char *project;
        int r = project_of_request(req, PROJECT_PROFILES, &project, &err);
        if (r >= 0)
                r = request_decode(req, &profile_type, TYPE_REPLACE, p, &err);
        if (r < 0) {
                type_free(&profile_type, p);
                reply_error(req, &err);
                return;
        }
        struct commit_reply reply = reply_about("profile-created", project, p->name ? p->name : "", NULL);
        struct change *c = change_new(req->server);
        reply.is_created = true;
        r = profile_create(req->server, c, project, p, &err);
        answer(req, r, c, &reply, &err);
}

static void update(struct request *req, enum type_mode mode, route_fn retry)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct object *o;
        if (!find(req, &o))
                return;
        struct profile *next = type_copy(&profile_type, o->body);
        int r = request_decode(req, &profile_type, mode, next, &err);
        if (r < 0) {
                type_free(&profile_type, next);
                reply_error(req, &err);
                return;
        }
        /* A client sends the whole object back, its name too; renaming is POST. */
        free(next->name);
        next->name = xstrdup(o->name);
        struct commit_reply reply = reply_about("profile-updated", o->project, o->name, retry);
        struct change *c = change_new(req->server);
        r = profile_update(req->server, c, o, next, &err);
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
        struct commit_reply reply = reply_about("profile-renamed", o->project, new_name, post_one);
        struct change *c = change_new(req->server);
        reply.is_created = true;
        reply.take_context = json_object_new_object();
        json_set_string(reply.take_context, "old_name", o->name);
        int r = profile_rename(req->server, c, o, new_name, &err);
        answer(req, r, c, &reply, &err);
}

static void delete_one(struct request *req)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct object *o;
        if (!find(req, &o))
                return;
        struct commit_reply reply = reply_about("profile-deleted", o->project, o->name, delete_one);
        struct change *c = change_new(req->server);
        int r = profile_delete(req->server, c, o, &err);
        answer(req, r, c, &reply, &err);
}

const struct route profile_routes[] = {
        { METHOD_GET, "/1.0/profiles", get_list, PERM_VIEW, ROUTE_PROJECT, "List the profiles of a project." },
        { METHOD_POST, "/1.0/profiles", post_list, PERM_EDIT, ROUTE_PROJECT | ROUTE_BODY, "Create a profile." },
        { METHOD_GET, "/1.0/profiles/{name}", get_one, PERM_VIEW, ROUTE_PROJECT, "One profile." },
        { METHOD_PUT, "/1.0/profiles/{name}", put_one, PERM_EDIT, ROUTE_PROJECT | ROUTE_BODY,
          "Replace the configuration, devices and description of a profile." },
        { METHOD_PATCH, "/1.0/profiles/{name}", patch_one, PERM_EDIT, ROUTE_PROJECT | ROUTE_BODY,
          "Change parts of a profile; a null or empty value unsets a key." },
        { METHOD_POST, "/1.0/profiles/{name}", post_one, PERM_EDIT, ROUTE_PROJECT | ROUTE_BODY, "Rename a profile." },
        { METHOD_DELETE, "/1.0/profiles/{name}", delete_one, PERM_EDIT, ROUTE_PROJECT,
          "Delete a profile that no instance uses." },
        { 0 },
};
