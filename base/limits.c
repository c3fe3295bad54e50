/* SPDX-License-Identifier: Apache-2.0 */
#include "base/limits.h"
#include "base/alloc.h"
#include "base/path.h"
#include "base/strbuf.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>

/* With less than this left a burst of starts may have met it, although there is room again when we look. */
#define ROOM 100
#define FILE_MAX 4096

#define OPENING (1u << LIMIT_OPEN | 1u << LIMIT_PROCESS | 1u << LIMIT_INSTANCE | 1u << LIMIT_TERMINAL)
#define FORKING (1u << LIMIT_PROCESS | 1u << LIMIT_INSTANCE)
/* /proc/loadavg: "0.00 0.00 0.00 1/123 456": its eighth figure is the number of all threads. */
#define THREADS .used = "loadavg", .used_field = 7
#define PER_OWNER .error = ENOSPC, .acts = 1u << LIMIT_INSTANCE

/*
 * Estimates; the daemon's descriptors were counted (8 each). Neighbours: the host remembers the container and the container
 * its gateway, in one table for all network namespaces; with IPv6 by the link's own address as well.
 */
const struct kernel_limit kernel_limits[] = {
        { "kernel.pid_max", 20, 4194304, "nobody can fork", EAGAIN, FORKING, THREADS },
        { "kernel.threads-max", 20, 0, NULL, EAGAIN, FORKING, THREADS },
        { "fs.file-max", 500, 1000000, "no file can be opened by others than root", ENFILE, OPENING, "sys/fs/file-nr", 0 },
        { "fs.nr_open", 10, 65536, "the daemon has no descriptor left", 0, 0, NULL, 0 },
        { "fs.aio-max-nr", 2560, 1048576, "databases inside find no asynchronous input and output", 0, 0, NULL, 0 },
        { "net.ipv4.neigh.default.gc_thresh3", 2, 4096, "addresses are forgotten and names time out", 0, 0, NULL, 0 },
        { "net.ipv6.neigh.default.gc_thresh3", 3, 4096, "IPv6 addresses are forgotten and names time out", 0, 0, NULL, 0 },
        { "kernel.pty.max", 1, 0, NULL, ENOSPC, 1u << LIMIT_TERMINAL, "sys/kernel/pty/nr", 0 },
        /* Of the owner of the namespaces, and every container is one of its own: what matters is that none is near zero. */
        { "user.max_user_namespaces", PER_OWNER },
        { "user.max_pid_namespaces", PER_OWNER },
        { "user.max_net_namespaces", PER_OWNER },
        { "user.max_uts_namespaces", PER_OWNER },
        { "user.max_ipc_namespaces", PER_OWNER },
        { "user.max_cgroup_namespaces", PER_OWNER },
        { "user.max_mnt_namespaces", PER_OWNER },
        { 0 },
};

const struct kernel_limit *limit_find(const char *sysctl)
{
        const struct kernel_limit *l = kernel_limits;
        while (l->sysctl && !streq(l->sysctl, sysctl))
                l++;
        assert(l->sysctl);
        return l;
}

char *limit_path(const char *root, const char *sysctl)
{
        char *path = xasprintf("%s/proc/sys/%s", root, sysctl);
        for (char *c = path + strlen(root) + strlen("/proc/sys/"); *c; c++)
                if (*c == '.')
                        *c = '/';
        return path;
}

/* The figure at that place among the file's, or -1. */
static long long read_figure(const char *path, unsigned field)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        if (path_read_file(AT_FDCWD, path, FILE_MAX, &b) < 0)
                return -1;
        for (const char *at = strbuf_str(&b); *(at += strcspn(at, "0123456789"));) {
                char *end;
                long long value = strtoll(at, &end, 10);
                if (field-- == 0)
                        return value;
                at = end;
        }
        return -1;
}

/* How many more there could be; LLONG_MAX when the limit is not to be seen. */
static long long room(const char *root, const struct kernel_limit *l, long long *ret_value)
{
        _cleanup_free_ char *path = limit_path(root, l->sysctl), *used = NULL;
        long long value = read_figure(path, 0), taken = 0;
        if (value < 0)
                return INT64_MAX;
        if (l->used) {
                used = xasprintf("%s/proc/%s", root, l->used);
                taken = MAX(read_figure(used, l->used_field), 0LL);
        }
        *ret_value = value;
        return value - taken;
}

const struct kernel_limit *limit_met(const char *root, int r, enum limit_act act, long long *ret_value)
{
        const struct kernel_limit *found = NULL;
        long long least = ROOM;
        for (const struct kernel_limit *l = kernel_limits; l->sysctl; l++) {
                long long value = 0;
                if (l->error == 0 || l->error != -r || !(l->acts & 1u << act))
                        continue;
                long long left = room(root, l, &value);
                if (left >= least)
                        continue;
                least = left;
                found = l;
                *ret_value = value;
        }
        return found;
}

int limit_error_at(const char *root, struct error *err, int r, enum limit_act act, const char *sentence)
{
        long long value = 0;
        const struct kernel_limit *l = limit_met(root, r, act, &value);
        if (!l)
                return error_set_errno(err, r, "%s", sentence);
        error_set(err, ERR_NO_SPACE, "%s: the kernel's limit %s is reached, it is %lld", sentence, l->sysctl, value);
        return error_hint(err, "sysctl -w %s=%lld (and a line in /etc/sysctl.d/); \"lightc doctor\" looks at all limits", l->sysctl,
                          MAX(l->wanted, MAX(value * 2, 65536LL)));
}

int limit_error(struct error *err, int r, enum limit_act act, const char *fmt, ...)
{
        va_list ap;
        _cleanup_strbuf_ struct strbuf sentence = STRBUF_INIT;
        va_start(ap, fmt);
        strbuf_addv(&sentence, fmt, ap);
        va_end(ap);
        return limit_error_at("", err, r, act, strbuf_str(&sentence));
}
