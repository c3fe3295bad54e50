/* SPDX-License-Identifier: Apache-2.0 */
#include "base/path.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/strbuf.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static int open_resolved(int dir_fd, const char *path, int flags, mode_t mode, uint64_t resolve)
{
        struct open_how how = { .flags = (uint64_t)(flags | O_CLOEXEC),
                                .mode = flags & (O_CREAT | O_TMPFILE) ? mode : 0,
                                .resolve = resolve };
        for (int tries = 0;; tries++) {
                long fd = syscall(SYS_openat2, dir_fd, path, &how, sizeof how);
                if (fd >= 0)
                        return (int)fd;
                /* EAGAIN: a rename raced the walk through ".."; the kernel asks for another try */
                if (errno != EAGAIN || tries == 16)
                        return -errno;
        }
}

int path_open_beneath(int dir_fd, const char *path, int flags, mode_t mode)
{
        return open_resolved(dir_fd, path, flags, mode,
                             RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS);
}

int path_open_inroot(int root_fd, const char *path, int flags, mode_t mode)
{
        return open_resolved(root_fd, path, flags, mode, RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS);
}

int path_mkdir_all(const char *path, mode_t mode)
{
        _cleanup_free_ char *copy = xstrdup(path);
        for (char *p = copy + 1;; p++) {
                if (*p && *p != '/')
                        continue;
                char c = *p;
                *p = '\0';
                if (mkdir(copy, mode) < 0 && errno != EEXIST)
                        return -errno;
                *p = c;
                if (!c)
                        return 0;
        }
}

/*
 * A guest may nest directories deeper than descriptors or stack reach. Below DEPTH_MAX a directory is moved up to the
 * top of the tree that is being removed, where the next round finds it.
 */
#define DEPTH_MAX 64

struct removal {
        int top_fd;
        dev_t dev;
        unsigned n_moved;
};

static int remove_below(struct removal *rm, int take_fd, unsigned depth);

static void clear_flags(int dir_fd, const char *name)
{
        struct stat st;
        int flags;
        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
                return;
        _cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
        if (fd < 0 || ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0)
                return;
        flags &= ~(FS_IMMUTABLE_FL | FS_APPEND_FL);
        (void)!ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

/* Of a privileged guest's tree, in which nothing may be removed from, or moved out of, what chattr has made immutable. */
static int unlink_entry(int dir_fd, const char *name, int flags)
{
        if (unlinkat(dir_fd, name, flags) == 0)
                return 0;
        if (errno != EPERM)
                return -errno;
        clear_flags(dir_fd, ".");
        clear_flags(dir_fd, name);
        return unlinkat(dir_fd, name, flags) < 0 ? -errno : 0;
}

static int move_up(struct removal *rm, int dir_fd, const char *name)
{
        for (int tries = 0; tries < 1000; tries++) {
                char to[32];
                snprintf(to, sizeof to, ".deep-%u", rm->n_moved++);
                if (renameat(dir_fd, name, rm->top_fd, to) == 0)
                        return 0;
                /* The name is taken by something of the guest's. */
                if (errno != ENOTEMPTY && errno != EEXIST && errno != ENOTDIR)
                        return -errno;
        }
        return -EEXIST;
}

static int remove_entry(struct removal *rm, int dir_fd, const char *name, unsigned depth)
{
        int r = unlink_entry(dir_fd, name, 0);
        if (r != -EISDIR)
                return r == -ENOENT ? 0 : r;
        if (depth >= DEPTH_MAX)
                return move_up(rm, dir_fd, name);
        int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        r = remove_below(rm, fd, depth + 1);
        if (r == 0)
                r = unlink_entry(dir_fd, name, AT_REMOVEDIR);
        return r == -ENOENT ? 0 : r;
}

static int remove_below(struct removal *rm, int take_fd, unsigned depth)
{
        struct stat st;
        if (fstat(take_fd, &st) < 0 || st.st_dev != rm->dev) {
                fd_close(take_fd);
                return -EXDEV;
        }
        DIR *dir = fdopendir(take_fd);
        if (!dir) {
                fd_close(take_fd);
                return -errno;
        }
        int r = 0;
        struct dirent *e;
        while (r == 0 && (e = readdir(dir)))
                if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
                        r = remove_entry(rm, take_fd, e->d_name, depth);
        closedir(dir);
        return r;
}

static int remove_rounds(struct removal *rm, int dir_fd, const char *name)
{
        for (;;) {
                unsigned before = rm->n_moved;
                int fd = openat(rm->top_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                int r = fd < 0 ? -errno : remove_below(rm, fd, 0);
                if (r < 0)
                        return r;
                r = unlink_entry(dir_fd, name, AT_REMOVEDIR);
                if (r == 0 || r == -ENOENT)
                        return 0;
                if (r != -ENOTEMPTY || rm->n_moved == before)
                        return r;
        }
}

int path_remove_tree(int dir_fd, const char *name)
{
        struct stat st;
        if (fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                return errno == ENOENT ? 0 : -errno;
        if (!S_ISDIR(st.st_mode)) {
                int r = unlink_entry(dir_fd, name, 0);
                return r == -ENOENT ? 0 : r;
        }
        _cleanup_close_ int top = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (top < 0)
                return -errno;
        struct removal rm = { .top_fd = top, .dev = st.st_dev };
        return remove_rounds(&rm, dir_fd, name);
}

int path_read_file(int dir_fd, const char *path, size_t max, struct strbuf *out)
{
        _cleanup_close_ int fd = openat(dir_fd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NOFOLLOW);
        if (fd < 0)
                return -errno;
        return fd_read_to_end(fd, out, max);
}

int path_write_atomic(int dir_fd, const char *name, const void *data, size_t n, mode_t mode)
{
        _cleanup_free_ char *tmp = xasprintf(".%s.new", name);
        _cleanup_close_ int fd = openat(dir_fd, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
        if (fd < 0)
                return -errno;
        int r = fd_write_all(fd, data, n);
        if (r == 0 && fsync(fd) < 0)
                r = -errno;
        if (r == 0 && renameat(dir_fd, tmp, dir_fd, name) < 0)
                r = -errno;
        if (r < 0) {
                unlinkat(dir_fd, tmp, 0);
                return r;
        }
        _cleanup_close_ int dir = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return dir < 0 || fsync(dir) < 0 ? -errno : 0;
}

int path_write_value(int dir_fd, const char *path, const char *value)
{
        _cleanup_close_ int fd = openat(dir_fd, path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return -errno;
        return write(fd, value, strlen(value)) < 0 ? -errno : 0;
}
