/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/rlimits.h"

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

int rlimits_reset(void)
{
        for (size_t i = 0; i < ARRAY_SIZE(defaults); i++) {
                int r = reset(&defaults[i]);
                if (r < 0)
                        return r;
        }
        return 0;
}
