/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/time.h"
#include "images/worker/sandbox-internal.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static bool line_has_memory(const char *line, char **ret_root, bool *ret_is_v2)
{
        char where[512], type[32], options[512];
        if (sscanf(line, "%*s %511s %31s %511s", where, type, options) != 3)
                return false;
        _cleanup_free_ char *padded = xasprintf(",%s,", options);
        _cleanup_free_ char *probe = xasprintf("%s/cgroup.controllers", where);
        _cleanup_strbuf_ struct strbuf have = STRBUF_INIT;
        bool is_v1 = streq(type, "cgroup") && strstr(padded, ",memory,");
        *ret_is_v2 = streq(type, "cgroup2") && path_read_file(AT_FDCWD, probe, 4096, &have) == 0 &&
                     strstr(strbuf_str(&have), "memory");
        if (is_v1 || *ret_is_v2)
                *ret_root = xstrdup(where);
        return is_v1 || *ret_is_v2;
}

/* Where the memory controller is: its v1 hierarchy, or the cgroup2 tree if that has it. */
static int find_hierarchy(char **ret_root, bool *ret_is_v2)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        int r = path_read_file(AT_FDCWD, "/proc/self/mounts", MiB(1), &b);
        if (r < 0)
                return r;
        for (char *line = b.data, *next; line && *line; line = next) {
                next = strchrnul(line, '\n');
                if (*next)
                        *next++ = '\0';
                if (line_has_memory(line, ret_root, ret_is_v2))
                        return 0;
        }
        return -ENOENT;
}

static int set_limits(const struct memory_group *g, uint64_t max_bytes)
{
        _cleanup_free_ char *value = xasprintf("%llu", (unsigned long long)max_bytes);
        _cleanup_close_ int dir = open(g->path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return -errno;
        int r = path_write_value(dir, g->is_v2 ? "memory.max" : "memory.limit_in_bytes", value);
        if (r < 0)
                return r;
        /* Absent without swap accounting, and then there is nothing to bound. */
        (void)path_write_value(dir, g->is_v2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes",
                               g->is_v2 ? "0" : value);
        return 0;
}

/* v2: a group has the controller only if every group above hands it down. What cannot be set shows when the
 * limit is. */
static int make_v2_parents(const char *root, const char *name)
{
        for (const char *slash = name; slash; slash = strchr(slash + 1, '/')) {
                _cleanup_free_ char *above =
                        slash == name ? xstrdup(root) : xasprintf("%s/%.*s", root, (int)(slash - name), name);
                _cleanup_free_ char *control = xasprintf("%s/cgroup.subtree_control", above);
                int r = path_mkdir_all(above, 0755);
                if (r < 0)
                        return r;
                (void)path_write_value(AT_FDCWD, control, "+memory");
        }
        return 0;
}

/* Not through cgroup.procs: moving a process waits for an RCU grace period; birth and v1's tasks do not. */
static int open_entrance(struct memory_group *g)
{
        _cleanup_free_ char *tasks = xasprintf("%s/tasks", g->path);
        if (g->is_v2)
                g->born_in_fd = open(g->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        else
                g->join_fd = open(tasks, O_WRONLY | O_CLOEXEC);
        return g->join_fd < 0 && g->born_in_fd < 0 ? -errno : 0;
}

int memory_group_create(struct memory_group *g, const char *name, uint64_t max_bytes)
{
        _cleanup_free_ char *root = NULL;
        int r = find_hierarchy(&root, &g->is_v2);
        if (r < 0)
                return r;
        g->path = xasprintf("%s/%s", root, name);
        r = g->is_v2 ? make_v2_parents(root, name) : 0;
        if (r == 0)
                r = path_mkdir_all(g->path, 0755);
        if (r == 0)
                r = set_limits(g, max_bytes);
        /* Not handed down (processes sit in a group above): the resource limits of the child are what bounds
         * it. */
        if (g->is_v2 && r == -ENOENT)
                return memory_group_remove(g), 0;
        if (r < 0)
                return r;
        return open_entrance(g);
}

bool memory_group_was_killed(const struct memory_group *g)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        if (!g->path)
                return false;
        _cleanup_free_ char *file =
                xasprintf("%s/%s", g->path, g->is_v2 ? "memory.events" : "memory.oom_control");
        if (path_read_file(AT_FDCWD, file, 4096, &b) < 0)
                return false;
        const char *at = strstr(strbuf_str(&b), "oom_kill ");
        return at && at[strlen("oom_kill ")] != '0';
}

void memory_group_remove(struct memory_group *g)
{
        fd_reset(&g->join_fd);
        fd_reset(&g->born_in_fd);
        if (!g->path)
                return;
        /* A killed pid namespace's last tasks leave the group a moment after their parent was reaped. */
        uint64_t until = time_monotonic_ms() + 2000;
        while (rmdir(g->path) < 0 && errno == EBUSY && time_monotonic_ms() < until)
                poll(NULL, 0, 2);
        free(TAKE_PTR(g->path));
}
