/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/cgroup.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/time.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define CGROUP_ROOT "/sys/fs/cgroup"

void cgroups_done(struct cgroups *c)
{
        fd_reset(&c->v2_fd);
        while (c->n_v1)
                fd_close(c->v1_fds[--c->n_v1]);
}

static long magic_of(int fd)
{
        struct statfs fs;
        return fstatfs(fd, &fs) < 0 ? 0 : (long)fs.f_type;
}

static void take_hierarchy(struct cgroups *c, int take_fd)
{
        long magic = magic_of(take_fd);
        if (magic == CGROUP2_SUPER_MAGIC && c->v2_fd < 0)
                c->v2_fd = take_fd;
        else if (magic == CGROUP_SUPER_MAGIC && c->n_v1 < CGROUP_V1_MAX)
                c->v1_fds[c->n_v1++] = take_fd;
        else
                fd_close(take_fd);
}

static void find_hierarchies(struct cgroups *c, DIR *dir)
{
        struct dirent *e;
        while ((e = readdir(dir))) {
                if (e->d_type != DT_DIR || e->d_name[0] == '.')
                        continue; /* links are second names of joint hierarchies */
                int fd = openat(dirfd(dir), e->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                if (fd >= 0)
                        take_hierarchy(c, fd);
        }
}

int cgroups_open(struct cgroups *ret, struct error *err)
{
        struct cgroups c = CGROUPS_INIT;
        int root = open(CGROUP_ROOT, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = root < 0 ? NULL : fdopendir(root);
        if (!dir)
                return error_set_errno(err, -errno, "Reading \"" CGROUP_ROOT "\"");
        if (magic_of(root) == CGROUP2_SUPER_MAGIC)
                c.v2_fd = fcntl(root, F_DUPFD_CLOEXEC, 3);
        else
                find_hierarchies(&c, dir);
        closedir(dir);
        if (c.v2_fd < 0) {
                cgroups_done(&c);
                return error_set(err, ERR_UNSUPPORTED,
                                 "No cgroup2 hierarchy is mounted under \"" CGROUP_ROOT "\"");
        }
        *ret = c;
        return 0;
}

static char *group_path(const char *cgroup, const char *below)
{
        return xasprintf("%s%s", cgroup, below);
}

/* The deepest level first: in the usual case one mkdir makes it. */
static int mkdir_below(int root_fd, const char *path)
{
        if (mkdirat(root_fd, path, 0755) == 0 || errno == EEXIST)
                return 0;
        if (errno != ENOENT)
                return -errno;
        _cleanup_free_ char *parent = xstrdup(path);
        char *slash = strrchr(parent, '/');
        if (!slash)
                return -ENOENT;
        *slash = '\0';
        int r = mkdir_below(root_fd, parent);
        if (r < 0)
                return r;
        return mkdirat(root_fd, path, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

/* A read of one kernel file without its newline: 1 with text, 0 when empty, or -errno. */
static int read_value(int dir_fd, const char *path, struct strbuf *out)
{
        strbuf_clear(out);
        int r = path_read_file(dir_fd, path, 4096, out);
        if (r < 0)
                return r;
        while (out->len && out->data[out->len - 1] == '\n')
                out->data[--out->len] = '\0';
        return out->len > 0;
}

/*
 * A new v1 cpuset has no processors and no memory nodes, and nobody can join it. Each level takes its
 * parent's; with clone_children the kernel does this for all groups made later.
 */
static int seed_cpuset(int root_fd, const char *path)
{
        static const char *const files[] = { "cpuset.cpus", "cpuset.mems" };
        _cleanup_strbuf_ struct strbuf value = STRBUF_INIT;
        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                _cleanup_free_ char *own = xasprintf("%s/%s", path, files[i]);
                int r = read_value(root_fd, own, &value);
                if (r > 0)
                        continue;
                if (r < 0)
                        return r == -ENOENT ? 0 : r; /* not the cpuset hierarchy */
                _cleanup_free_ char *parent = xstrdup(path);
                char *slash = strrchr(parent, '/');
                if (slash) {
                        *slash = '\0';
                        r = seed_cpuset(root_fd, parent);
                }
                _cleanup_free_ char *from = slash ? xasprintf("%s/%s", parent, files[i]) : xstrdup(files[i]);
                if (r == 0)
                        r = read_value(root_fd, from, &value);
                if (r >= 0)
                        r = path_write_value(root_fd, own, strbuf_str(&value));
                if (r < 0)
                        return r;
        }
        _cleanup_free_ char *clone = xasprintf("%s/cgroup.clone_children", path);
        return path_write_value(root_fd, clone, "1");
}

struct limit {
        const char *v1_file, *v2_file;
        char text[64];
};

static size_t add_limit(struct limit *list, size_t n, const char *v1_file, const char *v2_file, int64_t value)
{
        if (value < 0)
                return n;
        list[n] = (struct limit){ v1_file, v2_file, "" };
        snprintf(list[n].text, sizeof list[n].text, "%lld", (long long)value);
        return n + 1;
}

static size_t add_cpu_quota(struct limit *list, size_t n, const struct spec_limits *l)
{
        int64_t period = l->cpu_period_us > 0 ? l->cpu_period_us : 100000;
        if (l->cpu_quota_us <= 0)
                return n;
        n = add_limit(list, n, "cpu.cfs_period_us", NULL, period);
        n = add_limit(list, n, "cpu.cfs_quota_us", NULL, l->cpu_quota_us);
        list[n] = (struct limit){ NULL, "cpu.max", "" };
        snprintf(list[n].text, sizeof list[n].text, "%lld %lld", (long long)l->cpu_quota_us,
                 (long long)period);
        return n + 1;
}

static int64_t host_number(const char *path)
{
        _cleanup_strbuf_ struct strbuf value = STRBUF_INIT;
        return read_value(AT_FDCWD, path, &value) > 0 ? strtoll(value.data, NULL, 10) : INT64_MAX;
}

/* Without a limit one guest's fork bomb would leave the host no process to stop it with. */
static int64_t default_pids_max(void)
{
        int64_t pids = host_number("/proc/sys/kernel/pid_max"), threads = host_number("/proc/sys/kernel/threads-max");
        return MIN(pids, threads) / 4;
}

#define LIMITS_MAX 9

/* v1's memsw counts memory and swap together and must not be below memory's; so it follows it. */
static size_t list_limits(const struct spec_limits *l, struct limit list[static LIMITS_MAX])
{
        size_t n = add_limit(list, 0, "memory.limit_in_bytes", "memory.max", l->memory_max);
        n = add_limit(list, n, NULL, "memory.swap.max", l->memory_swap_max);
        if (l->memory_swap_max >= 0 && l->memory_max >= 0)
                n = add_limit(list, n, "memory.memsw.limit_in_bytes", NULL,
                              l->memory_max + l->memory_swap_max);
        n = add_limit(list, n, "pids.max", "pids.max", l->pids_max < 0 ? default_pids_max() : l->pids_max);
        n = add_cpu_quota(list, n, l);
        if (l->cpu_shares >= 2) {
                n = add_limit(list, n, "cpu.shares", NULL, l->cpu_shares);
                n = add_limit(list, n, NULL, "cpu.weight", 1 + (l->cpu_shares - 2) * 9999 / 262142);
        }
        return n;
}

/* -ENOENT: this hierarchy does not have the controller; another one may, or the host lacks it. */
static int write_limit(int root_fd, const char *group, const char *file, const char *text, struct error *err)
{
        _cleanup_free_ char *path = xasprintf("%s/%s", group, file);
        int r = path_write_value(root_fd, path, text);
        if (r < 0 && r != -ENOENT)
                return error_set_errno(err, r, "Setting the limit \"%s\" to \"%s\"", file, text);
        return 0;
}

static int limit_group(int root_fd, const char *group, const struct spec_limits *l, bool is_v2,
                       struct error *err)
{
        struct limit list[LIMITS_MAX];
        size_t n = list_limits(l, list);
        int r = l->cpus ? write_limit(root_fd, group, "cpuset.cpus", l->cpus, err) : 0;
        for (size_t i = 0; r >= 0 && i < n; i++) {
                const char *file = is_v2 ? list[i].v2_file : list[i].v1_file;
                if (file)
                        r = write_limit(root_fd, group, file, list[i].text, err);
        }
        return r;
}

static int create_v1(int root_fd, const char *cgroup, const struct spec_limits *limits, struct error *err)
{
        _cleanup_free_ char *path = group_path(cgroup, "/payload");
        int r = mkdir_below(root_fd, path);
        if (r == 0)
                r = seed_cpuset(root_fd, path);
        if (r < 0)
                return error_set_errno(err, r, "Making the cgroup \"%s\"", path);
        return limit_group(root_fd, path, limits, false, err);
}

/* Controllers are handed down level by level; one that is missing or taken by v1 is simply not there. */
static void enable_controllers(int v2_fd, const char *cgroup)
{
        static const char *const names[] = { "+memory", "+pids", "+cpu", "+cpuset", "+io" };
        _cleanup_free_ char *path = xstrdup(cgroup);
        for (char *p = path;; p++) {
                if (p != path && *p && *p != '/')
                        continue;
                char c = *p;
                *p = '\0';
                _cleanup_free_ char *file =
                        xasprintf("%s%scgroup.subtree_control", path, p == path ? "" : "/");
                for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                        (void)!path_write_value(v2_fd, file, names[i]);
                *p = c;
                if (!c)
                        return;
        }
}

/* The guest may make groups and hand controllers down; its own limits stay out of its reach. */
static int delegate(int v2_fd, const char *payload, uid_t owner)
{
        static const char *const files[] = { "",
                                             "/cgroup.procs",
                                             "/cgroup.threads",
                                             "/cgroup.subtree_control",
                                             "/memory.oom.group",
                                             "/memory.reclaim" };
        for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
                _cleanup_free_ char *path = group_path(payload, files[i]);
                if (fchownat(v2_fd, path, owner, owner, AT_SYMLINK_NOFOLLOW) < 0 && errno != ENOENT)
                        return -errno;
        }
        return 0;
}

/* rmdir only: every file in a group is the kernel's. The guest chose how deep it goes, so not by recursion.
 */
static int remove_groups(int root_fd, const char *path)
{
        _cleanup_free_ char *at = xstrdup(path);
        size_t top = strlen(path);
        for (;;) {
                if (unlinkat(root_fd, at, AT_REMOVEDIR) == 0 || errno == ENOENT) {
                        if (strlen(at) == top)
                                return 0;
                        *strrchr(at, '/') = '\0';
                        continue;
                }
                if (errno != EBUSY && errno != ENOTEMPTY)
                        return -errno;
                int fd = openat(root_fd, at, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
                DIR *dir = fd < 0 ? NULL : fdopendir(fd);
                if (!dir)
                        return -errno;
                struct dirent *e;
                char *child = NULL;
                while (!child && (e = readdir(dir)))
                        if (e->d_type == DT_DIR && !streq(e->d_name, ".") && !streq(e->d_name, ".."))
                                child = xasprintf("%s/%s", at, e->d_name);
                closedir(dir);
                if (!child)
                        return -EBUSY;
                free(at);
                at = child;
        }
}

/* A killed process leaves its groups a moment after it was reaped. */
int cgroups_remove_at(int hierarchy_fd, const char *cgroup)
{
        uint64_t end = time_monotonic_ms() + 5000;
        int r;
        while ((r = remove_groups(hierarchy_fd, cgroup)) == -EBUSY && time_monotonic_ms() < end)
                poll(NULL, 0, 2);
        return r;
}

/*
 * A group that cgroup.kill was written to remembers it, and newer kernels (seen on 6.18) kill whatever is
 * cloned into it from a group that was not: only a new directory forgets.
 */
int cgroups_make_anew(int hierarchy_fd, const char *path)
{
        int r = cgroups_remove_at(hierarchy_fd, path);
        return r < 0 ? r : mkdir_below(hierarchy_fd, path);
}

static int create_v2(const struct cgroups *c, const char *cgroup, const struct spec_limits *limits,
                     uid_t container_root, struct error *err)
{
        _cleanup_free_ char *payload = group_path(cgroup, "/payload");
        int r = cgroups_make_anew(c->v2_fd, payload);
        if (r < 0)
                return error_set_errno(err, r, "Making the cgroup \"%s\"", payload);
        if (c->n_v1 == 0) {
                enable_controllers(c->v2_fd, cgroup);
                r = limit_group(c->v2_fd, cgroup, limits, true, err);
                if (r < 0)
                        return r;
        }
        r = container_root ? delegate(c->v2_fd, payload, container_root) : 0;
        return r < 0 ? error_set_errno(err, r, "Delegating the cgroup \"%s\"", payload) : 0;
}

int cgroups_create(const struct cgroups *c, const char *cgroup, const struct spec_limits *limits,
                   uid_t container_root, struct error *err)
{
        int r = create_v2(c, cgroup, limits, container_root, err);
        for (size_t i = 0; r >= 0 && i < c->n_v1; i++)
                r = create_v1(c->v1_fds[i], cgroup, limits, err);
        return r;
}

/* "0" into `tasks` is the caller itself; a pid into cgroup.procs would cost an RCU grace period in each
 * hierarchy. */
int cgroups_join_v1(const struct cgroups *c, const char *cgroup)
{
        _cleanup_free_ char *path = group_path(cgroup, "/payload/tasks");
        for (size_t i = 0; i < c->n_v1; i++) {
                int r = path_write_value(c->v1_fds[i], path, "0");
                if (r < 0)
                        return r;
        }
        return 0;
}

int cgroups_open_payload(const struct cgroups *c, const char *cgroup)
{
        _cleanup_free_ char *path = group_path(cgroup, "/payload");
        int fd = openat(c->v2_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static int is_populated(int events_fd)
{
        char text[256];
        ssize_t n = pread(events_fd, text, sizeof text - 1, 0);
        if (n < 0)
                return errno == ENODEV ? 0 : -errno;
        text[n] = '\0';
        return strstr(text, "populated 1") != NULL;
}

int cgroups_kill(const struct cgroups *c, const char *cgroup, const char *below, int timeout_ms)
{
        _cleanup_free_ char *kill = xasprintf("%s%s/cgroup.kill", cgroup, below);
        _cleanup_free_ char *events = xasprintf("%s%s/cgroup.events", cgroup, below);
        _cleanup_close_ int fd = openat(c->v2_fd, events, O_RDONLY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        int r = path_write_value(c->v2_fd, kill, "1");
        if (r < 0)
                return r;
        uint64_t end = time_monotonic_ms() + (uint64_t)timeout_ms;
        while ((r = is_populated(fd)) > 0) {
                uint64_t now = time_monotonic_ms();
                if (now >= end)
                        return -ETIMEDOUT;
                struct pollfd p = { .fd = fd, .events = POLLPRI };
                if (poll(&p, 1, (int)(end - now)) < 0 && errno != EINTR)
                        return -errno;
        }
        return r;
}

int cgroups_remove(const struct cgroups *c, const char *cgroup)
{
        int r = cgroups_remove_at(c->v2_fd, cgroup);
        for (size_t i = 0; i < c->n_v1; i++) {
                int k = cgroups_remove_at(c->v1_fds[i], cgroup);
                if (r == 0)
                        r = k;
        }
        return r;
}
