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
#include <grp.h>
#include <linux/capability.h>
#include <linux/mount.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* glibc 2.36 has these in <sys/mount.h>, which cannot be included together with <linux/mount.h>. */
int mount(const char *source, const char *target, const char *type, unsigned long flags, const void *data);
int umount2(const char *target, int flags);
#define MOUNT_RECURSIVE_PRIVATE ((1ul << 14) | (1ul << 18)) /* MS_REC | MS_PRIVATE */
#define UMOUNT_DETACH 2                                     /* MNT_DETACH */

static int attach(int mount_fd, const char *where)
{
        return syscall(SYS_move_mount, mount_fd, "", AT_FDCWD, where, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
}

/* A detached copy of the mount under fd (or path) with attributes; with userns_fd >= 0 id-mapped. */
static int clone_mount(int fd, const char *path, uint64_t attributes, int userns_fd)
{
        struct mount_attr attr = { .attr_set = attributes };
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
        _cleanup_close_ int fd = clone_mount(AT_FDCWD, path, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
                                             -EBADF);
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

static int add_archive(const struct sandbox_spec *spec, int userns_fd)
{
        if (spec->archive_fd < 0)
                return 0;
        _cleanup_close_ int fd = clone_mount(spec->archive_fd, "", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID |
                                                                           MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
                                             userns_fd);
        if (fd < 0)
                return fd;
        _cleanup_close_ int file = open("archive", O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        return file < 0 ? -errno : attach(fd, "archive");
}

static int add_target(const struct sandbox_spec *spec, int userns_fd)
{
        if (spec->target_fd < 0)
                return 0;
        _cleanup_close_ int fd = clone_mount(spec->target_fd, "", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, userns_fd);
        if (fd < 0)
                return fd;
        return mkdir("target", 0755) < 0 ? -errno : attach(fd, "target");
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

static int enter_tools_root(const struct sandbox_spec *spec, int userns_fd)
{
        _cleanup_close_ int fd = new_tmpfs(MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
        if (fd < 0)
                return fd;
        int r = start_root(fd);
        if (r == 0)
                r = add_programs();
        if (r == 0)
                r = add_archive(spec, userns_fd);
        if (r == 0)
                r = add_target(spec, userns_fd);
        if (r == 0)
                r = pivot();
        return r < 0 ? r : make_root_read_only();
}

static int enter_single_root(const struct sandbox_spec *spec, int userns_fd)
{
        uint64_t attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC;
        bool is_target = spec->root == SANDBOX_ROOT_TARGET;
        _cleanup_close_ int fd = is_target ? clone_mount(spec->target_fd, "", attributes, userns_fd)
                                           : new_tmpfs(attributes | MOUNT_ATTR_RDONLY);
        if (fd < 0)
                return fd;
        int r = start_root(fd);
        return r < 0 ? r : pivot();
}

static int enter_root(const struct sandbox_spec *spec, int userns_fd)
{
        if (mount("none", "/", NULL, MOUNT_RECURSIVE_PRIVATE, NULL) < 0)
                return -errno;
        if (spec->root == SANDBOX_ROOT_TOOLS)
                return enter_tools_root(spec, userns_fd);
        return enter_single_root(spec, userns_fd);
}

static int lower_limit(int which, uint64_t value)
{
        struct rlimit have;
        if (getrlimit(which, &have) < 0)
                return -errno;
        rlim_t v = MIN((rlim_t)value, have.rlim_max);
        return setrlimit(which, &(struct rlimit){ v, v }) < 0 ? -errno : 0;
}

static int set_limits(const struct sandbox_spec *spec)
{
        int r = lower_limit(RLIMIT_CORE, 0);
        if (r == 0)
                r = lower_limit(RLIMIT_NOFILE, 1024);
        if (r == 0)
                r = lower_limit(RLIMIT_CPU, spec->cpu_max_seconds ? spec->cpu_max_seconds : 1800);
        if (r == 0 && spec->file_max_bytes)
                r = lower_limit(RLIMIT_FSIZE, spec->file_max_bytes);
        /* A file over the limit is an errno to be told in words, not a death. */
        signal(SIGXFSZ, SIG_IGN);
        return r;
}

static int enter_userns(int userns_fd)
{
        if (setns(userns_fd, CLONE_NEWUSER) < 0 || setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 ||
            setresuid(0, 0, 0) < 0)
                return -errno;
        return 0;
}

/* Enough to give files their owners, modes and capabilities; nothing else. */
#define CAP_BIT(c) (1ull << (c))
#define KEPT_CAPS                                                                                            \
        (CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_FOWNER) | CAP_BIT(CAP_FSETID) |        \
         CAP_BIT(CAP_SETFCAP))

static int drop_caps(void)
{
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2] = { 0 };
        for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
                if (!(KEPT_CAPS & CAP_BIT(cap)) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 && errno != EINVAL)
                        return -errno;
        data[0].effective = data[0].permitted = (uint32_t)KEPT_CAPS;
        return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

static int lock_down(void)
{
        int r = drop_caps();
        if (r < 0)
                return r;
        /* Changing ids cleared the death signal that clone's caller had asked for. */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
            prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return -errno;
        return sandbox_filter_reader();
}

static int join(const struct memory_group *g)
{
        if (g->join_fd < 0)
                return 0;
        return write(g->join_fd, "0", 1) < 0 ? -errno : 0;
}

int sandbox_enter(const struct sandbox_spec *spec, int userns_fd, const struct memory_group *g, const char **ret_step)
{
        int r;
        *ret_step = "joining the memory cgroup";
        if ((r = join(g)) < 0)
                return r;
        *ret_step = spec->target_fd >= 0 ? "mounting the id-mapped target" : "making an empty root";
        if ((r = enter_root(spec, userns_fd)) < 0)
                return r;
        *ret_step = "setting limits";
        if ((r = set_limits(spec)) < 0)
                return r;
        *ret_step = "entering the user namespace";
        if ((r = enter_userns(userns_fd)) < 0)
                return r;
        *ret_step = "dropping rights";
        return lock_down();
}
