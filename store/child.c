/* SPDX-License-Identifier: Apache-2.0 */
#include "store/child.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/process.h"
#include "base/worker.h"
#include "store/jail.h"
#include "store/sqlite.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_CHUNK KiB(256)
#define GATHER_BYTES MiB(4) /* what is read before writing to disk; one large transaction may be longer */
#define LOCK_SECONDS 20     /* an fsync of the child before us may take that long */

struct child {
        int fd;
        struct engine *engine;
        struct strbuf in, out;
        struct wire_commit group[ENGINE_GROUP_MAX];
        struct store_result results[ENGINE_GROUP_MAX];
        size_t n_group;
};

static int send_out(struct child *c)
{
        int r = fd_write_all(c->fd, strbuf_str(&c->out), c->out.len);
        strbuf_clear(&c->out);
        return r;
}

static void say_bye(struct child *c, int r, const char *message, const char *hint)
{
        struct wire_bye bye = { .r = r, .message = message, .hint = hint };
        strbuf_clear(&c->out);
        protocol_write_bye(&c->out, &bye);
        send_out(c);
}

static void send_record(void *data, const struct store_record *record)
{
        struct child *c = data;
        protocol_write_record(&c->out, record);
        if (c->out.len >= READ_CHUNK)
                send_out(c);
}

static int handle_load(struct child *c)
{
        int r = engine_load(c->engine, send_record, c);
        if (r == 0)
                protocol_write_empty(&c->out, FRAME_LOADED);
        return r;
}

static int handle_resolve(struct child *c, const struct frame *f)
{
        uint32_t n;
        int r = protocol_read_resolve(f, &n);
        if (r == 0)
                r = engine_settle(c->engine);
        for (uint32_t i = 0; i < n && r == 0; i++) {
                struct wire_result m = { .id = protocol_resolve_id(f, i) };
                r = engine_resolve(c->engine, m.id, &m.result);
                protocol_write_result(&c->out, &m);
        }
        return r;
}

static int flush_group(struct child *c)
{
        size_t n = c->n_group;
        if (n == 0)
                return 0;
        int r = engine_commit(c->engine, c->group, n, c->results);
        if (r < 0)
                return r;
        for (size_t i = 0; i < n; i++) {
                struct wire_result m = { .id = c->group[i].id, .result = c->results[i] };
                protocol_write_result(&c->out, &m);
        }
        c->n_group = 0;
        r = send_out(c);
        return r < 0 ? r : engine_tidy(c->engine);
}

static int handle_frame(struct child *c, const struct frame *f)
{
        if (f->type == FRAME_COMMIT) {
                int r = protocol_read_commit(f, &c->group[c->n_group]);
                if (r < 0)
                        return r;
                return ++c->n_group == ENGINE_GROUP_MAX ? flush_group(c) : 0;
        }
        int r = flush_group(c);
        if (r < 0)
                return r;
        r = f->type == FRAME_LOAD      ? handle_load(c)
            : f->type == FRAME_RESOLVE ? handle_resolve(c, f)
                                       : -EBADMSG;
        return r < 0 ? r : send_out(c);
}

/* One large transaction must not leave its megabytes behind. */
static void drop_input(struct child *c, size_t n)
{
        strbuf_consume(&c->in, n);
        if (c->in.len == 0 && c->in.cap > 2 * READ_CHUNK)
                strbuf_done(&c->in);
}

/* Everything that has arrived whole. The frames point into the buffer, so it is moved only at the end. */
static int handle_input(struct child *c)
{
        struct frame f;
        size_t at = 0, used;
        int r;
        while ((r = protocol_next_frame(c->in.data + at, c->in.len - at, &f, &used)) > 0) {
                r = handle_frame(c, &f);
                if (r < 0)
                        return r;
                at += used;
        }
        if (r == 0)
                r = flush_group(c);
        if (r == 0)
                drop_input(c, at);
        return r;
}

/* Waits for something, then takes what has gathered meanwhile: that is what makes a group. 1; 0 at the end.
 */
static int receive(struct child *c)
{
        int flags = 0;
        do {
                char *to = strbuf_reserve(&c->in, READ_CHUNK);
                if (!to)
                        return -EBADMSG;
                ssize_t k = recv(c->fd, to, READ_CHUNK, flags);
                if (k < 0 && errno == EINTR)
                        continue;
                if (k < 0 && flags && (errno == EAGAIN || errno == EWOULDBLOCK))
                        return 1;
                if (k <= 0)
                        return flags ? 1 : 0; /* what came before the end is still to be done */
                c->in.len += (size_t)k;
                flags = MSG_DONTWAIT;
        } while (c->in.len < GATHER_BYTES);
        return 1;
}

static int serve(struct child *c)
{
        int r;
        while ((r = receive(c)) > 0) {
                r = handle_input(c);
                if (r < 0)
                        return r;
        }
        return r;
}

static void on_alarm(int sig _unused_)
{
}

/* An earlier child may still be inside its last fsync. The lock lives until this process ends. */
static int take_lock(const char *dir, struct error *err)
{
        struct sigaction wake = { .sa_handler = on_alarm };
        int fd = open("lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0)
                return error_set_errno(err, -errno, "The lock in \"%s\" cannot be opened", dir);
        sigaction(SIGALRM, &wake, NULL);
        alarm(LOCK_SECONDS);
        int r = flock(fd, LOCK_EX) < 0 ? -errno : 0;
        alarm(0);
        if (r == 0)
                return 0;
        fd_close(fd);
        return error_set_errno(err, r == -EINTR ? -EBUSY : r,
                               "The database in \"%s\" is used by another daemon", dir);
}

/* The daemon decides when the child ends, by closing the stream; a Ctrl-C meant for the daemon must not. */
static void ignore_signals(void)
{
        static const int ignored[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGPIPE };
        for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
                signal(ignored[i], SIG_IGN);
}

static int begin(struct child *c, const char *dir, const struct migration *table)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct wire_hello hello;
        int r = jail_enter(dir, &err);
        if (r == 0)
                r = take_lock(dir, &err);
        if (r == 0)
                r = engine_open(dir, table, &c->engine, &err);
        if (r < 0) {
                say_bye(c, r, error_message(&err), err.hint);
                return r;
        }
        engine_hello(c->engine, &hello);
        protocol_write_hello(&c->out, &hello);
        return send_out(c);
}

int store_child_main(int fd, const char *dir, const struct migration *table)
{
        struct child *c = xnew(struct child);
        *c = (struct child){ .fd = fd, .in = STRBUF_INIT_MAX(FRAME_MAX + GATHER_BYTES + READ_CHUNK) };
        ignore_signals();
        if (begin(c, dir, table) < 0)
                return 1;
        int r = serve(c);
        if (r < 0) {
                say_bye(c, r, r == -EBADMSG ? "Bytes that are no request" : engine_message(c->engine), NULL);
                return 1; /* not closed: after an error SQLite must not touch the files again */
        }
        c->engine = engine_close(c->engine);
        strbuf_done(&c->in);
        strbuf_done(&c->out);
        free(c);
        return 0;
}

int store_child_run(void)
{
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        _cleanup_json_ struct json_object *args = NULL;
        int r = fd_read_to_end(WORKER_FD_ARGS, &text, KiB(64));
        if (r == 0)
                r = json_parse(strbuf_str(&text), text.len, &args, NULL);
        const char *dir = r == 0 ? json_get_string(args, "dir", NULL) : NULL;
        fd_close(WORKER_FD_ARGS);
        process_prefer_self(); /* every commit waits for it, beside workers that unpack */
        return dir ? store_child_main(STORE_CHILD_FD, dir, store_migrations) : 2;
}
