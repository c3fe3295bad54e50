/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One command: the client's websockets on one side, the worker `lightrun exec` on the other. The command
 * starts when the websockets that carry data are there (not "control": old clients never open it), and the
 * operation ends when the command has and all it wrote has been handed on.
 */
#include "instances/exec.h"
#include "instances/control.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "server/job.h"
#include "server/relay.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <termios.h>

#define CONNECT_TIMEOUT_MS 30000
#define PIPE_BYTES (1 << 20)
#define STREAMS 3

/* Descriptors of the worker, after its arguments and its answers. */
enum { FD_INIT, FD_STDIN, FD_STDOUT, FD_STDERR, FD_CONTROL, FD_NOTE, _FDS };
#define FD_NUMBER(index) (5 + (index))

struct exec {
        struct server *server;
        struct operation *op;
        struct job *job;
        char *name; /* of the instance, for sentences */
        uint32_t num;
        int pidfd; /* of the init it was asked for: a later run of the instance is another one */
        struct json_object *args;
        struct relay *streams[STREAMS]; /* interactive: only the first; without websockets: none */
        struct control *control;
        size_t n_streams, n_connected;
        bool is_interactive, is_detached, has_begun, has_ended;
        uint64_t timer;
        int worker; /* the control socket of the worker; closed: SIGHUP to the command */
        struct watch *worker_watch;
        uint16_t width, height; /* asked for before the terminal was there */
        struct exec_record record;
        int status;
        struct error error;
};

static void exec_free(struct exec *e)
{
        timer_cancel(e->server, e->timer);
        watch_stop(e->worker_watch);
        fd_close(e->worker);
        fd_close(e->pidfd);
        for (size_t i = 0; i < e->n_streams; i++)
                relay_free(e->streams[i]);
        control_free(e->control);
        exec_record_done(&e->record);
        json_object_put(e->args);
        error_done(&e->error);
        free(e->name);
        free(e);
}

/* ---- the end ---- */

/*
 * The websockets are closed first, as clients expect. A command that could not be run has both a status (126,
 * 127, as in a shell) and a sentence.
 */
static void finish(struct exec *e)
{
        struct operation *op = e->op;
        struct error err = e->error;
        struct json_object *result = json_object_new_object();
        if (e->status >= 0)
                json_set_int(result, "return", e->status);
        if (e->record.output)
                json_set_take(result, "output", json_object_get(e->record.output));
        e->error = ERROR_INIT;
        if (e->record.note_file)
                exec_record_forget_later(e->server, &e->record, EXEC_RECORD_KEEP_MS);
        exec_free(e);
        if (err.code == ERR_NONE) {
                operation_succeed(op, result);
        } else {
                operation_set_metadata(op, result);
                operation_fail(op, &err);
        }
        error_done(&err);
}

static void finish_when_over(struct exec *e)
{
        if (!e->has_ended)
                return;
        if (e->is_interactive && relay_fd(e->streams[0]) < 0) { /* it failed before there was a terminal */
                finish(e);
                return;
        }
        for (size_t i = 0; i < e->n_streams; i++)
                if (!relay_is_over(e->streams[i]))
                        return;
        finish(e);
}

static void fail(struct exec *e, enum error_code code, const char *sentence)
{
        e->status = -1;
        error_set(&e->error, code, "%s", sentence);
        finish(e);
}

static void take_terminal(struct exec *e);

static void on_ended(void *data, int r, struct json_object *result, struct error *err)
{
        struct exec *e = data;
        const char *message = json_get_string(result, "message", NULL);
        e->job = NULL;
        e->has_ended = true;
        e->status = r < 0 ? -1 : (int)json_get_int(result, "return", -1);
        if (r < 0) {
                error_move(&e->error, err);
                error_prefix(&e->error, "Instance \"%s\"", e->name);
        } else if (message) {
                error_set(&e->error, e->status == 127 ? ERR_NOT_FOUND : ERR_FORBIDDEN,
                          "%s in instance \"%s\"", message, e->name);
        }
        take_terminal(e); /* a short command may be over before its terminal was looked for */
        watch_stop(TAKE_PTR(e->worker_watch));
        fd_reset(&e->worker);
        finish_when_over(e);
}

/* ---- the client's side ---- */

/* Nobody is there any more: the worker hangs the command up when its socket closes. */
static void hang_up(struct exec *e)
{
        if (!e->has_begun) {
                fail(e, ERR_CANCELLED, "The client went away before the command began");
                return;
        }
        watch_stop(TAKE_PTR(e->worker_watch));
        fd_reset(&e->worker);
}

/*
 * What a client that is gone leaves: no control that is still open, or no output it could read. A client that has read
 * all and closes the streams is no such one: the command may have closed its outputs and go on.
 */
static bool is_abandoned(const struct exec *e)
{
        size_t n_gone = 0, n_done = 0, n_broken = 0, n_open = 0;
        for (size_t i = 0; i < e->n_streams; i++) {
                const struct relay *r = e->streams[i];
                bool is_output = e->is_interactive || i > 0;
                n_gone += relay_is_gone(r);
                n_done += relay_is_gone(r) || (is_output && relay_is_over(r));
                n_broken += is_output && relay_is_broken(r);
                n_open += is_output && !relay_is_over(r);
        }
        if (!e->has_begun)
                return n_gone > 0;
        if (control_is_gone(e->control))
                return e->is_interactive || n_done == e->n_streams;
        return n_broken > 0 && n_open == 0 && n_broken == (e->is_interactive ? 1 : e->n_streams - 1);
}

static void on_changed(void *data)
{
        struct exec *e = data;
        if (e->has_ended)
                finish_when_over(e);
        else if (is_abandoned(e))
                hang_up(e);
}

static void set_window_size(struct exec *e)
{
        struct winsize size = { .ws_col = e->width, .ws_row = e->height };
        int fd = e->is_interactive ? relay_fd(e->streams[0]) : -EBADF;
        if (fd >= 0 && e->width && e->height)
                (void)!ioctl(fd, TIOCSWINSZ, &size);
}

static void forward_signal(struct exec *e, int64_t number)
{
        char text[64];
        int n = snprintf(text, sizeof text, "{\"command\":\"signal\",\"signal\":%d}", (int)number);
        if (e->worker >= 0)
                (void)!send(e->worker, text, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL);
}

static void on_message(void *data, struct json_object *o)
{
        struct exec *e = data;
        int64_t number = json_get_int(o, "signal", 0);
        if (control_window_size(o, &e->width, &e->height))
                set_window_size(e);
        else if (streq(json_get_string(o, "command", ""), "signal") && number > 0 && number <= 64)
                forward_signal(e, number);
}

static const struct control_events control_events = { .message = on_message, .gone = on_changed };

/* ---- the worker's side ---- */

/* The one message that comes from there: the terminal. */
static void take_terminal(struct exec *e)
{
        char text[256];
        int fd = -EBADF;
        size_t n_fds = 1;
        if (!e->is_interactive || e->worker < 0)
                return;
        ssize_t n = fd_recv_with_fds(e->worker, text, sizeof text, &fd, &n_fds);
        if (n == -EAGAIN)
                return;
        watch_stop(TAKE_PTR(e->worker_watch));
        if (n > 0 && n_fds == 1) {
                relay_set_fd(e->streams[0], fd);
                set_window_size(e);
        }
}

static void on_worker(void *data, int fd _unused_, int events _unused_)
{
        take_terminal(data);
}

static int open_control(struct exec *e, int *ret_theirs)
{
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        e->worker = pair[0];
        *ret_theirs = pair[1];
        fd_set_nonblocking(e->worker, true);
        if (e->is_interactive)
                e->worker_watch = watch_start(e->server, e->worker, UV_READABLE, on_worker, e);
        return 0;
}

/* A pipe of 64 KiB would mean a switch of process for each 64 KiB. */
static int open_pipe(struct exec *e, int index, int *ret_theirs)
{
        int ends[2];
        int r = fd_pipe(&ends[0], &ends[1]);
        if (r < 0)
                return r;
        (void)!fcntl(ends[0], F_SETPIPE_SZ, PIPE_BYTES);
        *ret_theirs = ends[index == 0 ? 0 : 1];
        relay_set_fd(e->streams[index], ends[index == 0 ? 1 : 0]);
        return 0;
}

static int open_descriptors(struct exec *e, int *fds)
{
        int r = 0;
        if (e->is_detached) {
                fds[FD_STDOUT] = TAKE_FD(e->record.stdout_fd);
                fds[FD_STDERR] = TAKE_FD(e->record.stderr_fd);
                fds[FD_NOTE] = TAKE_FD(e->record.note_fd);
                return 0;
        }
        for (int i = 0; r >= 0 && i < STREAMS && !e->is_interactive; i++)
                r = open_pipe(e, i, &fds[FD_STDIN + i]);
        return r < 0 ? r : open_control(e, &fds[FD_CONTROL]);
}

static struct json_object *descriptor_numbers(const int *fds)
{
        static const char *const names[] = { NULL, "stdin", "stdout", "stderr", "control" };
        struct json_object *o = json_object_new_object();
        for (int i = FD_STDIN; i <= FD_CONTROL; i++)
                if (fds[i] >= 0)
                        json_set_int(o, names[i], FD_NUMBER(i));
        return o;
}

/* What goes on without its daemon must not be in the group whose processes a new daemon kills. */
static int monitor_group(const struct exec *e)
{
        char path[32];
        snprintf(path, sizeof path, "%u/monitor", e->num);
        return openat(e->server->cgroup_fd, path, O_PATH | O_DIRECTORY | O_CLOEXEC);
}

static void start_command(struct exec *e)
{
        struct job_spec spec = JOB_SPEC_INIT;
        _cleanup_close_ int group = e->is_detached ? monitor_group(e) : -EBADF;
        timer_cancel(e->server, e->timer);
        int r = open_descriptors(e, spec.take_fds);
        if (r < 0) {
                for (size_t i = 0; i < _FDS; i++)
                        fd_close(spec.take_fds[i]);
                error_set_errno(&e->error, r, "Starting a command in instance \"%s\"", e->name);
                finish(e);
                return;
        }
        e->has_begun = true;
        json_set_take(e->args, "fds", descriptor_numbers(spec.take_fds));
        spec.program = "lightrun";
        spec.name = "exec";
        spec.take_args = TAKE_PTR(e->args);
        spec.take_fds[FD_INIT] = TAKE_FD(e->pidfd);
        spec.n_fds = _FDS;
        spec.cgroup_fd = group;
        spec.is_session = true;
        e->job = job_start(e->server, &spec, on_ended, e);
}

/* ---- the beginning ---- */

static void on_connected(struct operation *op, const char *name, struct ws *ws, void *ws_data)
{
        struct exec *e = operation_data(op);
        if (streq(name, "control")) {
                control_set_ws(ws_data, ws);
                return;
        }
        relay_set_ws(ws_data, ws);
        if (++e->n_connected == e->n_streams)
                start_command(e);
}

static void on_connect_timeout(void *data)
{
        fail(data, ERR_TIMEOUT, "The client did not connect to the command's websockets");
}

static void on_cancel(struct operation *op _unused_, void *data)
{
        struct exec *e = data;
        if (e->job)
                job_cancel(e->job);
        else if (!e->has_begun)
                fail(e, ERR_CANCELLED, "The command was cancelled before it began");
}

static void add_websockets(struct exec *e)
{
        static const char *const names[STREAMS] = { "0", "1", "2" };
        static const unsigned ways[STREAMS] = { RELAY_IN, RELAY_OUT, RELAY_OUT };
        e->n_streams = e->is_interactive ? 1 : STREAMS;
        for (size_t i = 0; i < e->n_streams; i++) {
                unsigned way = e->is_interactive ? RELAY_IN | RELAY_OUT : ways[i];
                e->streams[i] = relay_new(e->server, way, on_changed, e);
                operation_add_websocket(e->op, names[i], &relay_ws_handler, e->streams[i], on_connected);
        }
        e->control = control_new(&control_events, e);
        operation_add_websocket(e->op, "control", &control_ws_handler, e->control, on_connected);
        e->timer = timer_start(e->server, CONNECT_TIMEOUT_MS, on_connect_timeout, e);
}

static struct exec *exec_new(struct request *req, struct instance *i, const struct instance_exec_post *p)
{
        struct exec *e = xnew(struct exec);
        struct operation_spec spec = { .class = p->wait_for_websocket ? OPERATION_WEBSOCKET : OPERATION_TASK,
                                       .description = "Executing command",
                                       .project = i->project,
                                       INSTANCE_RESOURCE(i->name),
                                       .cancel = on_cancel,
                                       .data = e };
        e->server = i->server;
        e->name = xstrdup(i->name);
        e->num = i->num;
        e->pidfd = fcntl(i->pidfd, F_DUPFD_CLOEXEC, 3);
        e->worker = -EBADF;
        e->record = EXEC_RECORD_INIT;
        e->status = -1;
        e->is_interactive = p->interactive;
        e->is_detached = !p->wait_for_websocket;
        e->args = exec_job_args(i, p);
        e->op = operation_new(i->server, req, &spec);
        operation_set_metadata(e->op, exec_metadata(i, p));
        return e;
}

static int begin_record(struct exec *e, struct instance *i, const struct instance_exec_post *p)
{
        json_set_bool(e->args, "record", true); /* nobody is attached, so nobody's going ends it */
        if (!p->record_output)
                return 0;
        operation_keep_ms(e->op, EXEC_RECORD_KEEP_MS);
        int r = exec_record_begin(i, e->op, exec_metadata(i, p), &e->record, &e->error);
        json_set_string(e->args, "exit_file", e->record.exit_file);
        return r;
}

void exec_begin(struct request *req, struct instance *i, const struct instance_exec_post *p)
{
        struct exec *e = exec_new(req, i, p);
        struct json_object *context = json_object_new_object();
        json_set_take(context, "command", json_object_get(json_get_array(e->args, "command")));
        instance_event(i, req, "instance-exec", context);
        if (!e->is_detached) {
                add_websockets(e);
                reply_operation(req, e->op);
                return;
        }
        int r = begin_record(e, i, p);
        reply_operation(req, e->op);
        if (r < 0)
                finish(e);
        else
                start_command(e);
}
