/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/rlimits.h"
#include "base/path.h"
#include "base/strbuf.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>

/* More files than the kernel's own 4096: what service managers raise it to for their services. */
#define FILES_MAX (1024 * 1024)

static const struct default_limit {
        int resource;
        rlim_t soft, hard;
} defaults[] = {
        { RLIMIT_AS, RLIM_INFINITY, RLIM_INFINITY },
        { RLIMIT_CORE, 0, RLIM_INFINITY },
        { RLIMIT_CPU, RLIM_INFINITY, RLIM_INFINITY },
        { RLIMIT_DATA, RLIM_INFINITY, RLIM_INFINITY },
        { RLIMIT_FSIZE, RLIM_INFINITY, RLIM_INFINITY },
        { RLIMIT_LOCKS, RLIM_INFINITY, RLIM_INFINITY },
        { RLIMIT_MEMLOCK, MiB(8), MiB(8) },
        { RLIMIT_MSGQUEUE, 819200, 819200 },
        { RLIMIT_NICE, 0, 0 },
        { RLIMIT_NOFILE, 1024, FILES_MAX },
        { RLIMIT_NPROC, RLIM_INFINITY, RLIM_INFINITY },
        { RLIMIT_RSS, RLIM_INFINITY, RLIM_INFINITY },
        { RLIMIT_RTPRIO, 0, 0 },
        { RLIMIT_RTTIME, RLIM_INFINITY, RLIM_INFINITY },
        { RLIMIT_STACK, MiB(8), RLIM_INFINITY },
};

static int reset(const struct default_limit *d)
{
        struct rlimit now, want = { .rlim_cur = d->soft, .rlim_max = d->hard };
        if (setrlimit((__rlimit_resource_t)d->resource, &want) == 0)
                return 0;
        if (errno != EPERM || getrlimit((__rlimit_resource_t)d->resource, &now) < 0)
                return -errno;
        want.rlim_max = MIN(want.rlim_max, now.rlim_max);
        want.rlim_cur = MIN(want.rlim_cur, want.rlim_max);
        return setrlimit((__rlimit_resource_t)d->resource, &want) < 0 ? -errno : 0;
}

/* Half of the threads the host can have: the kernel's own figure, which no limit holds as a constant. */
static int reset_pending_signals(void)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        int r = path_read_file(AT_FDCWD, "/proc/sys/kernel/threads-max", 64, &b);
        rlim_t half = r < 0 ? 0 : strtoull(strbuf_str(&b), NULL, 10) / 2;
        return half ? reset(&(struct default_limit){ RLIMIT_SIGPENDING, half, half }) : r;
}

int rlimits_reset(void)
{
        int r = reset_pending_signals();
        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(defaults); i++)
                r = reset(&defaults[i]);
        return r;
}
