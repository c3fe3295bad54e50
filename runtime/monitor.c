/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/monitor.h"
#include "base/alloc.h"
#include "base/effect.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/process.h"
#include "base/time.h"
#include "runtime/monitor-jail.h"
#include "runtime/monitor-protocol.h"

#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLIENTS_MAX 8
#define REQUEST_MAX 4096

struct client {
        int fd; /* -EBADF: a free place */
};

struct service {
        struct monitor *m;
        struct client clients[CLIENTS_MAX];
};

void monitor_done(struct monitor *m)
{
        console_done(&m->console);
        fd_close(m->pidfd);
        fd_close(m->run_dir_fd);
        fd_close(m->listen_fd);
        free(m->name);
        free(m->project);
}

static int send_message(int fd, struct monitor_message *m, int fd_to_pass)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        int r = monitor_message_encode(m, &b);
        if (r < 0)
                return r;
        ssize_t n = fd_send_with_fds(fd, b.data, b.len, &fd_to_pass, fd_to_pass >= 0 ? 1 : 0);
        return n < 0 ? (int)n : 0;
}

/* What a handler fills: a result and a descriptor to go with it. */
struct answer {
        struct json_object *result;
        int fd;         /* -EBADF: none */
        bool fd_is_own; /* the descriptor was made for this answer */
};

static int answer_hello(struct service *s, struct json_object *args _unused_, struct answer *a,
                        struct error *err _unused_)
{
        char at[TIME_TEXT_SIZE];
        struct json_object *versions = json_object_new_array();
        json_object_array_add(versions, json_object_new_int(MONITOR_PROTOCOL_VERSION));
        json_set_int(a->result, "version", MONITOR_PROTOCOL_VERSION);
        json_set_take(a->result, "versions", versions);
        json_set_string(a->result, "name", s->m->name);
        json_set_string(a->result, "project", s->m->project);
        json_set_int(a->result, "num", s->m->num);
        json_set_int(a->result, "pid", s->m->pid);
        json_set_string(a->result, "started_at", time_format_rfc3339(s->m->started_at_ns, at));
        a->fd = s->m->pidfd;
        return 0;
}

static int answer_status(struct service *s, struct json_object *args _unused_, struct answer *a,
                         struct error *err _unused_)
{
        json_set_int(a->result, "pid", s->m->pid);
        json_set_bool(a->result, "console_attached", s->m->console.viewer >= 0);
        json_set_int(a->result, "ring_bytes", (int64_t)s->m->console.ring_bytes);
        return 0;
}

static int answer_signal(struct service *s, struct json_object *args, struct answer *a _unused_,
                         struct error *err)
{
        int64_t sig = json_get_int(args, "signal", 0);
        if (sig < 1 || sig > SIGRTMAX)
                return error_set(err, ERR_BAD_REQUEST, "\"signal\" is not a signal's number");
        int r = process_signal(s->m->pidfd, (int)sig);
        return r < 0 ? error_set_errno(err, r, "Sending signal %d to instance \"%s\"", (int)sig, s->m->name)
                     : 0;
}

static int resize(struct service *s, struct json_object *args, struct error *err)
{
        int64_t width = json_get_int(args, "width", 0), height = json_get_int(args, "height", 0);
        if (width < 1 || height < 1 || width > UINT16_MAX || height > UINT16_MAX)
                return error_set(err, ERR_BAD_REQUEST, "\"width\" and \"height\" are not a terminal's size");
        int r = console_resize(&s->m->console, (unsigned)width, (unsigned)height);
        return r < 0 ? error_set_errno(err, r, "Resizing the console of instance \"%s\"", s->m->name) : 0;
}

static int attach(struct service *s, struct json_object *args, struct answer *a, struct error *err)
{
        size_t ring_bytes = 0;
        if (s->m->console.viewer >= 0 && !json_get_bool(args, "force", false))
                return error_set(err, ERR_IN_USE, "The console of instance \"%s\" is in use", s->m->name);
        if (json_has(args, "width")) {
                int r = resize(s, args, err);
                if (r < 0)
                        return r;
        }
        a->fd = console_attach(&s->m->console, &ring_bytes);
        a->fd_is_own = true;
        if (a->fd < 0)
                return error_set_errno(err, a->fd, "Attaching to the console of instance \"%s\"", s->m->name);
        json_set_int(a->result, "ring_bytes", (int64_t)ring_bytes);
        return 0;
}

static int answer_console(struct service *s, struct json_object *args, struct answer *a, struct error *err)
{
        const char *command = json_get_string(args, "command", "");
        if (streq(command, "attach"))
                return attach(s, args, a, err);
        if (streq(command, "resize"))
                return resize(s, args, err);
        if (streq(command, "detach"))
                return console_detach(&s->m->console), 0;
        if (streq(command, "clear"))
                return console_clear(&s->m->console), 0;
        if (!streq(command, "log"))
                return error_set(err, ERR_BAD_REQUEST,
                                 "\"command\" is not attach, resize, detach, clear or log");
        a->fd = console_log(&s->m->console);
        a->fd_is_own = true;
        json_set_int(a->result, "ring_bytes", (int64_t)s->m->console.ring_bytes);
        return a->fd < 0 ? error_set_errno(err, a->fd, "Reading the console of instance \"%s\"", s->m->name)
                         : 0;
}

static int answer_unsupported(struct service *s _unused_, struct json_object *args _unused_,
                              struct answer *a _unused_, struct error *err)
{
        return error_set(err, ERR_UNSUPPORTED, "This monitor does not know the request");
}

static int answer_quit(struct service *s, struct json_object *args _unused_, struct answer *a _unused_,
                       struct error *err)
{
        int r = process_signal(s->m->pidfd, SIGKILL);
        return r < 0 && r != -ESRCH ? error_set_errno(err, r, "Killing instance \"%s\"", s->m->name) : 0;
}

static int (*const handlers[_MONITOR_TYPE_MAX])(struct service *, struct json_object *, struct answer *,
                                                struct error *) = {
        [MONITOR_HELLO] = answer_hello,         [MONITOR_STATUS] = answer_status,
        [MONITOR_SIGNAL] = answer_signal,       [MONITOR_CONSOLE] = answer_console,
        [MONITOR_HOTPLUG] = answer_unsupported, [MONITOR_EXIT] = answer_unsupported,
        [MONITOR_QUIT] = answer_quit,
};

static void set_error(struct json_object *result, const struct error *err)
{
        struct json_object *o = json_object_new_object();
        json_set_string(o, "reason", error_reason(err->code));
        json_set_string(o, "message", error_message(err));
        if (err->hint)
                json_set_string(o, "hint", err->hint);
        json_set_take(result, "error", o);
}

static int answer_request(struct service *s, int fd, const struct monitor_message *request)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct answer a = { .result = json_object_new_object(), .fd = -EBADF };
        if (handlers[request->type](s, request->body, &a, &err) < 0)
                set_error(a.result, &err);
        struct monitor_message reply = {
                .type = request->type, .is_reply = true, .id = request->id, .body = a.result
        };
        int r = send_message(fd, &reply, a.fd);
        if (a.fd_is_own)
                fd_close(a.fd);
        monitor_message_done(&reply);
        return r;
}

/* A peer that does not read its answers, or does not speak our language, is cut off: it may come again. */
static void serve_client(struct service *s, struct client *c)
{
        char packet[REQUEST_MAX];
        _cleanup_monitor_message_ struct monitor_message request = { 0 };
        ssize_t n = fd_recv_with_fds(c->fd, packet, sizeof packet, NULL, NULL);
        if (n == -EAGAIN)
                return;
        if (n <= 0 || monitor_message_decode(packet, (size_t)n, &request, NULL) < 0 || request.is_reply ||
            answer_request(s, c->fd, &request) < 0)
                fd_reset(&c->fd);
}

static bool is_peer_root(int fd)
{
        struct ucred peer;
        socklen_t n = sizeof peer;
        return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 && peer.uid == 0;
}

static void accept_client(struct service *s)
{
        _cleanup_close_ int fd = accept4(s->m->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
        if (fd < 0 || !is_peer_root(fd))
                return;
        for (size_t i = 0; i < CLIENTS_MAX; i++)
                if (s->clients[i].fd < 0) {
                        s->clients[i].fd = TAKE_FD(fd);
                        return;
                }
}

enum { POLL_INIT, POLL_LISTEN, POLL_CONSOLE, POLL_CLIENTS = POLL_CONSOLE + CONSOLE_POLL_FDS };

/* True when init has ended. */
static bool turn(struct service *s)
{
        struct pollfd p[POLL_CLIENTS + CLIENTS_MAX];
        p[POLL_INIT] = (struct pollfd){ .fd = s->m->pidfd, .events = POLLIN };
        p[POLL_LISTEN] = (struct pollfd){ .fd = s->m->listen_fd, .events = POLLIN };
        int timeout = console_poll(&s->m->console, p + POLL_CONSOLE);
        for (size_t i = 0; i < CLIENTS_MAX; i++)
                p[POLL_CLIENTS + i] = (struct pollfd){ .fd = s->clients[i].fd, .events = POLLIN };
        if (poll(p, ARRAY_SIZE(p), timeout) < 0)
                return false;
        console_event(&s->m->console, p + POLL_CONSOLE);
        for (size_t i = 0; i < CLIENTS_MAX; i++)
                if (p[POLL_CLIENTS + i].revents)
                        serve_client(s, &s->clients[i]);
        if (p[POLL_LISTEN].revents)
                accept_client(s);
        return p[POLL_INIT].revents;
}

/* The kernel turns a guest's reboot(2) into the death of its init by SIGHUP (restart) or SIGINT (halt, power
 * off). */
static int reap(struct monitor *m, struct monitor_exit *ret)
{
        siginfo_t info = { 0 };
        if (waitid(P_PIDFD, (id_t)m->pidfd, &info, WEXITED) < 0)
                return -errno;
        bool is_exit = info.si_code == CLD_EXITED;
        *ret = (struct monitor_exit){ .status = is_exit ? info.si_status : 0,
                                      .signal = is_exit ? 0 : info.si_status,
                                      .is_reboot = !is_exit && info.si_status == SIGHUP,
                                      .at_ns = time_now_ns() };
        return 0;
}

static int tell_exit(struct service *s)
{
        struct monitor_exit e;
        int r = reap(s->m, &e);
        if (r < 0)
                return r;
        struct monitor_message m = { .type = MONITOR_EXIT, .body = monitor_exit_to_json(&e) };
        const char *text = json_text(m.body);
        effect_point(EFFECT_EXIT_NOTE, EFFECT_BEFORE);
        r = path_write_atomic(s->m->run_dir_fd, MONITOR_EXIT_FILE, text, strlen(text), 0600);
        effect_point(EFFECT_EXIT_NOTE, EFFECT_AFTER);
        for (size_t i = 0; i < CLIENTS_MAX; i++)
                if (s->clients[i].fd >= 0)
                        (void)!send_message(s->clients[i].fd, &m, -EBADF);
        monitor_message_done(&m);
        return r;
}

/* The daemon's terminal, session, working directory and standard streams are none of ours from now on. */
static int detach(const struct monitor *m)
{
        _cleanup_close_ int null = open("/dev/null", O_RDWR | O_CLOEXEC);
        if (null < 0)
                return -errno;
        for (int fd = 0; fd < 3; fd++)
                if (dup2(null, fd) < 0)
                        return -errno;
        setsid();
        signal(SIGTERM, SIG_IGN);
        signal(SIGINT, SIG_IGN);
        signal(SIGHUP, SIG_IGN);
        signal(SIGPIPE, SIG_IGN);
        malloc_trim(0);
        return monitor_jail_enter(m->run_dir_fd);
}

int monitor_run(struct monitor *m)
{
        struct service s = { .m = m };
        for (size_t i = 0; i < CLIENTS_MAX; i++)
                s.clients[i].fd = -EBADF;
        int r = detach(m);
        if (r < 0)
                return r;
        while (!turn(&s))
                ;
        console_drain(&m->console);
        r = tell_exit(&s);
        for (size_t i = 0; i < CLIENTS_MAX; i++)
                fd_close(s.clients[i].fd);
        return r;
}
