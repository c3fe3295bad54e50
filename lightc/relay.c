/* SPDX-License-Identifier: Apache-2.0 */
#include "lightc/relay.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <termios.h>
#include <unistd.h>

#define CTRL_A 1
#define INTERRUPTS_TO_LEAVE 3

void relay_done(struct relay *r)
{
        stream_done(&r->in);
        stream_done(&r->out);
        stream_done(&r->err);
        stream_done(&r->control);
}

void relay_window_size(int *ret_width, int *ret_height)
{
        struct winsize ws;
        bool is_known = ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) == 0 && ws.ws_col && ws.ws_row;
        *ret_width = is_known ? ws.ws_col : 80;
        *ret_height = is_known ? ws.ws_row : 24;
}

static int begin_one(struct client *c, struct stream *s, struct json_object *operation, const char *name,
                     struct error *err)
{
        struct json_object *fds = json_get_object(json_get_object(operation, "metadata"), "fds");
        const char *secret = json_get_string(fds, name, NULL), *id = json_get_string(operation, "id", "");
        if (!secret)
                return error_set(err, ERR_INTERNAL, "The daemon's answer has no stream \"%s\"", name);
        _cleanup_free_ char *url = client_url(c, NULL, "operations", id, "websocket", NULL);
        client_url_add(&url, "secret", secret);
        return stream_begin(c, s, url, err);
}

int relay_open(struct client *c, struct relay *r, struct json_object *operation, struct error *err)
{
        struct stream *const all[] = { &r->in, &r->out, &r->err, &r->control };
        static const char *const names[] = { "0", "1", "2", "control" };
        for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
                if (r->is_terminal && (i == 1 || i == 2))
                        continue;
                int e = begin_one(c, all[i], operation, names[i], err);
                if (e < 0)
                        return e;
        }
        for (size_t i = 0; i < ARRAY_SIZE(all); i++) {
                int e = all[i]->fd >= 0 ? stream_finish(all[i], err) : 0;
                if (e < 0)
                        return e;
        }
        return 0;
}

/* Raw mode until the scope ends, however it ends. */
struct terminal {
        struct termios before;
        bool is_raw;
};

static void terminal_restore(struct terminal *t)
{
        if (t->is_raw)
                tcsetattr(STDIN_FILENO, TCSANOW, &t->before);
        t->is_raw = false;
}

static void terminal_make_raw(struct terminal *t)
{
        struct termios raw;
        if (tcgetattr(STDIN_FILENO, &t->before) < 0)
                return;
        raw = t->before;
        cfmakeraw(&raw);
        t->is_raw = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
}

static const int forwarded[] = { SIGTERM, SIGHUP, SIGINT, SIGQUIT, SIGUSR1, SIGUSR2, SIGCONT };

static int catch_signals(const struct relay *r, sigset_t *ret_before)
{
        sigset_t set;
        sigemptyset(&set);
        for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
                sigaddset(&set, forwarded[i]);
        if (r->is_terminal)
                sigaddset(&set, SIGWINCH);
        sigprocmask(SIG_BLOCK, &set, ret_before);
        return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static int send_control(struct relay *r, const char *text)
{
        if (r->control.is_ended)
                return 0;
        return stream_send_now(&r->control, WEBSOCKET_TEXT, text, strlen(text));
}

static int send_window_size(struct relay *r)
{
        char text[128];
        int width, height;
        relay_window_size(&width, &height);
        snprintf(text, sizeof(text), "{\"command\":\"window-resize\",\"args\":{\"width\":\"%d\",\"height\":\"%d\"}}", width,
                 height);
        return send_control(r, text);
}

static int write_out(void *data, const char *bytes, size_t n, bool is_message_end _unused_)
{
        return fd_write_all(*(int *)data, bytes, n);
}

struct session {
        struct relay *relay;
        int signal_fd;
        unsigned n_interrupts;
        bool is_input_ended, has_left, has_ctrl_a;
};

/* A command that takes no notice of Ctrl-C must not hold the user for ever: the third one leaves it alone. */
static int forward_signal(struct session *s)
{
        struct signalfd_siginfo info;
        char text[64];
        if (read(s->signal_fd, &info, sizeof(info)) != sizeof(info))
                return 0;
        if (info.ssi_signo == SIGWINCH)
                return send_window_size(s->relay);
        if (info.ssi_signo == SIGINT && ++s->n_interrupts == INTERRUPTS_TO_LEAVE)
                s->has_left = true;
        snprintf(text, sizeof(text), "{\"command\":\"signal\",\"args\":null,\"signal\":%u}", info.ssi_signo);
        return send_control(s->relay, text);
}

/* Ctrl-a q leaves, Ctrl-a a is a Ctrl-a. *n shrinks by what is kept back. True: leave. */
static bool filter_escape(struct session *s, char *bytes, size_t *n)
{
        size_t kept = 0;
        for (size_t i = 0; i < *n; i++) {
                if (!s->has_ctrl_a && bytes[i] == CTRL_A) {
                        s->has_ctrl_a = true;
                        continue;
                }
                if (s->has_ctrl_a && bytes[i] == 'q')
                        return true;
                if (s->has_ctrl_a && bytes[i] == 'a')
                        bytes[i] = CTRL_A;
                s->has_ctrl_a = false;
                bytes[kept++] = bytes[i];
        }
        *n = kept;
        return false;
}

static int send_input(struct session *s)
{
        struct relay *r = s->relay;
        ssize_t got = read(r->stdin_fd, stream_payload(&r->in), STREAM_CHUNK);
        if (got < 0 && (errno == EAGAIN || errno == EINTR))
                return 0;
        if (got <= 0) {
                s->is_input_ended = true;
                return stream_send(&r->in, WEBSOCKET_TEXT, 0);
        }
        size_t n = (size_t)got;
        if (r->has_escape && filter_escape(s, stream_payload(&r->in), &n)) {
                s->has_left = true;
                return 0;
        }
        return n ? stream_send(&r->in, WEBSOCKET_BINARY, n) : 0;
}

static bool is_open(const struct stream *s)
{
        return s->fd >= 0 && !s->is_ended;
}

/* A command may close its outputs and go on: only the end of control is its own. Before, closing ours would hang it up. */
static bool is_over(const struct session *s)
{
        const struct relay *r = s->relay;
        return s->has_left ||
               (r->is_terminal ? !is_open(&r->in) : !is_open(&r->out) && !is_open(&r->err) && !is_open(&r->control));
}

enum { SLOT_STDIN, SLOT_IN, SLOT_OUT, SLOT_ERR, SLOT_CONTROL, SLOT_SIGNAL, _SLOT_MAX };

static void prepare(const struct session *s, struct pollfd *p)
{
        const struct relay *r = s->relay;
        bool wants_input = is_open(&r->in) && !s->is_input_ended && !stream_is_sending(&r->in);
        p[SLOT_STDIN] = (struct pollfd){ .fd = wants_input ? r->stdin_fd : -1, .events = POLLIN };
        p[SLOT_IN] = (struct pollfd){ .fd = is_open(&r->in) ? r->in.fd : -1,
                                      .events = POLLIN | (stream_is_sending(&r->in) ? POLLOUT : 0) };
        p[SLOT_OUT] = (struct pollfd){ .fd = is_open(&r->out) ? r->out.fd : -1, .events = POLLIN };
        p[SLOT_ERR] = (struct pollfd){ .fd = is_open(&r->err) ? r->err.fd : -1, .events = POLLIN };
        p[SLOT_CONTROL] = (struct pollfd){ .fd = is_open(&r->control) ? r->control.fd : -1, .events = POLLIN };
        p[SLOT_SIGNAL] = (struct pollfd){ .fd = s->signal_fd, .events = POLLIN };
}

static int ignore_data(void *data _unused_, const char *bytes _unused_, size_t n _unused_, bool is_end _unused_)
{
        return 0;
}

/* Nobody reads our output any more ("… | head"): without its stream the command's own pipe tells it so. */
static int read_out(struct stream *s, int *fd)
{
        int e = stream_read(s, write_out, fd);
        if (e != -EPIPE)
                return e;
        stream_done(s);
        return 0;
}

/* The command may end without having read its input: that is no error of ours. */
static int tolerate(struct stream *s, int r)
{
        if (r == -EPIPE || r == -ECONNRESET) {
                s->is_ended = s->is_lost = true;
                return 0;
        }
        return r;
}

static int turn(struct session *s, const struct pollfd *p)
{
        static int out_fd = STDOUT_FILENO, err_fd = STDERR_FILENO;
        struct relay *r = s->relay;
        int e = 0;
        if (p[SLOT_SIGNAL].revents)
                e = tolerate(&r->control, forward_signal(s));
        if (e == 0 && p[SLOT_OUT].revents)
                e = read_out(&r->out, &out_fd);
        if (e == 0 && p[SLOT_ERR].revents)
                e = read_out(&r->err, &err_fd);
        if (e == 0 && (p[SLOT_IN].revents & ~POLLOUT))
                e = stream_read(&r->in, r->is_terminal ? write_out : ignore_data, &out_fd);
        if (e == 0 && (p[SLOT_IN].revents & POLLOUT))
                e = tolerate(&r->in, stream_flush(&r->in));
        if (e == 0 && p[SLOT_CONTROL].revents)
                e = stream_read(&r->control, ignore_data, NULL);
        if (e == 0 && p[SLOT_STDIN].revents)
                e = tolerate(&r->in, send_input(s));
        return e;
}

static bool has_input_waiting(const struct stream *s)
{
        return is_open(s) && s->n_pos > 0;
}

/* What came with the handshake is no news to poll(). */
static int drain_first(struct session *s)
{
        struct relay *r = s->relay;
        struct pollfd p[_SLOT_MAX] = { 0 };
        p[SLOT_IN].revents = has_input_waiting(&r->in) ? POLLIN : 0;
        p[SLOT_OUT].revents = has_input_waiting(&r->out) ? POLLIN : 0;
        p[SLOT_ERR].revents = has_input_waiting(&r->err) ? POLLIN : 0;
        p[SLOT_CONTROL].revents = has_input_waiting(&r->control) ? POLLIN : 0;
        return turn(s, p);
}

static int run_session(struct session *s)
{
        struct relay *r = s->relay;
        if (r->stdin_fd < 0) {
                s->is_input_ended = true;
                stream_send(&r->in, WEBSOCKET_TEXT, 0);
        }
        int e = drain_first(s);
        while (e == 0 && !is_over(s)) {
                struct pollfd p[_SLOT_MAX];
                prepare(s, p);
                if (poll(p, _SLOT_MAX, -1) < 0) {
                        if (errno != EINTR)
                                return -errno;
                        continue;
                }
                e = turn(s, p);
        }
        return e;
}

static enum relay_end end_of(const struct session *s)
{
        const struct relay *r = s->relay;
        if (s->has_left)
                return RELAY_LEFT;
        return (r->is_terminal ? r->in.is_lost : r->control.is_lost) ? RELAY_LOST : RELAY_OVER;
}

int relay_run(struct relay *r, enum relay_end *ret_end, struct error *err)
{
        _cleanup_(terminal_restore) struct terminal terminal = { 0 };
        sigset_t before;
        _cleanup_close_ int signal_fd = catch_signals(r, &before);
        struct session s = { .relay = r, .signal_fd = signal_fd };
        if (r->is_terminal) {
                terminal_make_raw(&terminal);
                send_window_size(r);
        }
        int e = run_session(&s);
        stream_close(&r->in);
        stream_close(&r->out);
        stream_close(&r->err);
        stream_close(&r->control);
        sigprocmask(SIG_SETMASK, &before, NULL);
        *ret_end = end_of(&s);
        return e < 0 ? error_set_errno(err, e, "The session broke") : 0;
}
