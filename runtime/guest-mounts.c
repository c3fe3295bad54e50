/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/guest-mounts.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "runtime/guest-dev.h"
#include "runtime/mount-api.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define KERNEL_FS (MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC)

const struct guest_nested guest_nested[GUEST_NESTED_MAX] = {
        { "nested/docker", "/var/lib/docker" },
        { "nested/containers", "/var/lib/containers" },
        { "nested/lightd", "/var/lib/lightd" },
};

bool guest_has_nested(const struct spec *s)
{
        return s->is_nesting && s->rootfs.type == ROOTFS_OVERLAY;
}

char *guest_stage_name(char to[static GUEST_STAGE_NAME_SIZE], char kind, size_t n)
{
        snprintf(to, GUEST_STAGE_NAME_SIZE, "%c%u", kind, (unsigned)n);
        return to;
}

/* /proc, /sys and /dev are opened without following links: an image with a link there is refused, not
 * followed. */
static int kernel_target(int root_fd, const char *name)
{
        if (mkdirat(root_fd, name, 0755) < 0 && errno != EEXIST)
                return -errno;
        return path_open_beneath(root_fd, name, O_PATH | O_DIRECTORY, 0);
}

static int attach_kernel_fs(int root_fd, const char *type, const char *name, unsigned attributes)
{
        const struct mount_option options[] = { { "source", type }, {} };
        _cleanup_close_ int target = kernel_target(root_fd, name);
        if (target < 0)
                return target;
        _cleanup_close_ int fd = mount_new(type, attributes, options);
        return fd < 0 ? fd : mount_attach(fd, target);
}

/* A file or directory of /proc or /sys over itself with other attributes; what this kernel lacks is skipped.
 */
static int rebind(int root_fd, const char *path, unsigned set, unsigned clear)
{
        _cleanup_close_ int target = path_open_beneath(root_fd, path, O_PATH, 0);
        if (target < 0)
                return target == -ENOENT ? 0 : target;
        _cleanup_close_ int fd = mount_clone(target, "", false);
        if (fd < 0)
                return fd;
        int r = mount_set(fd, set, clear, -EBADF, false);
        return r < 0 ? r : mount_attach(fd, target);
}

/* Covers a directory with an empty one, a file with the staged null device: never with what the image has at /dev/null. */
static int mask(int root_fd, const char *path)
{
        struct stat st;
        _cleanup_close_ int target = path_open_beneath(root_fd, path, O_PATH, 0);
        if (target < 0)
                return target == -ENOENT ? 0 : target;
        if (fstat(target, &st) < 0)
                return -errno;
        _cleanup_close_ int fd = S_ISDIR(st.st_mode) ? mount_new("tmpfs", KERNEL_FS | MOUNT_ATTR_RDONLY, NULL)
                                                     : guest_dev_clone_null();
        if (fd < 0)
                return fd;
        /* Read-only, or a chmod of the covered file would be one of the guest's /dev/null. */
        int r = mount_set(fd, MOUNT_ATTR_RDONLY, 0, -EBADF, false);
        return r < 0 ? r : mount_attach(fd, target);
}

/* Without a user namespace root is the host's root to these files. */
static int guard_privileged(int root_fd)
{
        static const char *const read_only[] = {
                "proc/sys", "proc/sysrq-trigger", "proc/irq",   "proc/bus",          "proc/fs",
                "proc/tty", "proc/slabinfo",      "proc/mtrr",  "proc/driver",       "proc/dynamic_debug"
        };
        static const char *const masked[] = {
                "proc/acpi",        "proc/asound",      "proc/kcore",      "proc/keys",         "proc/latency_stats",
                "proc/timer_list",  "proc/timer_stats", "proc/sched_debug", "proc/scsi",        "proc/interrupts",
                "proc/kmsg",        "proc/kallsyms",    "proc/kpagecount", "proc/kpageflags",   "proc/kpagecgroup",
                "proc/vmallocinfo", "proc/iomem",       "proc/ioports",    "proc/pagetypeinfo", "sys/firmware",
                "sys/devices/virtual/powercap"
        };
        int r = 0;
        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(read_only); i++)
                r = rebind(root_fd, read_only[i], MOUNT_ATTR_RDONLY, 0);
        if (r == 0)
                r = rebind(root_fd, "proc/sys/net", 0, MOUNT_ATTR_RDONLY);
        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(masked); i++)
                r = mask(root_fd, masked[i]);
        return r;
}

/*
 * A read-only /sys tells systemd that there is no udev, so that systemd-networkd does not wait for one before
 * it asks for an address. The attributes of the container's own interfaces stay writable.
 */
static int attach_sys(int root_fd)
{
        int r = attach_kernel_fs(root_fd, "sysfs", "sys", KERNEL_FS | MOUNT_ATTR_RDONLY);
        return r < 0 ? r : rebind(root_fd, "sys/devices/virtual/net", 0, MOUNT_ATTR_RDONLY);
}

static int attach_cgroup(int root_fd)
{
        _cleanup_close_ int target = path_open_beneath(root_fd, "sys/fs/cgroup", O_PATH | O_DIRECTORY, 0);
        if (target < 0)
                return target;
        const struct mount_option options[] = { { "source", "cgroup2" }, {} };
        _cleanup_close_ int fd = mount_new("cgroup2", KERNEL_FS, options);
        return fd < 0 ? fd : mount_attach(fd, target);
}

/* lxcfs answers by the reader's cgroup. One that is not running, or knows fewer files, is done without. */
static int attach_lxcfs(int root_fd, const char *lxcfs)
{
        static const char *const paths[] = {
                "proc/cpuinfo",      "proc/diskstats",   "proc/loadavg",         "proc/meminfo",
                "proc/slabinfo",     "proc/stat",        "proc/swaps",           "proc/uptime",
                "proc/pressure/cpu", "proc/pressure/io", "proc/pressure/memory", "sys/devices/system/cpu"
        };
        for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
                _cleanup_free_ char *source = xasprintf("%s/%s", lxcfs, paths[i]);
                _cleanup_close_ int fd = mount_clone(AT_FDCWD, source, false);
                _cleanup_close_ int target = path_open_beneath(root_fd, paths[i], O_PATH, 0);
                if (fd < 0 || target < 0)
                        continue;
                int r = mount_set(fd, MOUNT_ATTR_RDONLY, 0, -EBADF, false);
                if (r == 0)
                        r = mount_attach(fd, target);
                if (r < 0)
                        return r;
        }
        return 0;
}

static int attach_staged(int root_fd, const char *name, const char *target_path)
{
        struct stat st;
        _cleanup_close_ int fd = mount_clone(AT_FDCWD, name, true);
        if (fd < 0 || fstat(fd, &st) < 0)
                return fd < 0 ? fd : -errno;
        _cleanup_close_ int target = mount_target(root_fd, target_path, S_ISDIR(st.st_mode));
        return target < 0 ? target : mount_attach(fd, target);
}

static void split_options(char *text, struct mount_option *list, size_t max)
{
        char *rest = text, *word;
        size_t n = 0;
        while (n < max && (word = strsep(&rest, ","))) {
                char *value = strchr(word, '=');
                if (value)
                        *value++ = '\0';
                if (*word)
                        list[n++] = (struct mount_option){ word, value };
        }
}

static int attach_tmpfs(int root_fd, const struct spec_mount *m)
{
        struct mount_option options[16] = { 0 };
        _cleanup_free_ char *text = xstrdup(m->options);
        split_options(text, options, ARRAY_SIZE(options) - 1);
        unsigned attributes = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | (m->is_readonly ? MOUNT_ATTR_RDONLY : 0);
        _cleanup_close_ int target = mount_target(root_fd, m->target, true);
        if (target < 0)
                return target;
        _cleanup_close_ int fd = mount_new("tmpfs", attributes, options);
        return fd < 0 ? fd : mount_attach(fd, target);
}

static int attach_mounts(const struct spec *s, int root_fd, struct error *err)
{
        char name[GUEST_STAGE_NAME_SIZE];
        for (size_t i = 0; i < s->n_mounts; i++) {
                const struct spec_mount *m = &s->mounts[i];
                int r = m->type == MOUNT_TMPFS
                                ? attach_tmpfs(root_fd, m)
                                : attach_staged(root_fd, guest_stage_name(name, 'm', i), m->target);
                if (r < 0 && !m->is_optional)
                        return error_set_errno(err, r, "Mounting \"%s\"", m->target);
        }
        for (size_t i = 0; guest_has_nested(s) && i < GUEST_NESTED_MAX; i++) {
                int r = attach_staged(root_fd, guest_stage_name(name, 'n', i), guest_nested[i].target);
                if (r < 0)
                        return error_set_errno(err, r, "Mounting \"%s\"", guest_nested[i].target);
        }
        return 0;
}

static int attach_devices(const struct spec *s, int root_fd, struct error *err)
{
        char name[GUEST_STAGE_NAME_SIZE];
        for (size_t i = 0; i < s->n_devices; i++) {
                const struct spec_device *d = &s->devices[i];
                int r = attach_staged(root_fd, guest_stage_name(name, 'd', i), d->path);
                if (r < 0 && !d->is_optional)
                        return error_set_errno(err, r, "Adding the device \"%s\"", d->path);
        }
        return 0;
}

/*
 * The kernel refuses a fresh proc or sysfs in a user namespace below ours while all it can see of ours is
 * partly covered. These uncovered copies are where nested managers look for them.
 */
static int attach_uncovered(int root_fd)
{
        int r = 0;
        if (mkdirat(root_fd, "dev/.lxc", 0700) < 0)
                r = -errno;
        if (r == 0)
                r = attach_kernel_fs(root_fd, "proc", "dev/.lxc/proc", KERNEL_FS);
        if (r == 0)
                r = attach_kernel_fs(root_fd, "sysfs", "dev/.lxc/sys", KERNEL_FS);
        return r;
}

static int attach_kernel(const struct spec *s, int root_fd, struct error *err)
{
        int r = attach_kernel_fs(root_fd, "proc", "proc", KERNEL_FS);
        if (r < 0)
                return error_set_errno(err, r, "Mounting \"/proc\"");
        r = attach_sys(root_fd);
        if (r < 0)
                return error_set_errno(err, r, "Mounting \"/sys\"");
        r = attach_cgroup(root_fd);
        if (r < 0)
                return error_set_errno(err, r, "Mounting \"/sys/fs/cgroup\"");
        r = s->is_privileged ? guard_privileged(root_fd) : 0;
        if (r < 0)
                return error_set_errno(err, r, "Guarding \"/proc\" and \"/sys\"");
        r = s->lxcfs ? attach_lxcfs(root_fd, s->lxcfs) : 0;
        return r < 0 ? error_set_errno(err, r, "Mounting lxcfs from \"%s\"", s->lxcfs) : 0;
}

int guest_mounts(const struct spec *s, int root_fd, int *ret_console, struct error *err)
{
        int r = attach_kernel(s, root_fd, err);
        if (r < 0)
                return r;
        r = guest_dev(root_fd, ret_console);
        if (r == 0 && s->is_nesting)
                r = attach_uncovered(root_fd);
        if (r < 0)
                return error_set_errno(err, r, "Making \"/dev\"");
        r = attach_devices(s, root_fd, err);
        return r < 0 ? r : attach_mounts(s, root_fd, err);
}
