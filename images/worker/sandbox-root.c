/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order matters. Mounts are made while we are still the host's root in a mount namespace the host's user
 * namespace owns: after setns() into the job's user namespace not one of them can be changed, remounted or
 * uncovered, because no capability of that namespace reaches them.
 */
#include "base/alloc.h"
#include "base/fd.h"
#include "images/worker/sandbox-internal.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* glibc 2.36 has these in <sys/mount.h>, which cannot be included together with <linux/mount.h>. */
int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);
int umount2(const char *target, int flags);
#define PROPAGATION_PRIVATE (1ul << 18)                             /* MS_PRIVATE */
#define MOUNT_RECURSIVE_PRIVATE ((1ul << 14) | PROPAGATION_PRIVATE) /* with MS_REC */
#define UMOUNT_DETACH 2                                             /* MNT_DETACH */
#define MS_SAFE (2ul | 4ul | 8ul)                                   /* MS_NOSUID | MS_NODEV | MS_NOEXEC */

static int attach(int mount_fd, const char *where)
{
        return syscall(SYS_move_mount, mount_fd, "", AT_FDCWD, where, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno
                                                                                                   : 0;
}

/*
 * A detached copy of the mount under fd (or path) with attributes; with userns_fd >= 0 id-mapped. It would
 * stay a peer of a shared one (systemd shares the host's root), which pivot_root refuses.
 */
static int clone_mount(int fd, const char *path, uint64_t attributes, int userns_fd)
{
        struct mount_attr attr = { .attr_set = attributes, .propagation = PROPAGATION_PRIVATE };
        int flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (*path ? AT_RECURSIVE : AT_EMPTY_PATH);
        _cleanup_close_ int mount_fd = (int)syscall(SYS_open_tree, fd, path, flags);
        if (mount_fd < 0)
                return -errno;
        if (userns_fd >= 0) {
                attr.attr_set |= MOUNT_ATTR_IDMAP;
                attr.userns_fd = (uint64_t)userns_fd;
        }
        flags = AT_EMPTY_PATH | (*path ? AT_RECURSIVE : 0);
        if (syscall(SYS_mount_setattr, mount_fd, "", flags, &attr, sizeof attr) < 0)
                return -errno;
        return TAKE_FD(mount_fd);
}

static int new_tmpfs(uint64_t attributes)
{
        _cleanup_close_ int fs = (int)syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
        if (fs < 0 || syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "size", "1m", 0) < 0 ||
            syscall(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "mode", "0755", 0) < 0 ||
            syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
                return -errno;
        int fd = (int)syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attributes);
        return fd < 0 ? -errno : fd;
}

/* /bin, /lib and the like: links into /usr on a merged system, directories on others. */
static int add_program_dir(const char *name)
{
        char target[256];
        _cleanup_free_ char *path = xasprintf("/%s", name);
        ssize_t n = readlink(path, target, sizeof target - 1);
        if (n > 0) {
                target[n] = '\0';
                return symlink(target, name) < 0 ? -errno : 0;
        }
        if (n < 0 && errno == ENOENT)
                return 0;
        _cleanup_close_ int fd =
                clone_mount(AT_FDCWD, path, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, -EBADF);
        if (fd < 0)
                return fd;
        return mkdir(name, 0755) < 0 ? -errno : attach(fd, name);
}

static int add_programs(void)
{
        static const char *const dirs[] = { "usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32" };
        int r = 0;
        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(dirs); i++)
                r = add_program_dir(dirs[i]);
        return r;
}

static int add_archive(int mount_fd)
{
        if (mount_fd < 0)
                return 0;
        _cleanup_close_ int file = open("archive", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        return file < 0 ? -errno : attach(mount_fd, "archive");
}

static int add_target(int mount_fd)
{
        if (mount_fd < 0)
                return 0;
        return mkdir("target", 0755) < 0 ? -errno : attach(mount_fd, "target");
}

void sandbox_mounts_done(struct sandbox_mounts *m)
{
        fd_reset(&m->target_fd);
        fd_reset(&m->archive_fd);
}

int sandbox_mounts_prepare(const struct sandbox_spec *spec, int userns_fd, struct sandbox_mounts *ret)
{
        uint64_t target = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;
        uint64_t archive = target | MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC;
        if (spec->root == SANDBOX_ROOT_TARGET)
                target |= MOUNT_ATTR_NOEXEC;
        if (spec->target_fd >= 0 &&
            (ret->target_fd = clone_mount(spec->target_fd, "", target, userns_fd)) < 0)
                return ret->target_fd;
        if (spec->archive_fd >= 0 &&
            (ret->archive_fd = clone_mount(spec->archive_fd, "", archive, userns_fd)) < 0)
                return ret->archive_fd;
        return 0;
}

/* The new root lies on top of "/" until pivot_root; from here on relative paths mean the new one. */
static int start_root(int root_fd)
{
        int r = attach(root_fd, "/");
        if (r < 0)
                return r;
        return fchdir(root_fd) < 0 ? -errno : 0;
}

static int pivot(void)
{
        if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", UMOUNT_DETACH) < 0)
                return -errno;
        return chdir("/") < 0 ? -errno : 0;
}

static int make_root_read_only(void)
{
        struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
        return syscall(SYS_mount_setattr, AT_FDCWD, "/", 0, &attr, sizeof attr) < 0 ? -errno : 0;
}

/* The host's file or directory under the same name in the new root. */
static int bind_from_host(const char *name, uint64_t attributes)
{
        struct stat st;
        _cleanup_free_ char *path = xasprintf("/%s", name);
        /* Followed: /etc/resolv.conf is often a link to where its owner keeps it. */
        if (stat(path, &st) < 0)
                return errno == ENOENT ? 0 : -errno;
        _cleanup_close_ int host = open(path, O_PATH | O_CLOEXEC);
        _cleanup_close_ int fd = host < 0 ? -errno : clone_mount(host, "", attributes, -EBADF);
        if (fd < 0)
                return fd;
        if (S_ISDIR(st.st_mode))
                return mkdir(name, 0755) < 0 ? -errno : attach(fd, name);
        _cleanup_close_ int file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        return file < 0 ? -errno : attach(fd, name);
}

/* Only world-readable parts of /etc: what apt, gpg and the resolver need. A part the host does not have is
 * left out. */
static int add_etc(void)
{
        static const char *const parts[] = { "etc/apt",           "etc/resolv.conf", "etc/hosts",
                                             "etc/nsswitch.conf", "etc/ssl",         "etc/passwd",
                                             "etc/group",         "etc/ld.so.cache", "etc/dpkg",
                                             "etc/perl",          "etc/os-release",  "etc/gai.conf",
                                             "etc/alternatives",  "etc/services",    "etc/debian_version" };
        int r = mkdir("etc", 0755) < 0 ? -errno : 0;
        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(parts); i++)
                r = bind_from_host(parts[i], MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
        return r;
}

static int add_dev(void)
{
        static const char *const nodes[] = { "dev/null",   "dev/zero",    "dev/full",
                                             "dev/random", "dev/urandom", "dev/tty" };
        int r = mkdir("dev", 0755) < 0 ? -errno : 0;
        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(nodes); i++)
                r = bind_from_host(nodes[i], MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
        if (r == 0 && symlink("/proc/self/fd", "dev/fd") < 0)
                r = -errno;
        return r;
}

/*
 * The kernel lets a user namespace mount proc only where it can already see a whole one, so the host's lies
 * below the build's own; read-only, and the ids inside own nothing in it.
 */
static int add_kernel_trees(void)
{
        int r = bind_from_host("proc", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
        if (r == 0)
                r = mkdir("sys", 0755) < 0 || mkdir("tmp", 0755) < 0 || mkdir("run", 0755) < 0 ? -errno : 0;
        return r;
}

static int add_build_parts(void)
{
        static const char *const var[] = { "var", "var/lib", "var/cache", "var/tmp", "var/log" };
        int r = add_etc();
        if (r == 0)
                r = add_dev();
        if (r == 0)
                r = add_kernel_trees();
        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(var); i++)
                r = mkdir(var[i], 0755) < 0 ? -errno : 0;
        return r < 0 ? r
                     : bind_from_host("var/lib/dpkg",
                                      MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
}

/* The last step, with the namespace's own rights: what the build may unmount and change. */
int sandbox_finish_build_root(void)
{
        if (mount("proc", "/proc", "proc", MS_SAFE, NULL) < 0 ||
            mount("tmpfs", "/tmp", "tmpfs", MS_SAFE, "mode=1777") < 0)
                return -errno;
        return 0;
}

static int enter_tools_root(const struct sandbox_mounts *m, bool is_build)
{
        _cleanup_close_ int fd = new_tmpfs(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
        if (fd < 0)
                return fd;
        int r = start_root(fd);
        if (r == 0)
                r = add_programs();
        if (r == 0)
                r = add_archive(m->archive_fd);
        if (r == 0)
                r = add_target(m->target_fd);
        if (r == 0 && is_build)
                r = add_build_parts();
        if (r == 0)
                r = pivot();
        return r < 0 ? r : make_root_read_only();
}

static int enter_target_root(const struct sandbox_mounts *m)
{
        int r = start_root(m->target_fd);
        return r < 0 ? r : pivot();
}

static int enter_empty_root(void)
{
        _cleanup_close_ int fd =
                new_tmpfs(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY);
        if (fd < 0)
                return fd;
        int r = start_root(fd);
        return r < 0 ? r : pivot();
}

int sandbox_enter_root(const struct sandbox_spec *spec, const struct sandbox_mounts *m)
{
        if (mount("none", "/", NULL, MOUNT_RECURSIVE_PRIVATE, NULL) < 0)
                return -errno;
        switch (spec->root) {
        case SANDBOX_ROOT_TOOLS:
        case SANDBOX_ROOT_BUILD:
                return enter_tools_root(m, spec->root == SANDBOX_ROOT_BUILD);
        case SANDBOX_ROOT_TARGET:
                return enter_target_root(m);
        default:
                return enter_empty_root();
        }
}
