/* SPDX-License-Identifier: Apache-2.0 */
#include "server/relay.h"
#include "base/alloc.h"
#include "base/fd.h"

#include <unistd.h>

/* What a unix socket takes at once by default (net.core.wmem_default): a larger frame would be copied in
 * part. */
#define SLICE (size_t)(208 * 1024)
#define SLICES_PER_TURN 4

struct relay {
        struct server *server;
        unsigned ways;
        relay_changed_fn changed;
        void *data;
        struct ws *ws;
        int fd;
        struct watch *watch;
        struct strbuf pending; /* input the descriptor has not taken yet */
        bool is_message_begun; /* bytes of the current message have come: its end is not an empty text */
        bool is_input_over, is_output_over, is_gone, is_broken, is_freed, is_busy;
};

struct relay *relay_new(struct server *s, unsigned ways, relay_changed_fn changed, void *data)
{
        struct relay *r = xnew(struct relay);
        r->server = s;
        r->ways = ways;
        r->changed = changed;
        r->data = data;
        r->fd = -EBADF;
        r->is_output_over = !(ways & RELAY_OUT);
        return r;
}

static void drop_fd(struct relay *r)
{
        watch_stop(TAKE_PTR(r->watch));
        fd_reset(&r->fd);
        strbuf_done(&r->pending);
}

void relay_free(struct relay *r)
{
        if (!r)
                return;
        drop_fd(r);
        ws_abandon(TAKE_PTR(r->ws));
        if (r->is_busy)
                r->is_freed = true; /* freed when its own callback returns */
        else
                free(r);
}

/* ---- watching ---- */

static void on_event(void *data, int fd, int events);

static int wanted_events(const struct relay *r)
{
        bool may_read = (r->ways & RELAY_OUT) && !r->is_output_over && r->ws && !ws_queued(r->ws);
        return (may_read ? UV_READABLE : 0) | (r->pending.len ? UV_WRITABLE : 0);
}

static void update_watch(struct relay *r)
{
        int events = r->fd >= 0 ? wanted_events(r) : 0;
        if (!r->watch && events)
                r->watch = watch_start(r->server, r->fd, events, on_event, r);
        else if (r->watch)
                watch_change(r->watch, events);
}

/* The owner may free the relay in here: nothing of it is touched afterwards unless it is still there. */
static bool tell(struct relay *r)
{
        r->is_busy = true;
        r->changed(r->data);
        r->is_busy = false;
        if (!r->is_freed)
                return true;
        free(r);
        return false;
}

/* ---- websocket to descriptor ---- */

static void end_input(struct relay *r)
{
        r->is_input_over = true;
        if (r->ways == RELAY_IN && !r->pending.len && r->fd >= 0)
                drop_fd(r);
}

/* Nobody reads it any more: what still comes is dropped, as a shell does with a pipe whose reader has left.
 */
static void refuse_input(struct relay *r)
{
        r->is_input_over = true;
        strbuf_done(&r->pending);
        if (r->ways == RELAY_IN)
                drop_fd(r);
}

/* The number of bytes taken; less than n: the rest has to wait, or the input was refused. */
static size_t write_now(struct relay *r, const void *data, size_t n)
{
        const char *p = data;
        size_t done = 0;
        while (done < n) {
                ssize_t k = write(r->fd, p + done, n - done);
                if (k < 0 && errno == EINTR)
                        continue;
                if (k < 0 && errno != EAGAIN)
                        refuse_input(r);
                if (k <= 0)
                        break;
                done += (size_t)k;
        }
        return done;
}

static void take_input(struct relay *r, const uint8_t *data, size_t n)
{
        size_t done = r->fd >= 0 && !r->pending.len ? write_now(r, data, n) : 0;
        if (r->is_input_over || done == n)
                return;
        strbuf_add(&r->pending, data + done, n - done);
        if (r->ws)
                ws_pause(r->ws, true);
        update_watch(r);
}

static void flush_input(struct relay *r)
{
        size_t done = write_now(r, r->pending.data, r->pending.len);
        if (r->pending.len)
                strbuf_consume(&r->pending, done);
        if (r->pending.len)
                return;
        if (r->is_input_over)
                end_input(r);
        if (r->ws)
                ws_pause(r->ws, false);
}

static void on_data(struct ws *ws _unused_, void *data, enum ws_opcode opcode, uint8_t *payload, size_t n,
                    bool is_end)
{
        struct relay *r = data;
        bool is_empty_text = opcode == WS_TEXT && is_end && n == 0 && !r->is_message_begun;
        r->is_message_begun = !is_end && (n || r->is_message_begun);
        if (!(r->ways & RELAY_IN) || r->is_input_over)
                return;
        if (!is_empty_text)
                take_input(r, payload, n);
        else if (r->ways == RELAY_IN) /* a terminal lives on without a keyboard */
                end_input(r);
}

/* ---- descriptor to websocket ---- */

static void end_output(struct relay *r)
{
        r->is_output_over = true;
        if (r->ws)
                ws_send(r->ws, WS_TEXT, "", 0);
        if (r->ways == RELAY_OUT)
                drop_fd(r);
}

static void read_output(struct relay *r)
{
        static uint8_t slice[SLICE]; /* one loop, one slice at a time */
        for (int i = 0; i < SLICES_PER_TURN && r->ws && !ws_queued(r->ws); i++) {
                ssize_t n = read(r->fd, slice, sizeof slice);
                if (n < 0 && (errno == EAGAIN || errno == EINTR))
                        return;
                if (n <= 0) { /* EIO: the last process has left the terminal */
                        end_output(r);
                        return;
                }
                ws_send(r->ws, WS_BINARY, slice, (size_t)n);
        }
}

static void on_event(void *data, int fd _unused_, int events)
{
        struct relay *r = data;
        if ((events & UV_WRITABLE) && r->pending.len)
                flush_input(r);
        if ((events & UV_READABLE) && r->fd >= 0 && !r->is_output_over)
                read_output(r);
        if ((r->ways & RELAY_OUT) && r->is_output_over && relay_is_over(r) && !tell(r))
                return;
        update_watch(r);
}

static void on_drained(struct ws *ws _unused_, void *data)
{
        struct relay *r = data;
        if (!r->is_output_over || tell(r))
                update_watch(r);
}

static void on_closed(struct ws *ws _unused_, void *data)
{
        struct relay *r = data;
        r->is_broken = !relay_is_over(r);
        r->ws = NULL;
        r->is_gone = true;
        if (r->ways == RELAY_IN) {
                end_input(r);
        } else {
                r->is_output_over = r->is_input_over = true;
                drop_fd(r);
        }
        if (tell(r))
                update_watch(r);
}

const struct ws_handler relay_ws_handler = { .data = on_data, .drained = on_drained, .closed = on_closed };

/* ---- the two sides come ---- */

void relay_set_ws(struct relay *r, struct ws *ws)
{
        r->ws = ws;
        if (r->is_output_over && (r->ways & RELAY_OUT))
                ws_send(ws, WS_TEXT, "", 0);
        update_watch(r);
}

void relay_set_fd(struct relay *r, int take_fd)
{
        fd_set_nonblocking(take_fd, true);
        r->fd = take_fd;
        if (r->is_gone && r->ways != RELAY_IN) {
                drop_fd(r);
                return;
        }
        if (r->pending.len)
                flush_input(r);
        else if (r->is_input_over)
                end_input(r);
        update_watch(r);
}

int relay_fd(const struct relay *r)
{
        return r->fd;
}

bool relay_is_connected(const struct relay *r)
{
        return r->ws;
}

bool relay_is_gone(const struct relay *r)
{
        return r->is_gone;
}

bool relay_is_broken(const struct relay *r)
{
        return r->is_broken;
}

bool relay_is_over(const struct relay *r)
{
        return r->is_gone || (r->is_output_over && (!r->ws || !ws_queued(r->ws)));
}
