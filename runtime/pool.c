/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The directories of a storage pool: <pool>/{layers,instances,trash}. What may be removed is only ever one of these
 * three and what is in them; anything else found in a pool's directory is somebody's and stays.
 */
#include "runtime/jobs.h"
#include "runtime/mount-api.h"
#include "runtime/namespace.h"
#include "base/alloc.h"
#include "base/effect.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/time.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const parts[] = { "layers", "instances", "trash" };

/*
 * Whose pool it is. Written before anything else is made and removed after everything else, so that undoing what was
 * half made or half removed never takes the three directories of somebody else's pool for its own.
 */
#define ID_FILE ".pool"

static int get_path(struct json_object *args, const char **ret, struct error *err)
{
        *ret = json_get_string(args, "path", "");
        return spec_check_path(*ret, "path", err);
}

static int open_dir(int dir_fd, const char *path)
{
        int fd = openat(dir_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static int sync_dir(int dir_fd)
{
        return fsync(dir_fd) < 0 ? -errno : 0;
}

/* Calls fn for every entry. A name is only valid during the call. */
static int each_entry(int dir_fd, int (*fn)(void *data, int dir_fd, const char *name), void *data)
{
        int copy = open_dir(dir_fd, ".");
        DIR *dir = copy < 0 ? NULL : fdopendir(copy);
        if (!dir) {
                int r = copy < 0 ? copy : -errno;
                fd_close(copy);
                return r;
        }
        int r = 0;
        struct dirent *e;
        while (r == 0 && (e = readdir(dir)))
                if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
                        r = fn(data, dir_fd, e->d_name);
        closedir(dir);
        return r;
}

/* An empty id: the caller asks for no proof. */
static bool is_ours(int pool_fd, const char *id)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        return str_empty(id) || (path_read_file(pool_fd, ID_FILE, 256, &b) == 0 && streq(strbuf_str(&b), id));
}

static int remove_parts(int pool_fd)
{
        int r = path_remove_tree(pool_fd, ".probe");
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(parts); i++)
                r = path_remove_tree(pool_fd, parts[i]);
        if (r < 0)
                return r;
        return unlinkat(pool_fd, ID_FILE, 0) < 0 && errno != ENOENT ? -errno : 0;
}

static int refuse_entry(void *data _unused_, int dir_fd _unused_, const char *name)
{
        return streq(name, "lost+found") ? 0 : -ENOTEMPTY; /* a new ext4 has one */
}

/* Whether containers' ids can be mapped on what the directory is on: tried on a copy that is attached nowhere. */
static int check_idmap(int pool_fd, const char *path, struct error *err)
{
        static const struct spec_idmap any = { .base = 1000000, .size = 65536 };
        _cleanup_close_ int user = namespace_make_user(&any);
        if (user < 0)
                return error_set_errno(err, user, "Making a user namespace");
        _cleanup_close_ int copy = mount_clone(pool_fd, "", false);
        int r = copy < 0 ? copy : mount_set(copy, 0, 0, user, false);
        if (r == -EINVAL || r == -EOPNOTSUPP) {
                error_set(err, ERR_UNSUPPORTED, "The file system of \"%s\" does not support id-mapped mounts", path);
                return error_hint(err, "Choose a source on ext4, xfs or btrfs, or a newer kernel");
        }
        return r < 0 ? error_set_errno(err, r, "Mapping ids on \"%s\"", path) : 0;
}

static const char *const probe_parts[] = { "lower", "upper", "work" };

/* A writable overlay with its upper directory here; relative names, because old kernels split paths at ':' and ','. */
static int try_overlay(void)
{
        static const struct mount_option options[] = { { "lowerdir", "lower" }, { "upperdir", "upper" },
                                                       { "workdir", "work" },   { "redirect_dir", "nofollow" },
                                                       { "metacopy", "off" },   {} };
        for (size_t i = 0; i < ARRAY_SIZE(probe_parts); i++)
                if (mkdir(probe_parts[i], 0700) < 0)
                        return -errno;
        _cleanup_close_ int mount_fd = mount_new("overlay", MOUNT_ATTR_NODEV | MOUNT_ATTR_NOSUID, options);
        if (mount_fd < 0)
                return mount_fd;
        /* An unfit upper gives a mount that is read-only without a word. */
        _cleanup_close_ int file = openat(mount_fd, "file", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
        return file < 0 ? -errno : 0;
}

static int check_overlay(int pool_fd, const char *path, struct error *err)
{
        path_remove_tree(pool_fd, ".probe");
        if (mkdirat(pool_fd, ".probe", 0700) < 0)
                return error_set_errno(err, -errno, "Writing to \"%s\"", path);
        _cleanup_close_ int probe = open_dir(pool_fd, ".probe");
        int r = probe < 0 ? probe : fchdir(probe) < 0 ? -errno : try_overlay();
        if (chdir("/") < 0)
                r = -errno;
        path_remove_tree(pool_fd, ".probe");
        if (r == -ENOSPC || r == -EDQUOT || r >= 0)
                return r < 0 ? error_set_errno(err, r, "Writing to \"%s\"", path) : 0;
        error_set(err, ERR_UNSUPPORTED, "An overlay cannot write to the file system of \"%s\": %s", path, strerror(-r));
        return error_hint(err, "Choose a source on ext4, xfs, btrfs or tmpfs, or the driver \"dir\"");
}

/*
 * Layers have nothing to do with each other. ext4 then gives each a part of the disk of its own: beside one that was
 * deleted a moment ago it would pass by each of its inodes, for each new file. A file system without such a flag is as well.
 */
static void spread(int pool_fd, const char *part)
{
        int flags;
        _cleanup_close_ int fd = open_dir(pool_fd, part);
        if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
                return;
        flags |= FS_TOPDIR_FL;
        (void)!ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

static int make_parts(int pool_fd, const char *path, struct error *err)
{
        int r = 0;
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(parts); i++)
                r = mkdirat(pool_fd, parts[i], 0700) < 0 ? -errno : 0;
        if (r >= 0) {
                spread(pool_fd, "layers");
                r = sync_dir(pool_fd);
        }
        return r < 0 ? error_set_errno(err, r, "Making the directories of \"%s\"", path) : 0;
}

/* A creation of the same pool that was cut short is begun anew. */
static int claim_pool(int pool_fd, const char *path, const char *id, struct error *err)
{
        int r = !str_empty(id) && is_ours(pool_fd, id) ? remove_parts(pool_fd) : 0;
        if (r >= 0 && each_entry(pool_fd, refuse_entry, NULL) < 0)
                return error_set(err, ERR_BAD_REQUEST, "The directory \"%s\" is not empty", path);
        if (r >= 0 && !str_empty(id))
                r = path_write_atomic(pool_fd, ID_FILE, id, strlen(id), 0600);
        return r < 0 ? error_set_errno(err, r, "Writing to \"%s\"", path) : 0;
}

static int fill_pool(const char *path, const char *id, bool is_overlay, struct error *err)
{
        _cleanup_close_ int pool = open_dir(AT_FDCWD, path);
        if (pool < 0)
                return error_set_errno(err, pool, "Opening \"%s\"", path);
        int r = claim_pool(pool, path, id, err);
        if (r < 0)
                return r;
        r = check_idmap(pool, path, err);
        if (r >= 0 && is_overlay)
                r = check_overlay(pool, path, err);
        if (r >= 0)
                r = make_parts(pool, path, err);
        if (r < 0)
                remove_parts(pool);
        return r;
}

/* {"path","id","overlay":bool}: the directory may exist and must be empty then. */
int job_pool_create(struct json_object *args, struct json_object **ret_result _unused_, struct error *err)
{
        const char *path;
        int r = get_path(args, &path, err);
        if (r < 0)
                return r;
        bool is_new = access(path, F_OK) < 0;
        effect_point(EFFECT_POOL_CREATE, EFFECT_BEFORE);
        /* 0711: its parts are closed, and a daemon's directory may be walked through. */
        r = path_mkdir_all(path, 0711);
        if (r < 0)
                return error_set_errno(err, r, "Making the directory \"%s\"", path);
        r = fill_pool(path, json_get_string(args, "id", ""), json_get_bool(args, "overlay", false), err);
        if (r < 0 && is_new)
                rmdir(path);
        effect_point(EFFECT_POOL_CREATE, EFFECT_AFTER);
        return r;
}

static int unmount_all(struct json_object *targets, struct error *err)
{
        for (size_t i = 0; targets && i < json_object_array_length(targets); i++) {
                const char *target = json_object_get_string(json_object_array_get_idx(targets, i));
                if (target && umount2(target, UMOUNT_NOFOLLOW) < 0 && errno != EINVAL && errno != ENOENT)
                        return error_set_errno(err, -errno, "Unmounting \"%s\"", target);
                if (target)
                        rmdir(target);
        }
        return 0;
}

/*
 * {"path","id","unmount":[layer mounts],"mounts":their directory,"remove_root":bool}: idempotent, and right for a pool
 * that was half made. A directory that does not bear the id is left as it is.
 */
int job_pool_delete(struct json_object *args, struct json_object **ret_result _unused_, struct error *err)
{
        const char *path;
        int r = get_path(args, &path, err);
        if (r >= 0)
                r = unmount_all(json_get_array(args, "unmount"), err);
        if (r < 0)
                return r;
        rmdir(json_get_string(args, "mounts", ""));
        _cleanup_close_ int pool = open_dir(AT_FDCWD, path);
        if (pool == -ENOENT)
                return 0;
        if (pool < 0)
                return error_set_errno(err, pool, "Opening \"%s\"", path);
        effect_point(EFFECT_POOL_DELETE, EFFECT_BEFORE);
        r = is_ours(pool, json_get_string(args, "id", "")) ? remove_parts(pool) : 0;
        if (r < 0)
                return error_set_errno(err, r, "Removing what is in \"%s\"", path);
        /* Something of somebody else's may be there: then the directory stays, which is no failure. */
        if (json_get_bool(args, "remove_root", false))
                rmdir(path);
        effect_point(EFFECT_POOL_DELETE, EFFECT_AFTER);
        return 0;
}

struct sweep {
        struct json_object *keep; /* NULL: nothing */
        int trash_fd;
        int64_t n_moved;
};

static bool is_kept(struct json_object *keep, const char *name)
{
        for (size_t i = 0; keep && i < json_object_array_length(keep); i++)
                if (streq(json_object_get_string(json_object_array_get_idx(keep, i)), name))
                        return true;
        return false;
}

static int sweep_entry(void *data, int dir_fd, const char *name)
{
        struct sweep *s = data;
        if (is_kept(s->keep, name))
                return 0;
        _cleanup_free_ char *to = xasprintf("%s-%" PRId64, name, time_now_ns());
        s->n_moved++;
        return renameat(dir_fd, name, s->trash_fd, to) < 0 ? -errno : 0;
}

static int sweep_part(int pool_fd, const char *part, struct sweep *s)
{
        _cleanup_close_ int fd = path_open_beneath(pool_fd, part, O_RDONLY | O_DIRECTORY, 0);
        return fd < 0 ? fd : each_entry(fd, sweep_entry, s);
}

static struct json_object *missing(int pool_fd, const char *part, struct json_object *names)
{
        struct json_object *list = json_object_new_array();
        _cleanup_close_ int fd = path_open_beneath(pool_fd, part, O_RDONLY | O_DIRECTORY, 0);
        struct stat st;
        for (size_t i = 0; names && i < json_object_array_length(names); i++) {
                const char *name = json_object_get_string(json_object_array_get_idx(names, i));
                if (fd < 0 || fstatat(fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        json_array_add_string(list, name);
        }
        return list;
}

static int sweep(int pool_fd, struct json_object *args, int64_t *ret_moved)
{
        int r = 0;
        _cleanup_close_ int trash = path_open_beneath(pool_fd, "trash", O_RDONLY | O_DIRECTORY, 0);
        if (trash < 0)
                return trash;
        *ret_moved = 0;
        for (size_t i = 0; r >= 0 && !streq(parts[i], "trash"); i++) {
                struct sweep s = { .keep = json_get_array(args, parts[i]), .trash_fd = trash };
                r = sweep_part(pool_fd, parts[i], &s);
                *ret_moved += s.n_moved;
        }
        return r;
}

/*
 * {"path","layers":[file names],"instances":[directory names]}: moves everything in layers/ and instances/ that is not
 * listed into trash/: quick, so that the daemon can wait for it before it answers anybody.
 * Result: {"moved":N,"missing":[layers that are listed and not there]}.
 */
int job_pool_sweep(struct json_object *args, struct json_object **ret_result, struct error *err)
{
        const char *path;
        int64_t n_moved;
        int r = get_path(args, &path, err);
        if (r < 0)
                return r;
        _cleanup_close_ int pool = open_dir(AT_FDCWD, path);
        r = pool < 0 ? pool : sweep(pool, args, &n_moved);
        if (r < 0)
                return error_set_errno(err, r, "Tidying \"%s\"", path);
        *ret_result = json_object_new_object();
        json_set_int(*ret_result, "moved", n_moved);
        json_set_take(*ret_result, "missing", missing(pool, "layers", json_get_array(args, "layers")));
        return 0;
}

static int remove_entry(void *data _unused_, int dir_fd, const char *name)
{
        return worker_is_cancelled() ? -ECANCELED : path_remove_tree(dir_fd, name);
}

/* {"path"}: a pool's trash directory. Another of these may be at work in it. */
int job_trash_empty(struct json_object *args, struct json_object **ret_result _unused_, struct error *err)
{
        const char *path;
        int r = get_path(args, &path, err);
        if (r < 0)
                return r;
        _cleanup_close_ int fd = open_dir(AT_FDCWD, path);
        r = fd < 0 ? fd : each_entry(fd, remove_entry, NULL);
        return r < 0 ? error_set_errno(err, r, "Emptying \"%s\"", path) : 0;
}
