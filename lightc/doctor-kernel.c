/* SPDX-License-Identifier: Apache-2.0 */
/* What the kernel can do, and how many containers its limits let in. */
#include "lightc/doctor.h"
#include "base/alloc.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <linux/magic.h>
#include <unistd.h>

/* What a small system needs of each; measured with Debian and systemd. */
#define PROCESSES_EACH 20
#define MANY 100

static void look_kernel(struct client *c _unused_, struct finding *f)
{
        struct utsname u;
        int major = 0, minor = 0;
        uname(&u);
        (void)!sscanf(u.release, "%d.%d", &major, &minor);
        if (major < 5 || (major == 5 && minor < 19)) {
                finding_set(f, VERDICT_FAIL, "Linux %s: mounts with mapped ids in an overlay came with 5.19", u.release);
                finding_fix(f, "run a newer kernel (Debian 12 has 6.1)");
        } else if (major < 6 || (major == 6 && minor < 2)) {
                finding_set(f, VERDICT_OK, "Linux %s; squashfs images are unpacked, not mounted (that came with 6.2)", u.release);
        } else {
                finding_set(f, VERDICT_OK, "Linux %s", u.release);
        }
}

static void look_namespaces(struct client *c _unused_, struct finding *f)
{
        static const char *const kinds[] = { "user", "pid", "net", "mnt", "uts", "ipc", "cgroup" };
        struct stat st;
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
                char path[64];
                snprintf(path, sizeof path, "/proc/self/ns/%s", kinds[i]);
                if (stat(path, &st) < 0)
                        finding_set(f, VERDICT_FAIL, "this kernel has no %s namespaces", kinds[i]);
        }
        long long users = doctor_number("/proc/sys/user/max_user_namespaces", -1);
        if (users >= 0 && users < MANY) {
                finding_set(f, VERDICT_FAIL, "only %lld user namespaces are allowed, and each container has one", users);
                finding_fix(f, "sysctl -w user.max_user_namespaces=10000");
        }
        finding_set(f, VERDICT_OK, "all seven kinds");
}

/* ---- cgroups ---- */

static const char *unified_root(void)
{
        static const char *const places[] = { "/sys/fs/cgroup", "/sys/fs/cgroup/unified" };
        struct statfs st;
        for (size_t i = 0; i < ARRAY_SIZE(places); i++)
                if (statfs(places[i], &st) == 0 && st.f_type == CGROUP2_SUPER_MAGIC)
                        return places[i];
        return NULL;
}

static bool has_word(const char *text, const char *word)
{
        size_t n = strlen(word);
        for (const char *p = text; (p = strstr(p, word)); p += n)
                if ((p == text || strchr(" \t\n,", p[-1])) && (!p[n] || strchr(" \n\t,", p[n])))
                        return true;
        return false;
}

static void look_cgroups(struct client *c _unused_, struct finding *f)
{
        static const char *const wanted[] = { "cpu", "cpuset", "memory", "pids" };
        const char *root = unified_root();
        char path[64];
        if (!root) {
                finding_set(f, VERDICT_FAIL, "cgroup2 is mounted neither at /sys/fs/cgroup nor at /sys/fs/cgroup/unified");
                finding_fix(f, "mount -t cgroup2 none /sys/fs/cgroup/unified, or boot with systemd.unified_cgroup_hierarchy=1");
                return;
        }
        snprintf(path, sizeof path, "%s/cgroup.controllers", root);
        _cleanup_free_ char *unified = xstrdup(doctor_read(path));
        for (size_t i = 0; i < ARRAY_SIZE(wanted); i++) {
                struct stat st;
                snprintf(path, sizeof path, "/sys/fs/cgroup/%s", wanted[i]);
                if (!has_word(unified, wanted[i]) && stat(path, &st) < 0) {
                        finding_set(f, VERDICT_WARN, "no controller \"%s\": its limits cannot be set", wanted[i]);
                        finding_fix(f, "boot with cgroup_enable=%s", wanted[i]);
                }
        }
        finding_set(f, VERDICT_OK, "cgroup2 at %s%s", root, streq(root, "/sys/fs/cgroup") ? "" : ", controllers by cgroup1 beside it");
}

/* ---- ids and mounts ---- */

static void look_ids(struct client *c _unused_, struct finding *f)
{
        unsigned long long inside = 0, outside = 0, length = 0;
        (void)!sscanf(doctor_read("/proc/self/uid_map"), "%llu %llu %llu", &inside, &outside, &length);
        if (length < 65536ULL * 2) {
                finding_set(f, VERDICT_FAIL, "this is a user namespace with %llu ids, and a container needs 65536 of its own", length);
                finding_fix(f, "give the host's container a larger id map");
                return;
        }
        finding_set(f, VERDICT_OK, "%llu ids: room for %llu containers of 65536", length, MIN(length / 65536, 65000ULL));
}

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

static void look_mapped_mounts(struct client *c, struct finding *f)
{
        _cleanup_free_ char *dir = doctor_state_dir(c);
        if (!doctor_is_root()) {
                finding_set(f, VERDICT_OK, "only root can try it");
                return;
        }
        int e = doctor_try(map_mount, dir);
        if (e == 0) {
                finding_set(f, VERDICT_OK, "the file system of %s takes them", dir);
                return;
        }
        finding_set(f, VERDICT_FAIL, "the file system of %s does not take them: %s", dir, strerror(e));
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

static bool has_file_system(const char *name)
{
        return has_word(doctor_read("/proc/filesystems"), name);
}

static void look_overlay(struct client *c _unused_, struct finding *f)
{
        int e = doctor_is_root() ? doctor_try(mount_overlay, NULL) : 0;
        if (e) {
                finding_set(f, VERDICT_FAIL, "an overlay cannot be mounted: %s", strerror(e));
                finding_fix(f, "modprobe overlay; or use a storage pool with the driver \"dir\"");
        } else if (!doctor_is_root()) {
                finding_set(f, VERDICT_OK, has_file_system("overlay") ? "the kernel knows it" : "only root can try it");
        } else {
                finding_set(f, VERDICT_OK, "it mounts");
        }
}

static void look_squashfs(struct client *c _unused_, struct finding *f)
{
        struct utsname u;
        char path[160];
        struct stat st;
        uname(&u);
        snprintf(path, sizeof path, "/lib/modules/%s/kernel/fs/squashfs", u.release);
        if (has_file_system("squashfs") || stat(path, &st) == 0)
                finding_set(f, VERDICT_OK, "the kernel has it");
        else
                finding_set(f, VERDICT_WARN, "this kernel has none: images are unpacked instead of mounted");
}

/* The kernel has it or not; whether containers are confined only the daemon knows. */
static void look_apparmor(struct client *c, struct finding *f)
{
        struct json_object *server = NULL; /* the client's */
        if (!streq(doctor_read("/sys/module/apparmor/parameters/enabled"), "Y")) {
                finding_set(f, VERDICT_WARN, "off: containers rest on namespaces, ids and the call filter alone");
                finding_fix(f, "where the kernel has it: boot with apparmor=1 security=apparmor");
                return;
        }
        if (client_server(c, &server, NULL) < 0) {
                finding_set(f, VERDICT_OK, "on");
                return;
        }
        struct json_object *features = json_get_object(json_get_object(server, "environment"), "kernel_features");
        if (streq(json_get_string(features, "apparmor", ""), "true")) {
                finding_set(f, VERDICT_OK, "on, and containers are confined");
                return;
        }
        finding_set(f, VERDICT_WARN, "on, but the daemon could not load its profiles: containers run without");
        finding_fix(f, "apt-get install apparmor, then systemctl restart lightd; its log says why");
}

/* ---- limits ---- */

static void look_limit(struct finding *f, const char *sysctl, const char *path, long long wanted, const char *what)
{
        long long n = doctor_number(path, -1);
        if (n < 0)
                finding_set(f, VERDICT_OK, "this kernel has no such limit");
        else if (n >= wanted)
                finding_set(f, VERDICT_OK, "%s is %lld", sysctl, n);
        else {
                finding_set(f, VERDICT_WARN, "%s is %lld: %s", sysctl, n, what);
                finding_fix(f, "sysctl -w %s=%lld (and a line in /etc/sysctl.d/)", sysctl, wanted);
        }
}

static void look_pids(struct client *c _unused_, struct finding *f)
{
        long long n = doctor_number("/proc/sys/kernel/pid_max", 0);
        char what[120];
        snprintf(what, sizeof what, "room for some %lld containers with %d processes each", n / PROCESSES_EACH, PROCESSES_EACH);
        look_limit(f, "kernel.pid_max", "/proc/sys/kernel/pid_max", 4194304, what);
}

static void look_inotify(struct client *c _unused_, struct finding *f)
{
        look_limit(f, "fs.inotify.max_user_instances", "/proc/sys/fs/inotify/max_user_instances", 1024,
                   "a container's services share so many; its own ids count for themselves, root's do not");
        if (f->verdict == VERDICT_OK)
                look_limit(f, "fs.inotify.max_user_watches", "/proc/sys/fs/inotify/max_user_watches", 65536,
                           "a container's services share so many");
}

static void look_neighbours(struct client *c _unused_, struct finding *f)
{
        look_limit(f, "net.ipv4.neigh.default.gc_thresh3", "/proc/sys/net/ipv4/neigh/default/gc_thresh3", 4096,
                   "with more containers on the bridges than that, addresses are forgotten and names time out");
}

static void look_keys(struct client *c _unused_, struct finding *f)
{
        look_limit(f, "kernel.keys.maxkeys", "/proc/sys/kernel/keys/maxkeys", 200,
                   "systemd in a container makes a key for each of its services");
}

static void look_files(struct client *c _unused_, struct finding *f)
{
        look_limit(f, "fs.nr_open", "/proc/sys/fs/nr_open", 65536, "the daemon keeps some ten files open for each container");
}

const struct check doctor_kernel_checks[] = {
        { "kernel", "what everything stands on", look_kernel },
        { "namespaces", "what makes a container one", look_namespaces },
        { "cgroups", "limits, freezing, killing", look_cgroups },
        { "ids", "each container has 65536 of its own", look_ids },
        { "mapped-mounts", "files keep their owners on disk", look_mapped_mounts },
        { "overlay", "the default storage driver", look_overlay },
        { "squashfs", "images are mounted as they are", look_squashfs },
        { "apparmor", "a second wall", look_apparmor },
        { "pid-max", "processes of the whole host", look_pids },
        { "inotify", "what watches files", look_inotify },
        { "neighbours", "addresses of containers the host remembers", look_neighbours },
        { "keys", "what systemd keeps for its services", look_keys },
        { "files", "descriptors of one process", look_files },
        { 0 },
};
