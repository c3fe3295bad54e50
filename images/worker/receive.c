/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/effect.h"
#include "base/fd.h"
#include "base/names.h"
#include "base/worker.h"
#include "images/worker/job.h"
#include "images/worker/multipart.h"
#include "images/worker/sandbox.h"
#include "images/worker/spool.h"
#include "images/worker/text.h"

#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#define READ_SIZE KiB(256)

struct receive {
        struct spool_file files[_SPOOL_FILE_MAX];
        int current; /* index of the part being read, -1 between parts */
        int n_files;
        const char *content_type;
        uint64_t max_bytes;
        int64_t length; /* what the request declared; -1: chunked */
        uint64_t size;  /* of both files */
        EVP_MD_CTX *digest;
};

/* Clients send a path sometimes; only its last component is the file's name. */
static char *plain_filename(const char *filename)
{
        const char *slash = strrchr(filename, '/');
        const char *name = slash ? slash + 1 : filename;
        size_t n = strlen(name);
        return n <= 255 && text_is_utf8(name, n) ? name_printable(name) : xstrdup("");
}

static int begin_part(void *ctx, const char *name, const char *filename, struct error *err)
{
        struct receive *in = ctx;
        if (streq(name, "rootfs.img"))
                return error_set(err, ERR_UNSUPPORTED,
                                 "The upload is a virtual machine's image (part \"rootfs.img\")");
        if (!streq(name, "metadata") && !streq(name, "rootfs")) {
                _cleanup_free_ char *shown = name_printable(name);
                return error_set(err, ERR_BAD_REQUEST, "The upload has an unexpected part \"%s\"", shown);
        }
        int which = streq(name, "metadata") ? SPOOL_META : SPOOL_ROOTFS;
        if (which != in->n_files)
                return error_set(err, ERR_BAD_REQUEST,
                                 "The upload's parts are not one \"metadata\" followed by one \"rootfs\"");
        in->n_files++;
        in->current = which;
        in->files[which].filename = plain_filename(filename);
        return 0;
}

static int add_bytes(void *ctx, const void *data, size_t n, struct error *err)
{
        struct receive *in = ctx;
        struct spool_file *file = &in->files[in->current];
        if (in->size + n > in->max_bytes)
                return error_set(err, ERR_TOO_LARGE, "The image is larger than the %llu bytes allowed",
                                 (unsigned long long)in->max_bytes);
        int r = fd_write_all(file->fd, data, n);
        if (r < 0)
                return error_set_errno(err, r, "Writing the image");
        EVP_DigestUpdate(in->digest, data, n);
        file->size += n;
        in->size += n;
        return 0;
}

static int end_part(void *ctx, struct error *err _unused_)
{
        struct receive *in = ctx;
        in->current = -1;
        return 0;
}

static const struct multipart_events part_events = { begin_part, add_bytes, end_part };

/* Bytes, 0 at the end, or -errno. The daemon may hand over a socket that does not block. */
static ssize_t read_some(void *buf, size_t n)
{
        for (;;) {
                ssize_t got = read(STDIN_FILENO, buf, n);
                if (got >= 0)
                        return got;
                if (errno == EAGAIN)
                        poll(&(struct pollfd){ .fd = STDIN_FILENO, .events = POLLIN }, 1, -1);
                else if (errno != EINTR)
                        return -errno;
        }
}

static int read_upload(struct receive *in, struct multipart *m, struct error *err)
{
        _cleanup_free_ char *buf = xcalloc(1, READ_SIZE);
        uint64_t total = 0;
        ssize_t n;
        while ((n = read_some(buf, READ_SIZE)) > 0) {
                total += (uint64_t)n;
                int r = m ? multipart_feed(m, buf, (size_t)n, err) : add_bytes(in, buf, (size_t)n, err);
                if (r < 0)
                        return r;
                worker_progress_bytes("receive", total, in->length > 0 ? (uint64_t)in->length : 0);
        }
        if (n < 0)
                return error_set_errno(err, (int)n, "Reading the upload");
        if (in->length >= 0 && total != (uint64_t)in->length)
                return error_set(err, ERR_BAD_REQUEST, "The upload ended after %llu of %lld bytes",
                                 (unsigned long long)total, (long long)in->length);
        return m ? multipart_finish(m, err) : 0;
}

static int read_by_type(struct receive *in, struct error *err)
{
        struct multipart m;
        if (!multipart_is_type(in->content_type)) {
                in->current = SPOOL_META;
                in->n_files = 1;
                in->files[SPOOL_META].filename = xstrdup("");
                return read_upload(in, NULL, err);
        }
        int r = multipart_init(&m, in->content_type, &part_events, in, err);
        if (r == 0)
                r = read_upload(in, &m, err);
        multipart_done(&m);
        return r;
}

static int helper_receive(void *data, struct json_object **ret_result, struct error *err)
{
        struct receive *in = data;
        int r = read_by_type(in, err);
        if (r < 0)
                return r;
        for (int i = 0; i < in->n_files; i++) {
                if (in->files[i].size == 0)
                        return error_set(err, ERR_BAD_REQUEST, "The upload's %s is empty",
                                         i ? "rootfs" : "image");
                if (fsync(in->files[i].fd) < 0)
                        return error_set_errno(err, -errno, "Writing the image");
        }
        if (in->n_files == 0)
                return error_set(err, ERR_BAD_REQUEST, "The upload has no part \"metadata\"");
        *ret_result = spool_describe(in->digest, in->files, in->n_files);
        return 0;
}

static int create_files(struct receive *in, int spool_fd, struct error *err)
{
        for (int i = 0; i < _SPOOL_FILE_MAX; i++) {
                in->files[i].fd = openat(spool_fd, spool_file_names[i],
                                         O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
                if (in->files[i].fd < 0)
                        return error_set_errno(err, -errno, "Creating \"%s\" in the image spool",
                                               spool_file_names[i]);
        }
        return 0;
}

static int receive_into(struct receive *in, int spool_fd, struct json_object **ret_result, struct error *err)
{
        struct sandbox_spec spec = { .what = "Receiving the image",
                                     .root = SANDBOX_ROOT_EMPTY,
                                     .ids = sandbox_ids_nobody,
                                     .target_fd = -EBADF,
                                     .archive_fd = -EBADF,
                                     .n_fds = 3,
                                     .file_max_bytes = in->max_bytes,
                                     .run = helper_receive,
                                     .data = in };
        int r = create_files(in, spool_fd, err);
        if (r < 0)
                return r;
        spec.fds[0] = STDIN_FILENO;
        spec.fds[1] = in->files[SPOOL_META].fd;
        spec.fds[2] = in->files[SPOOL_ROOTFS].fd;
        r = sandbox_run(&spec, ret_result, err);
        if (r < 0)
                return r;
        struct json_object *files = json_get_array(*ret_result, "files");
        if (!files || json_object_array_length(files) < _SPOOL_FILE_MAX)
                unlinkat(spool_fd, spool_file_names[SPOOL_ROOTFS], 0);
        return fsync(spool_fd) < 0 ? error_set_errno(err, -errno, "Writing the image spool") : 0;
}

int job_image_receive(struct json_object *args, struct json_object **ret_result, struct error *err)
{
        struct receive in = { .files = { { .fd = -EBADF }, { .fd = -EBADF } }, .current = -1 };
        const char *spool;
        int r = job_get_path(args, "spool", &spool, err);
        if (r < 0)
                return r;
        _cleanup_close_ int spool_fd = job_open_dir(spool, err);
        if (spool_fd < 0)
                return spool_fd;
        in.content_type = json_get_string(args, "content_type", "application/octet-stream");
        in.length = json_get_int(args, "length", -1);
        in.max_bytes = (uint64_t)MAX(json_get_int(args, "max_bytes", (int64_t)GiB(64)), 1);
        in.digest = EVP_MD_CTX_new();
        /* Here and not in the child: the first use of a digest opens configuration files. */
        EVP_DigestInit_ex(in.digest, EVP_sha256(), NULL);
        effect_point(EFFECT_IMAGE_RECEIVE, EFFECT_BEFORE);
        r = receive_into(&in, spool_fd, ret_result, err);
        effect_point(EFFECT_IMAGE_RECEIVE, EFFECT_AFTER);
        for (int i = 0; i < _SPOOL_FILE_MAX; i++) {
                if (r < 0 && in.files[i].fd >= 0)
                        unlinkat(spool_fd, spool_file_names[i], 0);
                fd_close(in.files[i].fd);
        }
        EVP_MD_CTX_free(in.digest);
        return r;
}
