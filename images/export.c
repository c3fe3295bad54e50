/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image as it came: one file, or for a split one a multipart body of "metadata" and "rootfs". A job writes
 * it into a pipe; its length is known before the first byte, so a client sees when the end is missing.
 */
#include "images/image-ops.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "server/event.h"
#include "server/job.h"

#include <fcntl.h>

#define PIPE_SIZE (1 << 20)

struct body {
        struct json_object *parts;
        int64_t length;
};

static void add_text(struct body *b, const char *text)
{
        struct json_object *part = json_object_new_object();
        json_set_string(part, "text", text);
        json_object_array_add(b->parts, part);
        b->length += (int64_t)strlen(text);
}

static void add_file(struct body *b, const char *path, int64_t size)
{
        struct json_object *part = json_object_new_object();
        json_set_string(part, "path", path);
        json_set_int(part, "size", size);
        json_object_array_add(b->parts, part);
        b->length += size;
}

static void add_part_head(struct body *b, const char *boundary, bool is_first, const char *name,
                          const char *filename)
{
        _cleanup_free_ char *head =
                xasprintf("%s--%s\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"%s\"\r\n"
                          "Content-Type: application/octet-stream\r\n\r\n",
                          is_first ? "" : "\r\n", boundary, name, filename);
        add_text(b, head);
}

static void add_split(struct server *s, const struct object *o, const char *boundary, struct body *b)
{
        const struct image *image = o->body;
        _cleanup_free_ char *meta = image_meta_path(s, o), *rootfs = image_rootfs_path(s, o);
        _cleanup_free_ char *meta_name = xasprintf("meta-%s%s", o->name, image->meta_ext);
        _cleanup_free_ char *rootfs_name = xasprintf("%s%s", o->name, image->rootfs_ext);
        _cleanup_free_ char *end = xasprintf("\r\n--%s--\r\n", boundary);
        add_part_head(b, boundary, true, "metadata", meta_name);
        add_file(b, meta, image->meta_size);
        add_part_head(b, boundary, false, "rootfs", rootfs_name);
        add_file(b, rootfs, image->rootfs_size);
        add_text(b, end);
}

static void add_unified(struct request *req, const struct object *o, struct body *b)
{
        const struct image *image = o->body;
        _cleanup_free_ char *meta = image_meta_path(req->server, o);
        /* Not the name it came with: somebody else's upload does not choose how files are called where it goes. */
        _cleanup_free_ char *filename = xasprintf("%s%s", o->name, image->meta_ext);
        reply_filename(req, filename);
        add_file(b, meta, image->meta_size);
}

static void ignore(void *data _unused_, int r _unused_, struct json_object *result _unused_,
                   struct error *err _unused_)
{
        /* A part that is missing is missing in the body: its length was told, so the connection ends broken.
         */
}

static int start_sending(struct server *s, struct json_object *take_parts, int *ret_fd)
{
        struct job_spec spec = JOB_SPEC_INIT;
        int r = fd_pipe(ret_fd, &spec.take_stdout);
        if (r < 0) {
                json_object_put(take_parts);
                return r;
        }
        fcntl(*ret_fd, F_SETPIPE_SZ, PIPE_SIZE);
        spec.program = "lightrun";
        spec.name = "image-send";
        spec.take_args = json_object_new_object();
        json_set_take(spec.take_args, "parts", take_parts);
        job_start(s, &spec, ignore, NULL);
        return 0;
}

void image_export(struct request *req, const struct object *o)
{
        const struct image *image = o->body;
        struct body b = { .parts = json_object_new_array() };
        /* The fingerprint stands in no header of a file we have, and 48 of its digits are a boundary as good
         * as any. */
        _cleanup_free_ char *boundary = xasprintf("lightvisor-%.48s", o->name);
        _cleanup_free_ char *type = NULL, *url = image_url(o->name);
        int fd = -EBADF;
        if (streq(image->layout, "split")) {
                type = xasprintf("multipart/form-data; boundary=%s", boundary);
                add_split(req->server, o, boundary, &b);
        } else {
                type = xstrdup("application/octet-stream");
                add_unified(req, o, &b);
        }
        int r = start_sending(req->server, b.parts, &fd);
        if (r < 0) {
                reply_errorf(req, error_code_from_errno(r),
                             "Exporting image \"%.12s\": no pipe could be made", o->name);
                return;
        }
        event_lifecycle(req->server, req, "image-retrieved", o->project, url, NULL);
        reply_file(req, type, b.length, fd);
}
