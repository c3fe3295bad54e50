/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon's half of the SQLite store. One epoll descriptor stands for the stream, the child's pidfd and
 * the timer before a restart, so that the caller's poll handle is the same for the store's whole life.
 *
 *   STARTING   the child opens the database              HELLO → LOADING, RESOLVING or UP
 *   LOADING    its records arrive                        LOADED → UP
 *   RESOLVING  what became of commits sent to the last one?   the last RESULT → UP
 *   UP
 *   DYING      lost; waiting for its pidfd. A new child would only wait for the old one's lock.
 *   RESTING    between attempts
 *   DOWN       lost before anything was loaded: the caller's decision
 */
#include "base/alloc.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/process.h"
#include "store/child.h"
#include "store/protocol.h"
#include "store/store-internal.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/uio.h>
#include <unistd.h>

#define READ_CHUNK KiB(64)
#define READS_PER_TURN 16 /* the loop has others to serve */
#define SEND_BATCH 64
#define REST_FIRST_MS 50
#define REST_MAX_MS 5000
#define END_TIMEOUT_MS 10000

enum state {
        STATE_DOWN,
        STATE_STARTING,
        STATE_LOADING,
        STATE_RESOLVING,
        STATE_UP,
        STATE_DYING,
        STATE_RESTING
};
enum source { SOURCE_STREAM, SOURCE_CHILD, SOURCE_TIMER };

struct pending {
        struct list link;
        struct strbuf frame; /* freed once it is sent */
        size_t sent;
        uint64_t id;
        store_done_fn *done;
        void *data;
};

struct client {
        struct store base; /* its fd is the epoll descriptor */
        struct store_options options;
        char *dir, *program;
        enum state state;
        int stream, pidfd, timer;
        pid_t pid;
        bool wants_write;
        bool is_loaded;
        unsigned failures;         /* children lost in a row without one commit stored */
        struct strbuf in, control; /* control: LOAD, RESOLVE; sent before any commit */
        struct list sent, unsent;
        size_t unsent_bytes;
        uint64_t next_id;
        store_record_fn *record;
        store_loaded_fn *loaded;
        void *load_data;
        struct error why;
};

static struct client *client_of(const struct store *s)
{
        return container_of((struct store *)s, struct client, base);
}

static int watch(struct client *c, int op, int fd, enum source source, uint32_t events)
{
        struct epoll_event event = { .events = events, .data.u32 = source };
        return epoll_ctl(c->base.fd, op, fd, &event) < 0 ? -errno : 0;
}

static void want_write(struct client *c, bool wants)
{
        if (c->wants_write == wants || c->stream < 0)
                return;
        c->wants_write = wants;
        watch(c, EPOLL_CTL_MOD, c->stream, SOURCE_STREAM, EPOLLIN | (wants ? EPOLLOUT : 0));
}

static int make_args(struct client *c)
{
        _cleanup_json_ struct json_object *args = json_object_new_object();
        json_set_string(args, "dir", c->dir);
        const char *text = json_text(args);
        return fd_memfd_sealed("store-args", text, strlen(text));
}

/* A failpoint is for one child: the next one has to live. */
static void take_failpoint(char buffer[static 96])
{
        const char *fail = getenv("LIGHTD_STORE_FAIL");
        snprintf(buffer, 96, "LIGHTD_STORE_FAIL=%s", fail ? fail : "");
        unsetenv("LIGHTD_STORE_FAIL");
}

/* Without its two descriptors in epoll a child would be deaf: then rather none. */
static int watch_child(struct client *c)
{
        int status, r = watch(c, EPOLL_CTL_ADD, c->stream, SOURCE_STREAM, EPOLLIN);
        if (r == 0)
                r = watch(c, EPOLL_CTL_ADD, c->pidfd, SOURCE_CHILD, EPOLLIN);
        if (r == 0)
                return 0;
        fd_reset(&c->stream);
        process_signal(c->pidfd, SIGKILL);
        process_wait(c->pidfd, &status);
        fd_reset(&c->pidfd);
        c->pid = 0;
        return r;
}

static int spawn(struct client *c)
{
        static const char *const argv[] = { "lightd", "--store", NULL };
        char fail[96];
        int pair[2];
        take_failpoint(fail);
        const char *const env[] = { "PATH=/usr/bin:/bin", "LANG=C.UTF-8", "TZ=UTC", fail, NULL };
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        _cleanup_close_ int ours = pair[0], theirs = pair[1], args = make_args(c);
        if (args < 0)
                return args;
        struct process_spec spec = { .path = c->program ? c->program : "/proc/self/exe",
                                     .argv = argv,
                                     .env = env,
                                     .fds = { -EBADF, -EBADF, STDERR_FILENO, args, -EBADF, theirs },
                                     .n_fds = STORE_CHILD_FD + 1,
                                     .cgroup_fd = -EBADF,
                                     .is_session_leader = true };
        int r = fd_set_nonblocking(ours, true);
        if (r == 0)
                r = process_spawn(&spec, &c->pid, &c->pidfd);
        if (r < 0)
                return r;
        c->stream = TAKE_FD(ours);
        c->wants_write = false;
        c->state = STATE_STARTING;
        return watch_child(c);
}

static void rest(struct client *c)
{
        unsigned doublings = MIN(c->failures, 7u);
        uint64_t ms = MIN((uint64_t)REST_FIRST_MS << doublings, (uint64_t)REST_MAX_MS);
        struct itimerspec when = { .it_value = { (time_t)(ms / 1000), (long)(ms % 1000) * 1000000 } };
        c->failures++;
        c->state = STATE_RESTING;
        timerfd_settime(c->timer, 0, &when, NULL);
}

/* The first loss is mended at once; a child that dies again and again is given time. */
static void restart(struct client *c)
{
        if (!c->is_loaded) {
                c->state = STATE_DOWN;
                return;
        }
        if (c->failures) {
                rest(c);
                return;
        }
        c->failures = 1;
        if (spawn(c) < 0)
                rest(c);
}

static void finish(struct client *c, struct pending *p, const struct store_result *result)
{
        list_remove(&p->link);
        c->base.n_pending--;
        c->unsent_bytes -= p->frame.len;
        strbuf_done(&p->frame);
        p->done(p->data, result);
        free(p);
}

static void finish_all(struct client *c, struct list *l, int r)
{
        struct store_result result = { .r = r };
        while (!list_is_empty(l))
                finish(c, container_of(l->next, struct pending, link), &result);
}

static void report_loss(struct client *c)
{
        store_loaded_fn *loaded = TAKE_PTR(c->loaded);
        if (loaded)
                loaded(c->load_data, c->why.code ? error_errno(c->why.code) : -EHOSTDOWN, &c->why);
        else if (c->options.on_state)
                c->options.on_state(c->options.data, false, error_message(&c->why));
}

/* What was not sent whole cannot have been stored; what was sent waits for the next child's word. */
static void lose_child(struct client *c)
{
        if (c->stream < 0)
                return;
        fd_reset(&c->stream);
        strbuf_clear(&c->in);
        strbuf_clear(&c->control);
        process_signal(c->pidfd, SIGKILL);
        c->state = STATE_DYING;
        if (!c->why.code)
                error_set(&c->why, ERR_UNAVAILABLE, "The store's process ended unexpectedly");
        finish_all(c, &c->unsent, -EHOSTDOWN);
        report_loss(c);
}

static void on_child_ended(struct client *c)
{
        int status;
        process_wait(c->pidfd, &status);
        fd_reset(&c->pidfd);
        c->pid = 0;
        restart(c);
}

static size_t gather(struct client *c, struct iovec iov[static SEND_BATCH])
{
        size_t n = 0;
        struct pending *p;
        if (c->control.len)
                iov[n++] = (struct iovec){ c->control.data, c->control.len };
        list_for_each (p, &c->unsent, link) {
                if (n == SEND_BATCH)
                        break;
                iov[n++] = (struct iovec){ p->frame.data + p->sent, p->frame.len - p->sent };
        }
        return n;
}

static void mark_sent(struct client *c, size_t k)
{
        struct pending *p;
        size_t control = MIN(k, c->control.len);
        strbuf_consume(&c->control, control);
        k -= control;
        list_for_each (p, &c->unsent, link) {
                size_t part = MIN(k, p->frame.len - p->sent);
                p->sent += part;
                k -= part;
                if (p->sent < p->frame.len)
                        return;
                c->unsent_bytes -= p->frame.len;
                strbuf_done(&p->frame);
                list_remove(&p->link);
                list_append(&c->sent, &p->link);
        }
}

/* A broken stream is noticed by epoll, not here: this also runs inside store_commit(), where no `done` may be
 * called. */
static void flush(struct client *c)
{
        struct iovec iov[SEND_BATCH];
        size_t n;
        while (c->stream >= 0 && (n = gather(c, iov)) > 0) {
                struct msghdr message = { .msg_iov = iov, .msg_iovlen = n };
                ssize_t k = sendmsg(c->stream, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
                if (k < 0) {
                        want_write(c, errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR);
                        return;
                }
                mark_sent(c, (size_t)k);
        }
        want_write(c, false);
}

static void come_up(struct client *c)
{
        bool was_lost = c->failures > 0;
        c->state = STATE_UP;
        error_done(&c->why);
        if (was_lost && c->options.on_state)
                c->options.on_state(c->options.data, true, "The store is writable again");
}

static void ask_for_fates(struct client *c)
{
        uint64_t ids[STORE_PENDING_MAX];
        uint32_t n = 0;
        struct pending *p;
        list_for_each (p, &c->sent, link)
                ids[n++] = p->id;
        if (n == 0) {
                come_up(c);
                return;
        }
        c->state = STATE_RESOLVING;
        protocol_write_resolve(&c->control, ids, n);
        flush(c);
}

static void start_loading(struct client *c)
{
        c->state = STATE_LOADING;
        protocol_write_empty(&c->control, FRAME_LOAD);
        flush(c);
}

static int on_hello(struct client *c, const struct frame *f)
{
        struct wire_hello m;
        int r = protocol_read_hello(f, &m);
        if (r < 0 || c->state != STATE_STARTING)
                return -EBADMSG;
        c->next_id = MAX(c->next_id, m.next_id);
        c->base.did = m.did;
        if (!c->is_loaded)
                start_loading(c);
        else
                ask_for_fates(c);
        return 0;
}

static int on_record(struct client *c, const struct frame *f)
{
        struct store_record m;
        int r = protocol_read_record(f, &m);
        if (r < 0 || c->state != STATE_LOADING || !c->record)
                return -EBADMSG;
        c->record(c->load_data, &m);
        return 0;
}

static int on_loaded(struct client *c)
{
        store_loaded_fn *loaded = TAKE_PTR(c->loaded);
        if (c->state != STATE_LOADING || !loaded)
                return -EBADMSG;
        c->is_loaded = true;
        come_up(c);
        loaded(c->load_data, 0, NULL);
        return 0;
}

static int on_result(struct client *c, const struct frame *f)
{
        struct wire_result m;
        int r = protocol_read_result(f, &m);
        if (r < 0 || list_is_empty(&c->sent))
                return -EBADMSG;
        struct pending *p = container_of(c->sent.next, struct pending, link);
        if (p->id != m.id)
                return -EBADMSG;
        if (c->state == STATE_UP && m.result.r == 0)
                c->failures = 0;
        finish(c, p, &m.result);
        if (c->state == STATE_RESOLVING && list_is_empty(&c->sent))
                come_up(c);
        return 0;
}

static int on_bye(struct client *c, const struct frame *f)
{
        struct wire_bye m;
        int r = protocol_read_bye(f, &m);
        if (r < 0)
                return r;
        error_set(&c->why, error_code_from_errno(m.r ? m.r : -EIO), "%s", m.message);
        if (*m.hint)
                error_hint(&c->why, "%s", m.hint);
        return 0;
}

static int handle_frame(struct client *c, const struct frame *f)
{
        switch ((int)f->type) {
        case FRAME_HELLO:
                return on_hello(c, f);
        case FRAME_RECORD:
                return on_record(c, f);
        case FRAME_LOADED:
                return on_loaded(c);
        case FRAME_RESULT:
                return on_result(c, f);
        case FRAME_BYE:
                return on_bye(c, f);
        default:
                return -EBADMSG;
        }
}

static int handle_input(struct client *c)
{
        struct frame f;
        size_t at = 0, used;
        int r;
        while ((r = protocol_next_frame(strbuf_str(&c->in) + at, c->in.len - at, &f, &used)) > 0) {
                r = handle_frame(c, &f);
                if (r < 0)
                        return r;
                at += used;
        }
        strbuf_consume(&c->in, at);
        if (c->in.len == 0 && c->in.cap > 4 * READ_CHUNK)
                strbuf_done(&c->in); /* a long record's megabytes */
        return r;
}

/* 1 more may be there; 0 not now; negative: lost. */
static int read_some(struct client *c)
{
        char *to = strbuf_reserve(&c->in, READ_CHUNK);
        if (!to)
                return -EBADMSG;
        ssize_t k = recv(c->stream, to, READ_CHUNK, MSG_DONTWAIT);
        if (k < 0)
                return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR ? 0 : -errno;
        if (k == 0)
                return -EPIPE;
        c->in.len += (size_t)k;
        int r = handle_input(c);
        return r < 0 ? r : (size_t)k == READ_CHUNK;
}

static void on_stream(struct client *c, uint32_t events)
{
        if (c->stream < 0)
                return;
        if (events & EPOLLOUT)
                flush(c);
        int r = 1;
        for (int i = 0; i < READS_PER_TURN && r > 0; i++)
                r = read_some(c);
        if (r < 0)
                lose_child(c);
}

static void on_timer(struct client *c)
{
        uint64_t ticks;
        (void)!read(c->timer, &ticks, sizeof ticks);
        if (c->state == STATE_RESTING && spawn(c) < 0)
                rest(c);
}

static void client_on_readable(struct store *s)
{
        struct client *c = client_of(s);
        struct epoll_event events[4];
        int n = epoll_wait(s->fd, events, ARRAY_SIZE(events), 0);
        for (int i = 0; i < n; i++)
                if (events[i].data.u32 == SOURCE_STREAM)
                        on_stream(c, events[i].events);
        for (int i = 0; i < n; i++)
                if (events[i].data.u32 == SOURCE_CHILD && c->stream < 0)
                        on_child_ended(c);
        for (int i = 0; i < n; i++)
                if (events[i].data.u32 == SOURCE_TIMER)
                        on_timer(c);
}

static void client_load(struct store *s, store_record_fn *record, store_loaded_fn *loaded, void *data)
{
        struct client *c = client_of(s);
        assert(!c->is_loaded && !c->loaded);
        c->record = record;
        c->loaded = loaded;
        c->load_data = data;
}

/* The lowest id that somebody may still ask for. */
static uint64_t oldest_open(struct client *c, uint64_t id)
{
        struct list *l = list_is_empty(&c->sent) ? &c->unsent : &c->sent;
        return list_is_empty(l) ? id : container_of(l->next, struct pending, link)->id;
}

static int client_commit(struct store *s, struct store_txn *take_txn, store_done_fn *done, void *data)
{
        struct client *c = client_of(s);
        _cleanup_txn_ struct store_txn *txn = take_txn;
        if (c->unsent_bytes + txn->frame.len > STORE_PENDING_BYTES)
                return -EAGAIN;
        struct pending *p = xnew(struct pending);
        *p = (struct pending){ .id = c->next_id++, .done = done, .data = data };
        struct wire_commit numbers = { p->id, oldest_open(c, p->id), txn->is_urgent, txn->n_ops };
        protocol_commit_seal(&txn->frame, &numbers);
        p->frame = txn->frame;
        txn->frame = STRBUF_INIT;
        list_append(&c->unsent, &p->link);
        c->unsent_bytes += p->frame.len;
        s->n_pending++;
        if (!c->wants_write)
                flush(c);
        return 0;
}

static bool client_is_up(const struct store *s)
{
        return client_of(s)->state == STATE_UP;
}

static pid_t client_child_pid(const struct store *s)
{
        return client_of(s)->pid;
}

/* The stream's end makes the child write what it has and leave. */
static void end_child(struct client *c)
{
        int status;
        fd_reset(&c->stream);
        if (c->pidfd < 0)
                return;
        struct pollfd p = { .fd = c->pidfd, .events = POLLIN };
        if (poll(&p, 1, END_TIMEOUT_MS) <= 0)
                process_signal(c->pidfd, SIGKILL);
        process_wait(c->pidfd, &status);
        fd_reset(&c->pidfd);
}

static struct store *client_free(struct store *s)
{
        struct client *c = client_of(s);
        c->state = STATE_DOWN; /* callbacks find it so */
        end_child(c);
        finish_all(c, &c->sent, -ECANCELED);
        finish_all(c, &c->unsent, -ECANCELED);
        fd_close(c->timer);
        fd_close(s->fd);
        strbuf_done(&c->in);
        strbuf_done(&c->control);
        error_done(&c->why);
        free(c->dir);
        free(c->program);
        free(c);
        return NULL;
}

static const struct store_ops client_ops = {
        .free = client_free,
        .load = client_load,
        .commit = client_commit,
        .on_readable = client_on_readable,
        .is_up = client_is_up,
        .child_pid = client_child_pid,
};

static struct client *client_new(const struct store_options *options)
{
        struct client *c = xnew(struct client);
        *c = (struct client){ .base = { .ops = &client_ops, .fd = -EBADF },
                              .options = *options,
                              .stream = -EBADF,
                              .pidfd = -EBADF,
                              .timer = -EBADF,
                              .in = STRBUF_INIT_MAX(FRAME_MAX + READ_CHUNK),
                              .next_id = 1 };
        c->dir = xstrdup(options->dir);
        c->program = xstrdup(options->program);
        list_init(&c->sent);
        list_init(&c->unsent);
        return c;
}

static int client_start(struct client *c)
{
        c->base.fd = epoll_create1(EPOLL_CLOEXEC);
        c->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        if (c->base.fd < 0 || c->timer < 0)
                return -errno;
        int r = watch(c, EPOLL_CTL_ADD, c->timer, SOURCE_TIMER, EPOLLIN);
        return r < 0 ? r : spawn(c);
}

int store_open(const struct store_options *options, struct store **ret, struct error *err)
{
        struct client *c = client_new(options);
        int r = client_start(c);
        if (r < 0) {
                client_free(&c->base);
                return error_set_errno(err, r, "The store's process for \"%s\" cannot be started",
                                       options->dir);
        }
        *ret = &c->base;
        return 0;
}
