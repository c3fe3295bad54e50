/* SPDX-License-Identifier: Apache-2.0 */
#include "lightd/places.h"
#include "lightd/idmap.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strbuf.h"
#include "base/time.h"

#include <dirent.h>
#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEFAULT_DIR "/var/lib/lightd"
#define JOBS_DIE_TIMEOUT_MS 10000
#define LOCK_TIMEOUT_MS 700

const char *places_dir(void)
{
        const char *dir = getenv("LIGHTD_DIR");
        return str_empty(dir) ? DEFAULT_DIR : dir;
}

static int make_dir(const char *path, mode_t mode, struct error *err)
{
        int r = path_mkdir_all(path, mode);
        if (r < 0)
                return error_set_errno(err, r, "Making the directory \"%s\"", path);
        return 0;
}

/*
 * A daemon that was killed while it started a worker has left a child that holds the lock until its exec, a moment
 * later.
 */
static bool lock_soon(int fd)
{
        uint64_t end = time_monotonic_ms() + LOCK_TIMEOUT_MS;
        while (flock(fd, LOCK_EX | LOCK_NB) < 0) {
                if (time_monotonic_ms() >= end)
                        return false;
                poll(NULL, 0, 10);
        }
        return true;
}

int places_lock(const char *dir, int *ret_lock_fd, struct error *err)
{
        _cleanup_free_ char *path = xasprintf("%s/lock", dir);
        if (dir[0] != '/')
                return error_set(err, ERR_BAD_REQUEST, "LIGHTD_DIR \"%s\" must be an absolute path", dir);
        int r = make_dir(dir, 0711, err);
        if (r < 0)
                return r;
        _cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return error_set_errno(err, -errno, "Opening \"%s\"", path);
        if (!lock_soon(fd)) {
                error_set(err, ERR_IN_USE, "Another lightd runs on \"%s\"", dir);
                error_hint(err, "Use it (LIGHTD_DIR=%s lightc list), stop it (LIGHTD_DIR=%s lightd shutdown), or choose "
                                "another directory with LIGHTD_DIR", dir, dir);
                return -EBUSY;
        }
        *ret_lock_fd = TAKE_FD(fd);
        return 0;
}

/* The cgroup2 mount, pure (/sys/fs/cgroup) or hybrid (/sys/fs/cgroup/unified). */
static int find_cgroup2(struct strbuf *ret)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        int r = path_read_file(AT_FDCWD, "/proc/self/mountinfo", MiB(8), &b);
        if (r < 0)
                return r;
        for (char *rest = b.data, *line; (line = strsep(&rest, "\n"));) {
                char where[512];
                char *type = strstr(line, " - cgroup2 ");
                if (type && sscanf(line, "%*d %*d %*s %*s %511s", where) == 1) {
                        strbuf_adds(ret, where);
                        return 0;
                }
        }
        return -ENOENT;
}

/* On a pure cgroup2 host the controllers are handed down level by level; on a hybrid one there are none here. */
static void hand_down_controllers(int fd)
{
        static const char *const names[] = { "+cpu", "+cpuset", "+memory", "+pids", "+io", "+hugetlb" };
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                path_write_value(fd, "cgroup.subtree_control", names[i]);
}

static int make_group(int parent, const char *name)
{
        if (mkdirat(parent, name, 0755) < 0 && errno != EEXIST)
                return -errno;
        int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static bool is_populated(int group)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        return path_read_file(group, "cgroup.events", 4096, &b) == 0 && strstr(b.data, "populated 1");
}

/*
 * Nothing of an earlier daemon's jobs may still run when intents are read: a late worker would do again what is
 * being undone.
 */
static int kill_old_jobs(int group)
{
        uint64_t end = time_monotonic_ms() + JOBS_DIE_TIMEOUT_MS;
        if (!is_populated(group))
                return 0;
        int r = path_write_value(group, "cgroup.kill", "1");
        if (r < 0)
                return r;
        _cleanup_close_ int events = openat(group, "cgroup.events", O_RDONLY | O_CLOEXEC);
        while (is_populated(group)) {
                char drain[256];
                struct pollfd p = { .fd = events, .events = POLLPRI };
                if (time_monotonic_ms() > end)
                        return -ETIMEDOUT;
                poll(&p, 1, 20); /* POLLPRI wakes on a change; the timeout covers one before we looked */
                (void)!pread(events, drain, sizeof drain, 0);
        }
        return 0;
}

/* jobs/run, and on a pure cgroup2 host the memory groups of workers. */
static void remove_children(int group)
{
        int copy = openat(group, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = copy < 0 ? NULL : fdopendir(copy);
        struct dirent *e;
        while (dir && (e = readdir(dir)))
                if (e->d_type == DT_DIR && e->d_name[0] != '.')
                        unlinkat(group, e->d_name, AT_REMOVEDIR);
        if (dir)
                closedir(dir);
        else
                fd_close(copy);
}

/* rmdir says EBUSY for a moment after the last process has gone. */
static int remove_group(int parent, int group, const char *name)
{
        uint64_t end = time_monotonic_ms() + JOBS_DIE_TIMEOUT_MS;
        for (;;) {
                remove_children(group);
                if (unlinkat(parent, name, AT_REMOVEDIR) == 0 || errno == ENOENT)
                        return 0;
                if (errno != EBUSY || time_monotonic_ms() > end)
                        return -errno;
                poll(NULL, 0, 2);
        }
}

/*
 * A group that cgroup.kill was written to remembers it, and newer kernels kill whatever is then cloned into it from a
 * group that was not (seen on 6.18): new jobs need a new directory. They run in jobs/run: cgroup2 hands controllers down
 * only from groups without processes, and a worker's memory group is a child of `jobs`.
 */
static int make_jobs_group(int parent)
{
        _cleanup_close_ int old = openat(parent, "jobs", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int r = old < 0 ? 0 : kill_old_jobs(old);
        if (r == 0 && old >= 0)
                r = remove_group(parent, old, "jobs");
        if (r < 0)
                return r;
        _cleanup_close_ int jobs = make_group(parent, "jobs");
        if (jobs < 0)
                return jobs;
        hand_down_controllers(jobs);
        return make_group(jobs, "run");
}

static int make_cgroups(struct server *s, struct error *err)
{
        _cleanup_strbuf_ struct strbuf where = STRBUF_INIT;
        if (find_cgroup2(&where) < 0) {
                error_set(err, ERR_UNSUPPORTED, "No cgroup2 file system is mounted");
                error_hint(err, "Mount one: mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified");
                return -ENOTSUP;
        }
        _cleanup_close_ int root = open(where.data, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                return error_set_errno(err, -errno, "Opening \"%s\"", where.data);
        hand_down_controllers(root);
        s->cgroup = xasprintf("lightd-%s", s->did);
        s->cgroup_fd = make_group(root, s->cgroup);
        if (s->cgroup_fd < 0)
                return error_set_errno(err, s->cgroup_fd, "Making the cgroup \"%s/%s\"", where.data, s->cgroup);
        hand_down_controllers(s->cgroup_fd);
        s->jobs_cgroup_fd = make_jobs_group(s->cgroup_fd);
        if (s->jobs_cgroup_fd < 0)
                return error_set_errno(err, s->jobs_cgroup_fd, "Ending what an earlier daemon left in \"%s/jobs\"", s->cgroup);
        return 0;
}

int places_prepare(struct server *s, struct error *err)
{
        s->run_dir = xasprintf("/run/lightd/%s", s->did);
        s->log_dir = streq(s->dir, DEFAULT_DIR) ? xstrdup("/var/log/lightd") : xasprintf("%s/logs", s->dir);
        int r = make_dir("/run/lightd", 0711, err);
        if (r >= 0)
                r = make_dir(s->run_dir, 0711, err);
        if (r >= 0)
                r = make_dir(s->log_dir, 0700, err);
        if (r >= 0)
                r = idmap_claim(s, err);
        return r < 0 ? r : make_cgroups(s, err);
}

static int set_owner(const char *path, const char *group, struct error *err)
{
        gid_t gid = 0;
        if (!str_empty(group)) {
                struct group *g = getgrnam(group);
                if (!g) {
                        error_set(err, ERR_NOT_FOUND, "There is no group \"%s\" for the socket", group);
                        error_hint(err, "Make it: groupadd --system %s; or start lightd with --group of one that exists",
                                   group);
                        return -ENOENT;
                }
                gid = g->gr_gid;
        }
        return chown(path, 0, gid) < 0 ? error_set_errno(err, -errno, "Giving \"%s\" its group", path) : 0;
}

/* systemd's protocol: LISTEN_PID is us, the sockets start at 3. */
static int socket_from_systemd(void)
{
        const char *pid = getenv("LISTEN_PID"), *n = getenv("LISTEN_FDS");
        if (!pid || !n || strtol(pid, NULL, 10) != getpid() || strtol(n, NULL, 10) < 1)
                return -ENOENT;
        unsetenv("LISTEN_PID");
        unsetenv("LISTEN_FDS");
        fd_set_cloexec(3, true);
        return 3;
}

int places_socket(const char *dir, const char *group, int *ret_fd, struct error *err)
{
        _cleanup_free_ char *path = xasprintf("%s/unix.socket", dir);
        int fd = socket_from_systemd();
        if (fd < 0) {
                unlink(path); /* we hold the directory's lock, so whoever made it is gone */
                fd = fd_unix_listen(path, SOCK_STREAM, 0660);
                if (fd < 0)
                        return error_set_errno(err, fd, "Listening on \"%s\"", path);
                int r = set_owner(path, group, err);
                if (r < 0) {
                        fd_close(fd);
                        return r;
                }
        }
        *ret_fd = fd;
        return 0;
}
