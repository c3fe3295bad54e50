/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel can do. */
#include "lightc/doctor.h"
#include "base/alloc.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define MANY 100

static void look_kernel(const struct doctor *d, struct finding *f)
{
        const char *release = doctor_read(d, "/proc/sys/kernel/osrelease");
        int major = 0, minor = 0;
        (void)!sscanf(release, "%d.%d", &major, &minor);
        if (major < 5 || (major == 5 && minor < 19)) {
                finding_set(f, VERDICT_FAIL, "Linux %s: mounts with mapped ids in an overlay came with 5.19", release);
                finding_fix(f, "run a newer kernel (Debian 12 has 6.1)");
        } else if (major < 6 || (major == 6 && minor < 2)) {
                finding_set(f, VERDICT_OK, "Linux %s; squashfs images are unpacked, not mounted (that came with 6.2)", release);
        } else {
                finding_set(f, VERDICT_OK, "Linux %s", release);
        }
}

static void look_namespaces(const struct doctor *d, struct finding *f)
{
        static const char *const kinds[] = { "user", "pid", "net", "mnt", "uts", "ipc", "cgroup" };
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
                char path[64];
                snprintf(path, sizeof path, "/proc/self/ns/%s", kinds[i]);
                if (!doctor_exists(d, path)) {
                        finding_set(f, VERDICT_FAIL, "this kernel has no %s namespaces", kinds[i]);
                        finding_fix(f, "run a kernel that has them (Debian's do)");
                }
        }
        long long users = doctor_number(d, "/proc/sys/user/max_user_namespaces", -1);
        if (users >= 0 && users < MANY) {
                finding_set(f, VERDICT_FAIL, "only %lld user namespaces are allowed, and each container has one", users);
                finding_fix(f, "sysctl -w user.max_user_namespaces=10000");
        }
        if (users >= 0)
                finding_set(f, VERDICT_OK, "all seven kinds; user.max_user_namespaces allows %lld containers", users);
        finding_set(f, VERDICT_OK, "all seven kinds");
}

/* ---- cgroups ---- */

static bool has_word(const char *text, const char *word)
{
        size_t n = strlen(word);
        for (const char *p = text; (p = strstr(p, word)); p += n)
                if ((p == text || strchr(" \t\n,", p[-1])) && (!p[n] || strchr(" \n\t,", p[n])))
                        return true;
        return false;
}

/* Only cgroup2 has this file in its root. */
static const char *unified_root(const struct doctor *d)
{
        if (doctor_exists(d, "/sys/fs/cgroup/cgroup.controllers"))
                return "/sys/fs/cgroup";
        return doctor_exists(d, "/sys/fs/cgroup/unified/cgroup.controllers") ? "/sys/fs/cgroup/unified" : NULL;
}

static void look_cgroups(const struct doctor *d, struct finding *f)
{
        const char *root = unified_root(d);
        if (!root) {
                finding_set(f, VERDICT_FAIL, "cgroup2 is mounted neither at /sys/fs/cgroup nor at /sys/fs/cgroup/unified");
                finding_fix(f, "mount -t cgroup2 none /sys/fs/cgroup/unified, or boot with systemd.unified_cgroup_hierarchy=1");
                return;
        }
        finding_set(f, VERDICT_OK, "cgroup2 at %s%s", root, streq(root, "/sys/fs/cgroup") ? "" : ", controllers by cgroup1 beside it");
}

/* A controller must be there at all, and cgroup2 must hand it down from its root; the daemon asks for that when it starts. */
static void look_controllers(const struct doctor *d, struct finding *f)
{
        static const char *const wanted[] = { "cpu", "cpuset", "memory", "pids" };
        const char *root = unified_root(d);
        _cleanup_strbuf_ struct strbuf down = STRBUF_INIT;
        char path[64];
        if (!root) {
                finding_set(f, VERDICT_FAIL, "there is no cgroup2 to hand them down");
                finding_fix(f, "see \"cgroups\"");
                return;
        }
        snprintf(path, sizeof path, "%s/cgroup.controllers", root);
        _cleanup_free_ char *there = xstrdup(doctor_read(d, path));
        snprintf(path, sizeof path, "%s/cgroup.subtree_control", root);
        _cleanup_free_ char *handed = xstrdup(doctor_read(d, path));
        for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
                snprintf(path, sizeof path, "/sys/fs/cgroup/%s/cgroup.procs", wanted[i]);
                strbuf_addf(&down, "%s%s", i ? ", " : "", wanted[i]);
                if (doctor_exists(d, path) || has_word(handed, wanted[i]))
                        continue;
                if (!has_word(there, wanted[i])) {
                        finding_set(f, VERDICT_WARN, "no controller \"%s\": its limits cannot be set", wanted[i]);
                        finding_fix(f, "boot with cgroup_enable=%s", wanted[i]);
                } else if (d->server) {
                        finding_set(f, VERDICT_WARN, "\"%s\" is there and not handed down: its limits cannot be set", wanted[i]);
                        finding_fix(f, "echo +%s >%s/cgroup.subtree_control", wanted[i], root);
                }
        }
        finding_set(f, VERDICT_OK, "%s", strbuf_str(&down));
}

/* ---- ids and mounts ---- */

/* A user namespace that maps its ids somewhere else, held open by a child that sleeps. */
static int make_userns(pid_t *ret_pid)
{
        char path[64];
        pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, NULL, NULL, NULL, NULL);
        if (pid == 0) {
                pause();
                _exit(0);
        }
        if (pid < 0)
                return -errno;
        *ret_pid = pid;
        static const char map[] = "0 1000000 65536";
        static const char *const files[] = { "uid_map", "gid_map" };
        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, files[i]);
                int fd = open(path, O_WRONLY | O_CLOEXEC);
                ssize_t n = fd < 0 ? -1 : write(fd, map, sizeof map - 1);
                if (fd >= 0)
                        close(fd);
                if (n < 0)
                        return -errno;
        }
        snprintf(path, sizeof path, "/proc/%d/ns/user", (int)pid);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static int map_mount(void *data)
{
        pid_t pid = 0;
        int userns = make_userns(&pid);
        int tree = userns < 0 ? userns : open_tree(AT_FDCWD, data, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (unsigned)userns };
        int r = userns < 0 ? -userns : tree < 0 ? errno : mount_setattr(tree, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0 ? errno : 0;
        if (pid > 0) {
                kill(pid, SIGKILL);
                waitpid(pid, NULL, 0);
        }
        return r;
}

static void look_mapped_mounts(const struct doctor *d, struct finding *f)
{
        if (!d->is_root) {
                finding_set(f, VERDICT_OK, "only root can try it");
                return;
        }
        int e = doctor_try(map_mount, d->state_dir);
        if (e == 0) {
                finding_set(f, VERDICT_OK, "the file system of %s takes them", d->state_dir);
                return;
        }
        finding_set(f, VERDICT_FAIL, "the file system of %s does not take them: %s", d->state_dir, strerror(e));
        finding_fix(f, "keep lightd's directory on ext4, xfs, btrfs or tmpfs");
}

static int mount_overlay(void *data _unused_)
{
        if (mount("none", "/mnt", "tmpfs", 0, NULL) < 0)
                return errno;
        if (mkdir("/mnt/l", 0755) < 0 || mkdir("/mnt/u", 0755) < 0 || mkdir("/mnt/w", 0755) < 0 || mkdir("/mnt/m", 0755) < 0)
                return errno;
        return mount("none", "/mnt/m", "overlay", 0, "lowerdir=/mnt/l,upperdir=/mnt/u,workdir=/mnt/w") < 0 ? errno : 0;
}

static bool has_file_system(const struct doctor *d, const char *name)
{
        return has_word(doctor_read(d, "/proc/filesystems"), name);
}

static void look_overlay(const struct doctor *d, struct finding *f)
{
        int e = d->is_root ? doctor_try(mount_overlay, NULL) : 0;
        if (e) {
                finding_set(f, VERDICT_FAIL, "an overlay cannot be mounted: %s", strerror(e));
                finding_fix(f, "modprobe overlay; or use a storage pool with the driver \"dir\"");
        } else if (!d->is_root) {
                finding_set(f, VERDICT_OK, has_file_system(d, "overlay") ? "the kernel knows it" : "only root can try it");
        } else {
                finding_set(f, VERDICT_OK, "it mounts");
        }
}

static void look_squashfs(const struct doctor *d, struct finding *f)
{
        _cleanup_free_ char *path = xasprintf("/lib/modules/%s/kernel/fs/squashfs", doctor_read(d, "/proc/sys/kernel/osrelease"));
        if (has_file_system(d, "squashfs") || doctor_exists(d, path))
                finding_set(f, VERDICT_OK, "the kernel has it");
        else
                finding_set(f, VERDICT_WARN, "this kernel has none: images are unpacked instead of mounted");
        if (f->verdict != VERDICT_OK)
                finding_fix(f, "modprobe squashfs, or a kernel that has it");
}

/* What a daemon does with it only the daemon knows. */
static void look_confined(const struct doctor *d, struct finding *f)
{
        struct json_object *features = json_get_object(json_get_object(d->server, "environment"), "kernel_features");
        if (!d->server) {
                finding_set(f, VERDICT_OK, "on");
        } else if (streq(json_get_string(features, "apparmor", ""), "true")) {
                finding_set(f, VERDICT_OK, "on, and containers are confined");
        } else {
                finding_set(f, VERDICT_WARN, "on, but the daemon could not load its profiles: containers run without");
                finding_fix(f, "apt-get install apparmor, then systemctl restart lightd; its log says why");
        }
}

/* A wall more, which no container needs in order to run: a kernel without is no fault, one that left it off is told. */
static void look_apparmor(const struct doctor *d, struct finding *f)
{
        const char *enabled = "/sys/module/apparmor/parameters/enabled";
        if (!doctor_exists(d, enabled)) {
                finding_set(f, VERDICT_OK, "this kernel has none: containers rest on namespaces, ids and the call filter alone");
        } else if (!streq(doctor_read(d, enabled), "Y")) {
                finding_set(f, VERDICT_WARN, "off: containers rest on namespaces, ids and the call filter alone");
                finding_fix(f, "boot with apparmor=1 security=apparmor");
        } else {
                look_confined(d, f);
        }
}

const struct check doctor_kernel_checks[] = {
        { .name = "kernel", .means = "what everything stands on", .look = look_kernel },
        { .name = "namespaces", .means = "what makes a container one", .look = look_namespaces },
        { .name = "cgroups", .means = "limits, freezing, killing", .look = look_cgroups },
        { .name = "controllers", .means = "what can be limited", .look = look_controllers },
        { .name = "mapped-mounts", .means = "files keep their owners on disk", .look = look_mapped_mounts },
        { .name = "overlay", .means = "the default storage driver", .look = look_overlay },
        { .name = "squashfs", .means = "images are mounted as they are", .look = look_squashfs },
        { .name = "apparmor", .means = "a second wall", .look = look_apparmor },
        { 0 },
};
