/* SPDX-License-Identifier: Apache-2.0 */
/* GET, PUT and PATCH /1.0/instances/{name}/metadata; GET, POST and DELETE …/metadata/templates?path= */
#include "instances/metadata.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/names.h"
#include "server/event.h"

#include <unistd.h>

#define CONTENT_TYPE "application/octet-stream"

/* "instance-metadata-updated" of …/metadata; with a template's name, of …/metadata/templates. */
static void emit(struct request *req, const struct instance *i, const char *action, const char *file)
{
        struct json_object *context = NULL;
        _cleanup_free_ char *url = xasprintf("/1.0/instances/%s/metadata%s", i->name, file ? "/templates" : "");
        if (file) {
                context = json_object_new_object();
                json_set_string(context, "path", file);
        }
        event_lifecycle(req->server, req, action, i->project, url, context);
}

/* ---- committing ---- */

struct metadata_change {
        struct instance *instance;
        struct request *req;
        const char *action;
        char *file; /* NULL: the metadata itself */
};

static void change_done(struct metadata_change *m)
{
        free(m->file);
        free(m);
}

static void on_stored(void *data, int r, struct error *err)
{
        struct metadata_change *m = data;
        instance_release(m->instance);
        if (r < 0) {
                reply_error(m->req, err);
        } else {
                emit(m->req, m->instance, m->action, m->file);
                reply_empty(m->req);
        }
        change_done(m);
}

/* The next body with *member (metadata or template_files) replaced. Takes m and value; answers in every case. */
static void commit(struct metadata_change *take_m, size_t offset, struct json_object *take_value)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct instance *i = take_m->instance;
        if (instance_claim(i, "change", NULL, &err) < 0) {
                reply_error(take_m->req, &err);
                json_object_put(take_value);
                change_done(take_m);
                return;
        }
        struct instance_body *next = type_copy(&instance_body_type, instance_body(i));
        struct json_object **member = (struct json_object **)((char *)next + offset);
        struct change *c = change_new(i->server);
        json_object_put(*member);
        *member = take_value;
        change_put(c, &instance_kind, i->project, i->name, instance_object(i)->rev, next);
        change_commit(c, on_stored, take_m);
}

static struct metadata_change *change_of(struct request *req, struct instance *i, const char *action, const char *file)
{
        struct metadata_change *m = xnew(struct metadata_change);
        m->instance = i;
        m->req = req;
        m->action = action;
        m->file = xstrdup(file);
        return m;
}

/* ---- …/metadata ---- */

static void get_metadata(struct request *req)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct json_object *whole = NULL;
        char etag[OBJECT_ETAG_SIZE];
        struct instance *i = instance_of_request(req);
        if (!i)
                return;
        _cleanup_json_ struct json_object *nothing = json_object_new_object();
        if (metadata_next(instance_body(i)->metadata, nothing, TYPE_PATCH, &whole, &err) < 0) {
                reply_error(req, &err);
                return;
        }
        emit(req, i, "instance-metadata-retrieved", NULL);
        reply_header(req, "ETag", object_etag(instance_object(i), etag));
        reply_json(req, whole);
}

static void change_metadata(struct request *req, enum type_mode mode)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct json_object *next = NULL;
        struct instance *i = instance_of_request(req);
        if (!i)
                return;
        int r = request_check_etag(req, instance_object(i), &err);
        if (r >= 0)
                r = metadata_next(instance_body(i)->metadata, req->body, mode, &next, &err);
        if (r < 0)
                reply_error(req, &err);
        else
                commit(change_of(req, i, "instance-metadata-updated", NULL), offsetof(struct instance_body, metadata), next);
}

static void put_metadata(struct request *req)
{
        change_metadata(req, TYPE_REPLACE);
}

static void patch_metadata(struct request *req)
{
        change_metadata(req, TYPE_PATCH);
}

/* ---- …/metadata/templates ---- */

static int no_template(const struct instance *i, const char *file, struct error *err)
{
        _cleanup_free_ char *shown = name_printable(file);
        error_set(err, ERR_NOT_FOUND, "Instance \"%s\" has no template \"%s\"", i->name, shown);
        return error_object(err, "template", shown);
}

static void reply_names(struct request *req, const struct instance *i)
{
        struct json_object *files = instance_body(i)->template_files, *list = json_object_new_array();
        if (files) {
                json_object_object_foreach (files, name, text) {
                        (void)text;
                        json_array_add_string(list, name);
                }
        }
        reply_json(req, list);
}

static void get_templates(struct request *req)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        const char *file = request_query(req, "path");
        struct instance *i = instance_of_request(req);
        if (!i)
                return;
        if (str_empty(file)) {
                reply_names(req, i);
                return;
        }
        const char *text = json_get_string(instance_body(i)->template_files, file, NULL);
        if (!text) {
                no_template(i, file, &err);
                reply_error(req, &err);
                return;
        }
        emit(req, i, "instance-metadata-template-retrieved", file);
        reply_filename(req, file);
        reply_raw(req, CONTENT_TYPE, text, strlen(text));
}

static void delete_template(struct request *req)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct json_object *next = NULL;
        const char *file = request_query(req, "path");
        struct instance *i = instance_of_request(req);
        if (!i)
                return;
        struct json_object *files = instance_body(i)->template_files;
        int r = metadata_check_file_name(file, &err);
        if (r >= 0 && !json_has(files, file))
                r = no_template(i, file, &err);
        if (r >= 0)
                r = metadata_files_with(files, file, NULL, 0, &next, &err);
        if (r < 0)
                reply_error(req, &err);
        else
                commit(change_of(req, i, "instance-metadata-template-deleted", file),
                       offsetof(struct instance_body, template_files), next);
}

/* ---- a template's text arrives ---- */

struct template_upload {
        struct request *req;
        char *project, *name, *file;
        int content; /* our end of the pipe the connection writes to */
        struct watch *watch;
        struct strbuf text;
        bool is_too_large;
};

static void upload_free(struct template_upload *u)
{
        watch_stop(u->watch);
        fd_close(u->content);
        strbuf_done(&u->text);
        free(u->project);
        free(u->name);
        free(u->file);
        free(u);
}

/* What has come so far. Too much: with our end closed the connection drops the rest. */
static void take_content(struct template_upload *u)
{
        static char slice[KiB(64)]; /* one loop, one slice at a time */
        ssize_t n;
        while (u->content >= 0 && (n = read(u->content, slice, sizeof slice)) > 0) {
                strbuf_add(&u->text, slice, (size_t)n);
                if (u->text.len <= METADATA_FILE_SIZE_MAX)
                        continue;
                u->is_too_large = true;
                watch_stop(TAKE_PTR(u->watch));
                fd_reset(&u->content);
        }
}

static void on_readable(void *data, int fd _unused_, int events _unused_)
{
        take_content(data);
}

/* The instance may have gone or changed while the text was on its way. */
static int next_files(struct template_upload *u, struct instance **ret, struct json_object **ret_files, struct error *err)
{
        *ret = instance_find(u->req->server, u->project, u->name);
        if (!*ret) {
                error_set(err, ERR_NOT_FOUND, "Instance \"%s\" was deleted meanwhile", u->name);
                return error_object(err, "instance", u->name);
        }
        return metadata_files_with(instance_body(*ret)->template_files, u->file, strbuf_str(&u->text), u->text.len, ret_files,
                                   err);
}

static void on_content(void *data, int r)
{
        struct template_upload *u = data;
        _cleanup_error_ struct error err = ERROR_INIT;
        struct json_object *files = NULL;
        struct instance *i;
        take_content(u);
        if (r < 0 && !u->is_too_large)
                error_set_errno(&err, r, "Receiving template \"%s\"", u->file);
        else /* one that is too large is refused there, too */
                r = next_files(u, &i, &files, &err);
        if (r < 0)
                reply_error(u->req, &err);
        else
                commit(change_of(u->req, i, "instance-metadata-template-created", u->file),
                       offsetof(struct instance_body, template_files), files);
        upload_free(u);
}

static int open_upload(struct template_upload *u, int *ret_to, struct error *err)
{
        int r = metadata_check_file_name(u->file, err);
        if (r < 0)
                return r;
        r = fd_pipe(&u->content, ret_to);
        if (r < 0)
                return error_set_errno(err, r, "Opening a pipe");
        fd_set_nonblocking(u->content, true);
        u->watch = watch_start(u->req->server, u->content, UV_READABLE, on_readable, u);
        return 0;
}

static void post_template(struct request *req)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct instance *i = instance_of_request(req);
        int to = -EBADF;
        if (!i)
                return;
        struct template_upload *u = xnew(struct template_upload);
        *u = (struct template_upload){ .req = req, .project = xstrdup(i->project), .name = xstrdup(i->name),
                                       .file = xstrdup(request_query(req, "path")), .content = -EBADF };
        if (open_upload(u, &to, &err) < 0) {
                reply_error(req, &err);
                upload_free(u);
                return;
        }
        request_read_body_into(req, to, on_content, u);
}

const struct route instance_metadata_routes[] = {
        { METHOD_GET, "/1.0/instances/{name}/metadata", get_metadata, PERM_VIEW, ROUTE_PROJECT,
          "What the image's metadata.yaml said of an instance, and its templates." },
        { METHOD_PUT, "/1.0/instances/{name}/metadata", put_metadata, PERM_EDIT, ROUTE_PROJECT | ROUTE_BODY,
          "Replace an instance's metadata." },
        { METHOD_PATCH, "/1.0/instances/{name}/metadata", patch_metadata, PERM_EDIT, ROUTE_PROJECT | ROUTE_BODY,
          "Change some of an instance's metadata." },
        { METHOD_GET, "/1.0/instances/{name}/metadata/templates", get_templates, PERM_VIEW, ROUTE_PROJECT,
          "List an instance's templates, or read the one named by ?path=." },
        { METHOD_POST, "/1.0/instances/{name}/metadata/templates", post_template, PERM_EDIT, ROUTE_PROJECT | ROUTE_STREAM,
          "Write the template named by ?path=." },
        { METHOD_DELETE, "/1.0/instances/{name}/metadata/templates", delete_template, PERM_EDIT, ROUTE_PROJECT,
          "Delete the template named by ?path=." },
        { 0 },
};
