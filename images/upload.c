/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The body runs through a pipe into lightunpack; this watches both ends. Two things must have happened before
 * it goes on, in either order: the connection has given the whole body, and the job has answered.
 */
#include "images/upload.h"
#include "images/add.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "server/event.h"
#include "server/job.h"

#include <fcntl.h>

#define PIPE_SIZE (1 << 20)
#define UPLOAD_BYTES_MAX GiB(64)

struct upload {
        struct server *server;
        struct request *req; /* NULL once it is answered */
        char *project, *spool;
        struct image_wishes wishes;
        bool may_mount_squashfs, is_cancelled;
        struct operation *op;
        struct job *job; /* while it receives */
        bool is_body_over, is_job_over;
        int body_result;
        struct json_object *received;
        struct error error; /* of the job */
        struct add *add;
};

static void upload_free(struct upload *u)
{
        free(u->project);
        free(u->spool);
        image_wishes_done(&u->wishes);
        json_object_put(u->received);
        error_done(&u->error);
        free(u);
}

static void fail(struct upload *u, const struct error *err)
{
        if (u->req)
                reply_error(u->req, err);
        else
                operation_fail(u->op, err);
        upload_free(u);
}

static void on_added(void *data, int r, const char *fingerprint, struct error *err)
{
        struct upload *u = data;
        if (r < 0) {
                fail(u, err);
                return;
        }
        struct object *o = object_find(u->server, &image_kind, u->project, fingerprint);
        _cleanup_free_ char *url = image_url(fingerprint);
        _cleanup_free_ char *size = xasprintf("%lld", o ? (long long)((struct image *)o->body)->size : 0);
        struct json_object *context = json_object_new_object(), *m = json_object_new_object();
        json_set_string(context, "type", "container");
        event_lifecycle_by(u->server, operation_who(u->op), "image-created", u->project, url, context);
        json_set_string(m, "fingerprint", fingerprint);
        json_set_string(m, "size", size); /* a text, as LXD has it */
        operation_succeed(u->op, m);
        upload_free(u);
}

static void go_on(struct upload *u)
{
        struct add_spec spec = { .project = u->project,
                                 .spool = u->spool,
                                 .received = u->received,
                                 .take_wishes = &u->wishes,
                                 .may_mount_squashfs = u->may_mount_squashfs,
                                 .op = u->op,
                                 .done = on_added,
                                 .data = u };
        struct add *add = image_add(u->server, &spec);
        if (add)
                u->add = add;
}

/* A pipe that broke says only that the worker gave up; why is in the worker's answer. */
static void maybe_go_on(struct upload *u)
{
        if (!u->is_body_over || !u->is_job_over)
                return;
        if (u->body_result < 0 && u->body_result != -EPIPE)
                error_set(&u->error, ERR_CANCELLED, "The upload was broken off");
        else if (u->is_cancelled && u->error.code == ERR_NONE)
                error_set(&u->error, ERR_CANCELLED, "Cancelled");
        else if (u->body_result < 0 && u->error.code == ERR_NONE)
                error_set(&u->error, ERR_BAD_REQUEST, "The upload goes on behind the end of the image");
        if (u->error.code == ERR_NONE) {
                go_on(u);
                return;
        }
        image_discard(u->server, u->spool);
        fail(u, &u->error);
}

static void cancel(struct operation *op _unused_, void *data)
{
        struct upload *u = data;
        u->is_cancelled = true;
        if (u->job)
                job_cancel(u->job);
        if (u->add)
                image_add_cancel(u->add);
}

static void answer(struct upload *u)
{
        struct operation_spec spec = { .class = OPERATION_TASK,
                                       .description = "Downloading image",
                                       .project = u->project,
                                       .cancel = cancel,
                                       .data = u };
        u->op = operation_new(u->server, u->req, &spec);
        reply_operation(TAKE_PTR(u->req), u->op);
}

static void after_broken_body(void *data)
{
        struct upload *u = data;
        u->is_body_over = true;
        maybe_go_on(u);
}

static void on_body(void *data, int r)
{
        struct upload *u = data;
        u->body_result = r;
        if (r < 0) { /* the connection is in the middle of its own end: no answer from here */
                if (r != -EPIPE && u->job)
                        job_cancel(u->job);
                timer_start(u->server, 0, after_broken_body, u);
                return;
        }
        u->is_body_over = true;
        answer(u);
        maybe_go_on(u);
}

static void on_received(void *data, int r, struct json_object *result, struct error *err)
{
        struct upload *u = data;
        u->job = NULL;
        u->is_job_over = true;
        if (r < 0)
                error_move(&u->error, err);
        else
                u->received = json_object_get(result);
        maybe_go_on(u);
}

static struct json_object *receive_args(struct upload *u)
{
        struct json_object *args = json_object_new_object();
        const char *type = request_header(u->req, "content-type"),
                   *length = request_header(u->req, "content-length");
        json_set_string(args, "spool", u->spool);
        json_set_string(args, "content_type", str_empty(type) ? "application/octet-stream" : type);
        json_set_int(args, "length", str_empty(length) ? -1 : strtoll(length, NULL, 10));
        json_set_int(args, "max_bytes", (int64_t)UPLOAD_BYTES_MAX);
        return args;
}

static void give_up(struct upload *u, struct error *err)
{
        image_discard(u->server, u->spool);
        fail(u, err);
}

static void on_begun(void *data, int r, struct json_object *result _unused_, struct error *err)
{
        struct upload *u = data;
        struct job_spec spec = JOB_SPEC_INIT;
        int to = -EBADF;
        if (r >= 0 && (r = fd_pipe(&spec.take_stdin, &to)) < 0)
                r = error_set_errno(err, r, "Making a pipe");
        if (r < 0) {
                give_up(u, err);
                return;
        }
        fcntl(to, F_SETPIPE_SZ, PIPE_SIZE); /* fewer turns of the loop a megabyte */
        spec.program = "lightunpack";
        spec.name = "image-receive";
        spec.take_args = receive_args(u);
        struct job *job = job_start(u->server, &spec, on_received, u);
        if (job)
                u->job = job;
        request_read_body_into(u->req, to, on_body, u);
}

void image_upload(struct request *req, const char *project, struct image_wishes *take_wishes)
{
        struct upload *u = xnew(struct upload);
        struct job_spec spec = JOB_SPEC_INIT;
        u->server = req->server;
        u->req = req;
        u->project = xstrdup(project);
        u->spool = image_spool_path(req->server);
        u->wishes = *take_wishes;
        *take_wishes = (struct image_wishes){ 0 };
        u->may_mount_squashfs = streq(req->who.protocol, "unix") && req->who.is_admin;
        spec.program = "lightrun";
        spec.name = "image-begin";
        spec.take_args = json_object_new_object();
        json_set_string(spec.take_args, "path", u->spool);
        job_start(u->server, &spec, on_begun, u);
}
