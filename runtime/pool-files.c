/* SPDX-License-Identifier: Apache-2.0 */
/* What happens to single trees of a pool: a place to unpack into, the final name, the trash, the size. */
#include "runtime/jobs.h"
#include "runtime/spec.h"
#include "base/alloc.h"
#include "base/effect.h"
#include "base/fd.h"
#include "base/path.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEPTH_MAX 512

int job_get_path(struct json_object *args, const char *key, const char **ret, struct error *err)
{
        *ret = json_get_string(args, key, "");
        return spec_check_path(*ret, key, err);
}

int job_open_parent(const char *path, const char **ret_name, struct error *err)
{
        const char *slash = strrchr(path, '/');
        _cleanup_free_ char *dir = slash == path ? xstrdup("/") : xstrndup(path, (size_t)(slash - path));
        int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        *ret_name = slash + 1;
        return fd < 0 ? error_set_errno(err, -errno, "Opening \"%s\"", dir) : fd;
}

/* {"path","inner":"" or one name}: an empty directory, whatever an earlier try left there; in it the inner one. */
int job_layer_begin(struct json_object *args, struct json_object **ret_result _unused_, struct error *err)
{
        const char *path, *name, *inner = json_get_string(args, "inner", "");
        int r = job_get_path(args, "path", &path, err);
        if (r < 0)
                return r;
        if (strchr(inner, '/') || inner[0] == '.')
                return error_set(err, ERR_BAD_REQUEST, "inner: \"%s\" is no plain name", inner);
        _cleanup_close_ int dir = job_open_parent(path, &name, err);
        if (dir < 0)
                return dir;
        r = path_remove_tree(dir, name);
        if (r >= 0 && mkdirat(dir, name, *inner ? 0700 : 0755) < 0)
                r = -errno;
        _cleanup_free_ char *below = xasprintf("%s/%s", name, inner);
        if (r >= 0 && *inner && mkdirat(dir, below, 0755) < 0)
                r = -errno;
        return r < 0 ? error_set_errno(err, r, "Making the directory \"%s\"", path) : 0;
}

/* {"from","to"}: the tree is on disk before it has its name, so that a name never stands for half a tree. */
int job_layer_commit(struct json_object *args, struct json_object **ret_result _unused_, struct error *err)
{
        const char *from, *to, *from_name, *to_name;
        int r = job_get_path(args, "from", &from, err);
        if (r >= 0)
                r = job_get_path(args, "to", &to, err);
        if (r < 0)
                return r;
        _cleanup_close_ int from_dir = job_open_parent(from, &from_name, err);
        _cleanup_close_ int to_dir = from_dir < 0 ? -EBADF : job_open_parent(to, &to_name, err);
        if (from_dir < 0 || to_dir < 0)
                return from_dir < 0 ? from_dir : to_dir;
        r = syncfs(from_dir) < 0 ? -errno : 0;
        effect_point(EFFECT_LAYER_COMMIT, EFFECT_BEFORE);
        if (r >= 0 && renameat2(from_dir, from_name, to_dir, to_name, RENAME_NOREPLACE) < 0)
                r = -errno;
        if (r >= 0 && fsync(to_dir) < 0)
                r = -errno;
        effect_point(EFFECT_LAYER_COMMIT, EFFECT_AFTER);
        return r < 0 ? error_set_errno(err, r, "Moving \"%s\" to \"%s\"", from, to) : 0;
}

/* {"path","to"}: a volume or a layer goes out of sight at once. Gone already is done. */
int job_volume_trash(struct json_object *args, struct json_object **ret_result _unused_, struct error *err)
{
        const char *path, *to;
        int r = job_get_path(args, "path", &path, err);
        if (r >= 0)
                r = job_get_path(args, "to", &to, err);
        if (r < 0)
                return r;
        effect_point(EFFECT_VOLUME_TRASH, EFFECT_BEFORE);
        if (renameat2(AT_FDCWD, path, AT_FDCWD, to, RENAME_NOREPLACE) < 0 && errno != ENOENT)
                return error_set_errno(err, -errno, "Moving \"%s\" to the trash", path);
        effect_point(EFFECT_VOLUME_TRASH, EFFECT_AFTER);
        return 0;
}

/* Bytes on disk below a directory a guest filled; a hard link counts its part. Takes fd. */
static uint64_t usage_of(int take_fd, dev_t dev, unsigned depth)
{
        DIR *dir = fdopendir(take_fd);
        uint64_t bytes = 0;
        struct dirent *e;
        if (!dir) {
                fd_close(take_fd);
                return 0;
        }
        while (!worker_is_cancelled() && (e = readdir(dir))) {
                struct stat st;
                if (streq(e->d_name, ".") || streq(e->d_name, "..") ||
                    fstatat(take_fd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || st.st_dev != dev)
                        continue;
                bool is_dir = S_ISDIR(st.st_mode);
                bytes += (uint64_t)st.st_blocks * 512 / (is_dir ? 1 : MAX(st.st_nlink, (nlink_t)1));
                int fd = is_dir && depth < DEPTH_MAX ?
                                 openat(take_fd, e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) :
                                 -EBADF;
                if (fd >= 0)
                        bytes += usage_of(fd, dev, depth + 1);
        }
        closedir(dir);
        return bytes;
}

/* {"path"}: {"bytes":N}; a path that is not there uses nothing. */
int job_volume_usage(struct json_object *args, struct json_object **ret_result, struct error *err)
{
        const char *path;
        struct stat st;
        int r = job_get_path(args, "path", &path, err);
        if (r < 0)
                return r;
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 && errno != ENOENT)
                return error_set_errno(err, -errno, "Opening \"%s\"", path);
        *ret_result = json_object_new_object();
        bool is_there = fd >= 0 && fstat(fd, &st) == 0;
        json_set_int(*ret_result, "bytes", is_there ? (int64_t)usage_of(fd, st.st_dev, 0) : 0);
        return worker_is_cancelled() ? error_set(err, ERR_CANCELLED, "Cancelled") : 0;
}

/* {}: {"squashfs":bool}, whether the kernel has the file system (a module is loaded by asking). */
int job_layer_probe(struct json_object *args _unused_, struct json_object **ret_result, struct error *err _unused_)
{
        _cleanup_close_ int fd = fsopen("squashfs", FSOPEN_CLOEXEC);
        *ret_result = json_object_new_object();
        json_set_bool(*ret_result, "squashfs", fd >= 0);
        return 0;
}
