/* SPDX-License-Identifier: Apache-2.0 */
#include "images/image-ops.h"
#include "images/upload.h"
#include "base/alloc.h"
#include "projects/commit-reply.h"
#include "projects/project.h"

/* The image a request names, by a unique beginning of its fingerprint; false: answered. */
static bool find(struct request *req, struct object **ret)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        const char *project;
        int r = project_of_request(req, PROJECT_IMAGES, &project, &err);
        if (r >= 0)
                r = image_get(req->server, project, req->params[0], ret, &err);
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
        struct object **images;
        struct reply_list l;
        if (!req->is_all_projects && project_of_request(req, PROJECT_IMAGES, &project, &err) < 0) {
                reply_error(req, &err);
                return;
        }
        if (reply_list_begin(&l, req) < 0)
                return;
        size_t n = object_list(req->server, &image_kind, project, &images);
        for (size_t i = 0; i < n; i++) {
                _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
                _cleanup_free_ char *plain = image_url(images[i]->name);
                _cleanup_free_ char *url = url_in_project(plain, images[i]->project);
                if (reply_list_wants_bodies(&l))
                        image_write(req->server, images[i], &b);
                reply_list_add(&l, url, strbuf_str(&b), b.len);
        }
        reply_list_end(&l);
}

static void get_one(struct request *req)
{
        char etag[OBJECT_ETAG_SIZE];
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        struct object *o;
        if (!find(req, &o))
                return;
        image_write(req->server, o, &b);
        reply_header(req, "ETag", object_etag(o, etag));
        reply_text(req, b.data, b.len);
}

static void get_export(struct request *req)
{
        struct object *o;
        if (find(req, &o))
                image_export(req, o);
}

static void post_list(struct request *req)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct image_wishes wishes = { 0 };
        const char *project;
        bool is_upload = !req->has_json_body;
        int r = project_of_request(req, PROJECT_IMAGES, &project, &err);
        if (r >= 0)
                r = is_upload ? image_wishes_from_headers(req, &wishes, &err)
                              : image_pull(req, project, &err);
        if (r >= 0 && is_upload)
                r = image_check_profiles(req->server, project, &wishes.image, &err);
        if (r < 0) {
                image_wishes_done(&wishes);
                reply_error(req, &err);
        } else if (is_upload) {
                image_upload(req, project, &wishes);
        }
}

static void update(struct request *req, enum type_mode mode, route_fn retry)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct object *o;
        if (!find(req, &o))
                return;
        struct image *next = type_copy(&image_type, o->body);
        int r = request_decode(req, &image_type, mode, next, &err);
        if (r < 0) {
                type_free(&image_type, next);
                reply_error(req, &err);
                return;
        }
        struct change *c = change_new(req->server);
        if (image_update(req->server, c, o, next, &err) < 0) {
                change_free(c);
                reply_error(req, &err);
                return;
        }
        struct commit_reply reply = { .action = "image-updated",
                                      .project = o->project,
                                      .kind = &image_kind,
                                      .take_name = xstrdup(o->name),
                                      .take_source = image_url(o->name),
                                      .retry = retry };
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

static void delete_one(struct request *req)
{
        struct object *o;
        if (!find(req, &o))
                return;
        struct server *s = req->server;
        struct operation_spec spec = { .class = OPERATION_TASK,
                                       .description = "Deleting image",
                                       .project = o->project,
                                       .resource_kind = "images",
                                       .resource_name = o->name };
        struct operation *op = operation_new(s, req, &spec);
        reply_operation(req, op);
        image_delete(s, o, op);
}

const struct route image_routes[] = {
        { METHOD_GET, "/1.0/images", get_list, PERM_VIEW, ROUTE_PROJECT, "List the images." },
        { METHOD_POST, "/1.0/images", post_list, PERM_EDIT, ROUTE_PROJECT | ROUTE_BODY_LATER,
          "Add an image: from the body's bytes, or as \"source\" says." },
        { METHOD_GET, "/1.0/images/{fingerprint}", get_one, PERM_VIEW, ROUTE_PROJECT, "One image." },
        { METHOD_PUT, "/1.0/images/{fingerprint}", put_one, PERM_EDIT, ROUTE_PROJECT | ROUTE_BODY,
          "Replace what of an image can be changed." },
        { METHOD_PATCH, "/1.0/images/{fingerprint}", patch_one, PERM_EDIT, ROUTE_PROJECT | ROUTE_BODY,
          "Change parts of an image." },
        { METHOD_DELETE, "/1.0/images/{fingerprint}", delete_one, PERM_EDIT, ROUTE_PROJECT,
          "Delete an image and its aliases." },
        { METHOD_GET, "/1.0/images/{fingerprint}/export", get_export, PERM_VIEW, ROUTE_PROJECT,
          "The image's bytes as they came." },
        { 0 },
};
