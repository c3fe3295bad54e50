/* SPDX-License-Identifier: Apache-2.0 */
#include "lightd/turns.h"
#include "base/log.h"
#include "server/server.h"

#define LONG_TURN_NS 1000000u

static uint64_t last_now, last_idle;

/* The preparation is the last thing before the loop waits; what it did since the previous one is one turn. */
static void on_prepare(uv_prepare_t *handle)
{
        uint64_t now = uv_hrtime(), idle = uv_metrics_idle_time(handle->loop);
        uint64_t busy = now - last_now - (idle - last_idle);
        if (last_now && busy > LONG_TURN_NS)
                log_debug("turn us=%llu", (unsigned long long)(busy / 1000));
        last_now = now;
        last_idle = idle;
}

void turns_watch(struct uv_loop_s *loop)
{
        static uv_prepare_t handle;
        if (!log_enabled(LOG_DEBUG) || uv_loop_configure(loop, UV_METRICS_IDLE_TIME) < 0)
                return;
        uv_prepare_init(loop, &handle);
        uv_prepare_start(&handle, on_prepare);
        uv_unref((uv_handle_t *)&handle);
}
