/* SPDX-License-Identifier: Apache-2.0 */
/* The job `layer-import`: a squashfs file becomes a layer without anybody looking inside it. */
#include "runtime/jobs.h"
#include "runtime/spec.h"
#include "base/alloc.h"
#include "base/effect.h"
#include "base/fd.h"
#include "base/worker.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
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

static int open_file(const char *path, uint64_t *ret_size, struct error *err)
{
        struct stat st;
        _cleanup_close_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_set_errno(err, -errno, "Opening \"%s\"", path);
        if (!S_ISREG(st.st_mode))
                return error_set(err, ERR_BAD_REQUEST, "\"%s\" is not a regular file", path);
        *ret_size = (uint64_t)st.st_size;
        return TAKE_FD(fd);
}

static int import_layer(const char *file, const char *target, const char **ret_method, struct error *err)
{
        const char *name;
        uint64_t size;
        int r;
        _cleanup_close_ int from = open_file(file, &size, err), dir_fd = -EBADF;
        if (from < 0)
                return from;
        dir_fd = job_open_parent(target, &name, err);
        if (dir_fd < 0)
                return dir_fd;
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

/* {"file","target"}: linked where both are on one file system, else cloned or copied; the file stays as it is. */
int job_layer_import(struct json_object *args, struct json_object **ret_result, struct error *err)
{
        const char *file, *target, *method;
        int r = job_get_path(args, "file", &file, err);
        if (r >= 0)
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
