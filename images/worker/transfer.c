/* SPDX-License-Identifier: Apache-2.0 */
/* The two jobs that only move bytes the daemon already trusts as bytes: nothing here looks inside a file. */
#include "base/alloc.h"
#include "base/fd.h"
#include "base/effect.h"
#include "base/worker.h"
#include "images/worker/job.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <unistd.h>

static int copy_bytes(int from, int to, uint64_t size, struct error *err)
{
        for (uint64_t done = 0; done < size;) {
                if (worker_is_cancelled())
                        return error_set(err, ERR_CANCELLED, "Copying the layer: cancelled");
                ssize_t n = sendfile(to, from, NULL, MiB(8));
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return error_set_errno(err, n < 0 ? -errno : -EIO, "Copying the layer");
                done += (uint64_t)n;
                worker_progress_bytes("import", done, size);
        }
        return 0;
}

/* A clone shares the blocks where the file system can; a copy is what is left. */
static int fill(int from, int to, uint64_t size, struct error *err)
{
        int r = ioctl(to, FICLONE, from) == 0 ? 0 : copy_bytes(from, to, size, err);
        if (r == 0 && fsync(to) < 0)
                r = error_set_errno(err, -errno, "Writing the layer");
        return r;
}

static int copy_into(int from, uint64_t size, int dir_fd, const char *name, struct error *err)
{
        _cleanup_free_ char *tmp = xasprintf(".%s.new", name);
        unlinkat(dir_fd, tmp, 0);
        _cleanup_close_ int to =
                openat(dir_fd, tmp, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (to < 0)
                return error_set_errno(err, -errno, "Creating the layer \"%s\"", name);
        int r = fill(from, to, size, err);
        if (r == 0 && renameat2(dir_fd, tmp, dir_fd, name, RENAME_NOREPLACE) < 0)
                r = error_set_errno(err, -errno, "Creating the layer \"%s\"", name);
        if (r < 0)
                unlinkat(dir_fd, tmp, 0);
        return r;
}

static int import_layer(const char *file, const char *target, const char **ret_method, struct error *err)
{
        _cleanup_close_ int dir_fd = -EBADF;
        const char *name;
        uint64_t size;
        _cleanup_close_ int from = job_open_file(file, &size, err);
        if (from < 0)
                return from;
        int r = job_open_parent(target, &dir_fd, &name, err);
        if (r < 0)
                return r;
        *ret_method = "link";
        if (linkat(AT_FDCWD, file, dir_fd, name, 0) < 0) {
                if (errno != EXDEV && errno != EPERM && errno != EMLINK && errno != EOPNOTSUPP)
                        return error_set_errno(err, -errno, "Creating the layer \"%s\"", name);
                *ret_method = "copy";
                if ((r = copy_into(from, size, dir_fd, name, err)) < 0)
                        return r;
        }
        return fsync(dir_fd) < 0 ? error_set_errno(err, -errno, "Writing the layer \"%s\"", name) : 0;
}

int job_layer_import(struct json_object *args, struct json_object **ret_result, struct error *err)
{
        const char *file, *target, *method;
        int r = job_get_path(args, "file", &file, err);
        if (r == 0)
                r = job_get_path(args, "target", &target, err);
        if (r < 0)
                return r;
        effect_point(EFFECT_LAYER_COMMIT, EFFECT_BEFORE);
        r = import_layer(file, target, &method, err);
        if (r < 0)
                return r;
        effect_point(EFFECT_LAYER_COMMIT, EFFECT_AFTER);
        *ret_result = json_object_new_object();
        json_set_string(*ret_result, "method", method);
        return 0;
}

int job_file_send(struct json_object *args, struct json_object **ret_result, struct error *err)
{
        const char *path;
        uint64_t size, done = 0;
        int r = job_get_path(args, "path", &path, err);
        if (r < 0)
                return r;
        _cleanup_close_ int fd = job_open_file(path, &size, err);
        if (fd < 0)
                return fd;
        while (done < size) {
                if (worker_is_cancelled())
                        return error_set(err, ERR_CANCELLED, "Sending the file: cancelled");
                ssize_t n = sendfile(STDOUT_FILENO, fd, NULL, MiB(1));
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return error_set_errno(err, n < 0 ? -errno : -EIO, "Sending the file");
                done += (uint64_t)n;
        }
        *ret_result = json_object_new_object();
        json_set_int(*ret_result, "bytes", (int64_t)done);
        return 0;
}
