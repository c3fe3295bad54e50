/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What happens to an image's files once they are files: a spool directory, their final names, their end, the
 * way out. Nothing here looks inside one beyond its first bytes. An image is <dir>/<fingerprint> and, if its
 * root file system came apart, <dir>/<fingerprint>.rootfs; <dir>/spool holds what is on its way in.
 */
#include "runtime/jobs.h"
#include "runtime/spec.h"
#include "base/alloc.h"
#include "base/effect.h"
#include "base/fd.h"
#include "base/names.h"
#include "base/path.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#define FINGERPRINT_SIZE 64
#define ROOTFS_SUFFIX ".rootfs"

static int open_dir(const char *path, struct error *err)
{
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? error_set_errno(err, -errno, "Opening the directory \"%s\"", path) : fd;
}

/* {"path"}: an empty directory for one upload. */
int job_image_begin(struct json_object *args, struct json_object **ret_result _unused_, struct error *err)
{
        const char *path;
        int r = job_get_path(args, "path", &path, err);
        if (r < 0)
                return r;
        r = path_mkdir_all(path, 0700);
        return r < 0 ? error_set_errno(err, r, "Making the directory \"%s\"", path) : 0;
}

/* The ending people and clients expect on such a file; the bytes decide, not a name somebody sent. */
static const char *extension_of(int fd)
{
        static const struct {
                const char *magic;
                size_t n;
                const char *ext;
        } known[] = {
                { "\3757zXZ", 5, ".tar.xz" },
                { "\x1f\x8b", 2, ".tar.gz" },
                { "\x28\xb5\x2f\xfd", 4, ".tar.zst" },
                { "BZh", 3, ".tar.bz2" },
                { "\x5d\0\0", 3, ".tar.lzma" },
                { "hsqs", 4, ".squashfs" },
        };
        char head[8] = { 0 };
        if (pread(fd, head, sizeof head, 0) < 0)
                return "";
        for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                if (memcmp(head, known[i].magic, known[i].n) == 0)
                        return known[i].ext;
        return ".tar";
}

static int describe_file(int spool_fd, const char *name, struct json_object *result)
{
        struct stat st;
        _cleanup_free_ char *ext_key = xasprintf("%s_ext", name), *size_key = xasprintf("%s_size", name);
        _cleanup_close_ int fd = openat(spool_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;
        json_set_string(result, ext_key, extension_of(fd));
        json_set_int(result, size_key, st.st_size);
        return 0;
}

/* The rootfs first: the file with the plain name says that the image is whole. */
static int commit_files(int spool_fd, int dir_fd, const char *fingerprint, struct json_object *result)
{
        _cleanup_free_ char *rootfs = xasprintf("%s" ROOTFS_SUFFIX, fingerprint);
        int r = describe_file(spool_fd, "rootfs", result);
        if (r < 0 && r != -ENOENT)
                return r;
        if (r == 0 && renameat(spool_fd, "rootfs", dir_fd, rootfs) < 0)
                return -errno;
        r = describe_file(spool_fd, "meta", result);
        if (r == 0 && renameat(spool_fd, "meta", dir_fd, fingerprint) < 0)
                r = -errno;
        return r == 0 && fsync(dir_fd) < 0 ? -errno : r;
}

static int get_fingerprint(struct json_object *args, const char **ret, struct error *err)
{
        *ret = json_get_string(args, "fingerprint", "");
        int r = name_check_fingerprint(*ret, err);
        return r == 0 && strlen(*ret) != FINGERPRINT_SIZE
                       ? error_set(err, ERR_BAD_REQUEST, "fingerprint: all 64 digits are expected")
                       : r;
}

/*
 * {"spool","dir","fingerprint"}: the spool's files, which are on disk already, get their names.
 * {"meta_ext","meta_size"} and, of a split image, {"rootfs_ext","rootfs_size"}.
 */
int job_image_commit(struct json_object *args, struct json_object **ret_result, struct error *err)
{
        const char *spool, *dir, *fingerprint;
        int r = job_get_path(args, "spool", &spool, err);
        if (r >= 0)
                r = job_get_path(args, "dir", &dir, err);
        if (r >= 0)
                r = get_fingerprint(args, &fingerprint, err);
        if (r < 0)
                return r;
        _cleanup_close_ int spool_fd = open_dir(spool, err);
        _cleanup_close_ int dir_fd = spool_fd < 0 ? -EBADF : open_dir(dir, err);
        if (spool_fd < 0 || dir_fd < 0)
                return spool_fd < 0 ? spool_fd : dir_fd;
        *ret_result = json_object_new_object();
        effect_point(EFFECT_IMAGE_COMMIT, EFFECT_BEFORE);
        r = commit_files(spool_fd, dir_fd, fingerprint, *ret_result);
        effect_point(EFFECT_IMAGE_COMMIT, EFFECT_AFTER);
        if (r < 0)
                return error_set_errno(err, r, "Storing the image \"%.12s\"", fingerprint);
        rmdir(spool); /* what else is in it goes at the next start */
        return 0;
}

/* {"paths":[…]}: files or directories of the image store; gone already is done. */
int job_image_remove(struct json_object *args, struct json_object **ret_result _unused_, struct error *err)
{
        struct json_object *paths = json_get_array(args, "paths");
        effect_point(EFFECT_IMAGE_REMOVE, EFFECT_BEFORE);
        for (size_t i = 0; paths && i < json_object_array_length(paths); i++) {
                const char *path = json_object_get_string(json_object_array_get_idx(paths, i));
                int r = spec_check_path(path ? path : "", "paths", err);
                if (r < 0)
                        return r;
                const char *slash = strrchr(path, '/');
                _cleanup_free_ char *dir = xstrndup(path, (size_t)(slash - path));
                _cleanup_close_ int dir_fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                r = dir_fd < 0 ? -errno : path_remove_tree(dir_fd, slash + 1);
                if (r < 0 && r != -ENOENT)
                        return error_set_errno(err, r, "Removing \"%s\"", path);
        }
        effect_point(EFFECT_IMAGE_REMOVE, EFFECT_AFTER);
        return 0;
}

/* "<64 digits>" or the same with ".rootfs": only such a name is ever removed. */
static bool is_image_file(const char *name)
{
        return strspn(name, "0123456789abcdef") == FINGERPRINT_SIZE &&
               (!name[FINGERPRINT_SIZE] || streq(name + FINGERPRINT_SIZE, ROOTFS_SUFFIX));
}

static bool is_kept(struct json_object *keep, const char *name)
{
        for (size_t i = 0; keep && i < json_object_array_length(keep); i++)
                if (streq(json_object_get_string(json_object_array_get_idx(keep, i)), name))
                        return true;
        return false;
}

static int remove_unnamed(int dir_fd, struct json_object *keep, int *ret_removed)
{
        int copy = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = copy < 0 ? NULL : fdopendir(copy);
        struct dirent *e;
        if (!dir) {
                fd_close(copy);
                return -errno;
        }
        while ((e = readdir(dir)))
                if (is_image_file(e->d_name) && !is_kept(keep, e->d_name) &&
                    unlinkat(dir_fd, e->d_name, 0) == 0)
                        ++*ret_removed;
        closedir(dir);
        return 0;
}

static void add_missing(int dir_fd, struct json_object *keep, struct json_object *missing)
{
        struct stat st;
        for (size_t i = 0; keep && i < json_object_array_length(keep); i++) {
                const char *name = json_object_get_string(json_object_array_get_idx(keep, i));
                if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        json_array_add_string(missing, name);
        }
}

/*
 * {"dir","keep":[file names]}: empties the spool and removes the files no image names; makes both
 * directories.
 * {"removed":N,"missing":[file names]}.
 */
int job_image_sweep(struct json_object *args, struct json_object **ret_result, struct error *err)
{
        const char *path;
        int removed = 0;
        int r = job_get_path(args, "dir", &path, err);
        if (r >= 0 && (r = path_mkdir_all(path, 0700)) < 0)
                return error_set_errno(err, r, "Making the directory \"%s\"", path);
        if (r < 0)
                return r;
        struct json_object *keep = json_get_array(args, "keep"), *missing = json_object_new_array();
        *ret_result = json_object_new_object();
        json_set_take(*ret_result, "missing", missing);
        _cleanup_close_ int dir_fd = open_dir(path, err);
        if (dir_fd < 0)
                return dir_fd;
        r = path_remove_tree(dir_fd, "spool");
        if ((r == 0 || r == -ENOENT) && mkdirat(dir_fd, "spool", 0700) < 0)
                r = -errno;
        if (r == 0)
                r = remove_unnamed(dir_fd, keep, &removed);
        if (r < 0)
                return error_set_errno(err, r, "Tidying up \"%s\"", path);
        add_missing(dir_fd, keep, missing);
        json_set_int(*ret_result, "removed", removed);
        return 0;
}

static int send_file(const char *path, uint64_t size, struct error *err)
{
        struct stat st;
        _cleanup_close_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_set_errno(err, -errno, "Opening \"%s\"", path);
        if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size != size)
                return error_set(err, ERR_INTERNAL, "\"%s\" is not what was stored", path);
        for (uint64_t done = 0; done < size;) {
                ssize_t n = sendfile(STDOUT_FILENO, fd, NULL, MIN(size - done, MiB(1)));
                if (n < 0 && errno == EINTR && !worker_is_cancelled())
                        continue;
                if (n <= 0)
                        return error_set_errno(err, n < 0 ? -errno : -EIO, "Sending \"%s\"", path);
                done += (uint64_t)n;
        }
        return 0;
}

/* {"parts":[{"text"} or {"path","size"}]}: one after the other to descriptor 1. */
int job_image_send(struct json_object *args, struct json_object **ret_result _unused_, struct error *err)
{
        struct json_object *parts = json_get_array(args, "parts");
        for (size_t i = 0; parts && i < json_object_array_length(parts); i++) {
                const char *path;
                struct json_object *part = json_object_array_get_idx(parts, i);
                const char *text = json_get_string(part, "text", NULL);
                int r = text ? fd_write_all(STDOUT_FILENO, text, strlen(text))
                             : job_get_path(part, "path", &path, err);
                if (text && r < 0)
                        return error_set_errno(err, r, "Sending the image");
                if (!text && r >= 0)
                        r = send_file(path, (uint64_t)json_get_int(part, "size", 0), err);
                if (r < 0)
                        return r;
        }
        return 0;
}
