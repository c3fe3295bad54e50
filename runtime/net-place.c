/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/net.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/time.h"
#include "base/worker.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#define KILL_TIMEOUT_MS 5000

static bool has_cgroup(void)
{
        return fcntl(WORKER_FD_FIRST, F_GETFD) >= 0;
}

static int create_cgroup(const char *name)
{
        _cleanup_free_ char *path = xasprintf("net/%s", name);
        if (mkdirat(WORKER_FD_FIRST, "net", 0755) < 0 && errno != EEXIST)
                return -errno;
        return mkdirat(WORKER_FD_FIRST, path, 0755) < 0 && errno != EEXIST ? -errno : 0;
}

/* dnsmasq has dropped root when it reads the host entries: its group may, other users of the host may not. */
static int create_dirs(const char *name, struct json_object *args)
{
        const char *run_dir = json_get_string(args, "run_dir", NULL);
        if (!run_dir)
                return 0;
        _cleanup_free_ char *hosts = xasprintf("%s/%s/hosts", run_dir, name);
        int r = path_mkdir_all(hosts, 0711);
        if (r < 0)
                return r;
        if (chown(hosts, 0, (gid_t)json_get_int(args, "gid", 0)) < 0 || chmod(hosts, 0750) < 0)
                return -errno;
        return 0;
}

int net_place_create(const char *name, struct json_object *args, struct error *err)
{
        int r = create_dirs(name, args);
        if (r >= 0 && has_cgroup())
                r = create_cgroup(name);
        return r < 0 ? error_set_errno(err, r, "Preparing the directories of the network \"%s\"", name) : 0;
}

static bool is_populated(int dir)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        return path_read_file(dir, "cgroup.events", KiB(4), &b) >= 0 && strstr(strbuf_str(&b), "populated 1");
}

static int wait_until_empty(int dir)
{
        uint64_t end = time_monotonic_ms() + KILL_TIMEOUT_MS;
        _cleanup_close_ int events = openat(dir, "cgroup.events", O_RDONLY | O_CLOEXEC);
        while (is_populated(dir)) {
                /* The state may change between look and poll: a bounded wait, then another look. */
                struct pollfd p = { .fd = events, .events = POLLPRI };
                if (time_monotonic_ms() > end)
                        return -ETIMEDOUT;
                poll(&p, 1, 50);
        }
        return 0;
}

int net_place_kill(const char *name, struct error *err)
{
        if (!has_cgroup())
                return 0;
        _cleanup_free_ char *path = xasprintf("net/%s", name);
        _cleanup_close_ int dir = openat(WORKER_FD_FIRST, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return 0;
        int r = path_write_value(dir, "cgroup.kill", "1");
        if (r >= 0)
                r = wait_until_empty(dir);
        return r < 0 ? error_set_errno(err, r, "Stopping dnsmasq of the network \"%s\"", name) : 0;
}

void net_place_remove(const char *name, struct json_object *args)
{
        const char *run_dir = json_get_string(args, "run_dir", NULL);
        if (has_cgroup()) {
                _cleanup_free_ char *path = xasprintf("net/%s", name);
                unlinkat(WORKER_FD_FIRST, path, AT_REMOVEDIR);
                unlinkat(WORKER_FD_FIRST, "net", AT_REMOVEDIR); /* the last one takes it away */
        }
        _cleanup_close_ int dir = run_dir ? open(run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -EBADF;
        if (dir >= 0)
                path_remove_tree(dir, name);
}
