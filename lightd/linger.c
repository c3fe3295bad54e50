/* SPDX-License-Identifier: Apache-2.0 */
#include "lightd/linger.h"
#include "server/server.h"

#define LINGER_NS 50000u

static uv_idle_t handle; /* while it is active the loop polls instead of waiting */
static uint64_t end;

static void on_idle(uv_idle_t *h)
{
        if (uv_hrtime() > end)
                uv_idle_stop(h);
}

void linger(struct uv_loop_s *loop)
{
        if (!handle.loop) {
                uv_idle_init(loop, &handle);
                uv_unref((uv_handle_t *)&handle);
        }
        end = uv_hrtime() + LINGER_NS;
        uv_idle_start(&handle, on_idle);
}
