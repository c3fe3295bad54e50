/* SPDX-License-Identifier: Apache-2.0 */
#include "lightd/pump.h"
#include "server/server.h"
#include "base/alloc.h"

#include <fcntl.h>
#include <poll.h>

#define PIECE MiB(1)
#define PIECES_PER_TURN 4 /* the loop has others to serve */

struct pump {
        int from, to;
        uint64_t left;
        struct watch *readable, *writable; /* one of the two is on */
        pump_done_fn done;
        void *data;
};

/* EAGAIN does not say which side it was. */
static void wait_for_a_side(struct pump *p)
{
        struct pollfd from = { .fd = p->from, .events = POLLIN };
        bool is_full = poll(&from, 1, 0) > 0;
        watch_change(p->readable, is_full ? 0 : UV_READABLE);
        watch_change(p->writable, is_full ? UV_WRITABLE : 0);
}

static void on_event(void *data, int fd _unused_, int events _unused_)
{
        struct pump *p = data;
        for (int i = 0; i < PIECES_PER_TURN && p->left; i++) {
                size_t piece = (size_t)MIN(p->left, (uint64_t)PIECE);
                ssize_t n = splice(p->from, NULL, p->to, NULL, piece, SPLICE_F_MOVE | SPLICE_F_NONBLOCK);
                if (n < 0 && (errno == EAGAIN || errno == EINTR)) {
                        wait_for_a_side(p);
                        return;
                }
                if (n <= 0) {
                        p->done(p->data, n < 0 ? -errno : -ENODATA, p->left);
                        return;
                }
                p->left -= (uint64_t)n;
        }
        if (!p->left)
                p->done(p->data, 0, 0);
}

struct pump *pump_start(struct server *s, int from, int to, uint64_t n, pump_done_fn done, void *data)
{
        struct pump *p = xnew(struct pump);
        *p = (struct pump){ .from = from, .to = to, .left = n, .done = done, .data = data };
        p->readable = watch_start(s, from, UV_READABLE, on_event, p);
        p->writable = watch_start(s, to, 0, on_event, p);
        return p;
}

void pump_stop(struct pump *p)
{
        if (!p)
                return;
        watch_stop(p->readable);
        watch_stop(p->writable);
        free(p);
}
