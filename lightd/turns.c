/* SPDX-License-Identifier: Apache-2.0 */
#include "lightd/turns.h"
#include "base/fd.h"
#include "base/log.h"
#include "server/server.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define LONG_TURN_NS 1000000u

static uint64_t last_now, last_idle, last_queued;
static int schedstat = -EBADF;

/* Nanoseconds this process was ready to run and another one ran (proc(5): the second number of schedstat). */
static uint64_t queued_ns(void)
{
        char text[96];
        ssize_t n = pread(schedstat, text, sizeof text - 1, 0);
        char *rest = text;
        if (n <= 0)
                return 0;
        text[n] = '\0';
        strtoull(text, &rest, 10);
        return strtoull(rest, NULL, 10);
}

/* The preparation is the last thing before the loop waits; what it did since the previous one is one turn. */
static void on_prepare(uv_prepare_t *handle)
{
        uint64_t now = uv_hrtime(), idle = uv_metrics_idle_time(handle->loop), queued = queued_ns();
        uint64_t busy = now - last_now - (idle - last_idle);
        if (last_now && busy > LONG_TURN_NS)
                log_debug("turn us=%llu queued_us=%llu", (unsigned long long)(busy / 1000),
                          (unsigned long long)((queued - last_queued) / 1000));
        last_now = now;
        last_idle = idle;
        last_queued = queued;
}

void turns_watch(struct uv_loop_s *loop)
{
        static uv_prepare_t handle;
        if (!log_enabled(LOG_DEBUG) || uv_loop_configure(loop, UV_METRICS_IDLE_TIME) < 0)
                return;
        schedstat = open("/proc/self/schedstat", O_RDONLY | O_CLOEXEC);
        uv_prepare_init(loop, &handle);
        uv_prepare_start(&handle, on_prepare);
        uv_unref((uv_handle_t *)&handle);
}
