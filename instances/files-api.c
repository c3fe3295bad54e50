/* SPDX-License-Identifier: Apache-2.0 */
/* GET, HEAD, POST and DELETE /1.0/instances/{name}/files?path= */
#include "instances/files.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "server/event.h"

#include <fcntl.h>
#include <unistd.h>

#define PIPE_BYTES (1 << 20)
#define CONTENT_TYPE "application/octet-stream"

struct transfer {
        struct request *req;
        char *project, *url, *path; /* of the instance, and in it */
        int content;                /* our end of the content's pipe */
        int commit;                 /* closed without a byte: the upload broke off */
        bool is_answered, is_body_over, is_job_over;
        int result;
        struct error error;
};

static void transfer_free(struct transfer *t)
{
        fd_close(t->content);
        fd_close(t->commit);
        error_done(&t->error);
        free(t->project);
        free(t->url);
        free(t->path);
        free(t);
}

static int open_pipe(int *ret_read, int *ret_write)
{
        int r = fd_pipe(ret_read, ret_write);
        if (r >= 0)
                (void)!fcntl(*ret_read, F_SETPIPE_SZ, PIPE_BYTES);
        return r;
}

static void emit(struct transfer *t, const char *action)
{
        struct json_object *context = json_object_new_object();
        json_set_string(context, "path", t->path);
        event_lifecycle(t->req->server, t->req, action, t->project, t->url, context);
}

/* The instance and the path of the request, or NULL and it is answered. */
static struct transfer *transfer_new(struct request *req, struct instance **ret)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        char *path = NULL;
        struct instance *i = instance_of_request(req);
        if (!i)
                return NULL;
        if (file_path_of_request(req, &path, &err) < 0) {
                reply_error(req, &err);
                return NULL;
        }
        struct transfer *t = xnew(struct transfer);
        t->req = req;
        t->project = xstrdup(i->project);
        t->url = instance_url(i);
        t->path = path;
        t->content = t->commit = -EBADF;
        *ret = i;
        return t;
}

static struct file_work_spec work_spec(struct transfer *t, const char *job)
{
        struct file_work_spec spec = FILE_WORK_SPEC_INIT;
        spec.job = job;
        spec.take_args = json_object_new_object();
        json_set_string(spec.take_args, "path", t->path);
        spec.data = t;
        return spec;
}

static void reply_failure(struct request *req, int r, const char *what)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        error_set_errno(&err, r, "%s", what);
        reply_error(req, &err);
}

/* ---- reading ---- */

/* The worker has opened it and goes on with the content, if there is any. */
static void on_got(void *data, struct json_object *result)
{
        struct transfer *t = data;
        const char *type = json_get_string(result, "type", "file");
        struct json_object *entries = json_get_array(result, "entries");
        emit(t, "instance-file-retrieved");
        struct request *req = TAKE_PTR(t->req);
        const char *path = t->path;
        file_reply_headers(req, result);
        if (!streq(type, "directory"))
                reply_filename(req, strrchr(path, '/') + 1);
        if (streq(type, "directory")) {
                reply_json(req, entries ? json_object_get(entries) : json_object_new_array());
        } else if (streq(type, "symlink")) {
                const char *target = json_get_string(result, "target", "");
                reply_raw(req, CONTENT_TYPE, target, strlen(target));
        } else {
                reply_file(req, CONTENT_TYPE, json_get_int(result, "size", -1), TAKE_FD(t->content));
        }
}

static void on_get_done(void *data, int r _unused_, struct json_object *result _unused_, struct error *err)
{
        struct transfer *t = data;
        if (t->req)
                reply_error(t->req, err);
        transfer_free(t);
}

static void get_file(struct request *req)
{
        struct instance *i;
        struct transfer *t = transfer_new(req, &i);
        if (!t)
                return;
        struct file_work_spec spec = work_spec(t, "file-get");
        json_set_bool(spec.take_args, "content", req->method != METHOD_HEAD);
        spec.answered = on_got;
        spec.done = on_get_done;
        int r = open_pipe(&t->content, &spec.take_stdout);
        if (r < 0) {
                json_object_put(spec.take_args);
                reply_failure(req, r, "Opening a pipe");
                transfer_free(t);
                return;
        }
        file_work_start(i, &spec);
}

/* ---- writing ---- */

/* Only when the body has ended, too: until then the connection still writes it. */
static void put_finish(struct transfer *t)
{
        if (!t->is_job_over || !t->is_body_over)
                return;
        if (t->result < 0) {
                reply_error(t->req, &t->error);
        } else {
                emit(t, "instance-file-pushed");
                reply_empty(t->req);
        }
        transfer_free(t);
}

static void on_put_done(void *data, int r, struct json_object *result _unused_, struct error *err)
{
        struct transfer *t = data;
        t->is_job_over = true;
        t->result = r;
        if (r < 0)
                error_move(&t->error, err);
        put_finish(t);
}

static void on_body_end(void *data, int r)
{
        struct transfer *t = data;
        t->is_body_over = true;
        if (r == 0)
                (void)!write(t->commit, "", 1);
        fd_reset(&t->commit);
        put_finish(t);
}

static int open_upload(struct transfer *t, struct file_work_spec *spec)
{
        int r = open_pipe(&spec->take_stdin, &t->content);
        return r < 0 ? r : fd_pipe(&spec->take_commit, &t->commit);
}

static void spec_drop(struct file_work_spec *spec)
{
        json_object_put(spec->take_args);
        fd_close(spec->take_stdin);
        fd_close(spec->take_commit);
}

static void post_file(struct request *req)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct instance *i;
        struct transfer *t = transfer_new(req, &i);
        if (!t)
                return;
        struct file_work_spec spec = work_spec(t, "file-put");
        spec.done = on_put_done;
        json_set_bool(spec.take_args, "commit", true);
        int r = file_put_args(req, spec.take_args, &err);
        if (r >= 0) {
                r = open_upload(t, &spec);
                if (r < 0)
                        error_set_errno(&err, r, "Opening a pipe");
        }
        if (r < 0) {
                spec_drop(&spec);
                reply_error(req, &err);
                transfer_free(t);
                return;
        }
        file_work_start(i, &spec);
        request_read_body_into(req, TAKE_FD(t->content), on_body_end, t);
}

/* ---- deleting ---- */

static void on_deleted(void *data, int r, struct json_object *result _unused_, struct error *err)
{
        struct transfer *t = data;
        if (r < 0) {
                reply_error(t->req, err);
        } else {
                emit(t, "instance-file-deleted");
                reply_empty(t->req);
        }
        transfer_free(t);
}

static void delete_file(struct request *req)
{
        struct instance *i;
        struct transfer *t = transfer_new(req, &i);
        if (!t)
                return;
        struct file_work_spec spec = work_spec(t, "file-delete");
        spec.done = on_deleted;
        file_work_start(i, &spec);
}

const struct route instance_file_routes[] = {
        { METHOD_GET, "/1.0/instances/{name}/files", get_file, PERM_VIEW, ROUTE_PROJECT,
          "A file's content, a symbolic link's target or a directory's entries." },
        { METHOD_HEAD, "/1.0/instances/{name}/files", get_file, PERM_VIEW, ROUTE_PROJECT,
          "What kind of file it is." },
        { METHOD_POST, "/1.0/instances/{name}/files", post_file, PERM_EDIT, ROUTE_PROJECT | ROUTE_STREAM,
          "Write a file, make a directory or a symbolic link." },
        { METHOD_DELETE, "/1.0/instances/{name}/files", delete_file, PERM_EDIT, ROUTE_PROJECT,
          "Remove a file." },
        { 0 },
};
