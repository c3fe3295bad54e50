/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The job `exec`. Three processes: the worker, which stays on the host's side and watches; the joiner, born
 * in the container's cgroup, which enters the namespaces (a pid namespace is entered only by a child) and
 * opens the pty; the command, the joiner's child but the worker's to wait for (CLONE_PARENT).
 *
 * The worker copies no byte: the command has the daemon's descriptors, or the daemon gets the master of the
 * pty.
 */
#include "runtime/command.h"
#include "runtime/enter.h"
#include "runtime/jobs.h"
#include "runtime/spec.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/names.h"
#include "base/path.h"
#include "base/process.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define CONTROL_MESSAGE_MAX 4096

struct supervision {
        pid_t pid; /* the command: our child, so the number is its own until we reap it */
        int pidfd;
        int control;
        bool is_recorded;
};

/* A pipe belongs to the daemon's user: without this, a guest cannot reopen it as /dev/stdout. */
static void give_pipes(const struct exec_request *req)
{
        for (size_t i = 0; i < 3; i++) {
                struct stat st;
                if (req->host_uid >= 0 && req->host_gid >= 0 && req->fds[i] >= 0 &&
                    fstat(req->fds[i], &st) == 0 && S_ISFIFO(st.st_mode))
                        (void)!fchown(req->fds[i], (uid_t)req->host_uid, (gid_t)req->host_gid);
        }
}

/* Shared with the two children, who write why they failed and which process is the command. */
static struct command_report *report_new(void)
{
        void *p = mmap(NULL, sizeof(struct command_report), PROT_READ | PROT_WRITE,
                       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        return p == MAP_FAILED ? NULL : p;
}

static int wait_joiner(pid_t pid)
{
        siginfo_t info = { 0 };
        while (waitid(P_PID, (id_t)pid, &info, WEXITED) < 0) {
                if (errno != EINTR)
                        return -errno;
                if (worker_is_cancelled()) /* a frozen container would keep it for ever */
                        kill(pid, SIGKILL);
        }
        return info.si_code == CLD_EXITED && info.si_status == 0 ? 0 : -ESRCH;
}

/* Returns when the command runs (its exec succeeded) or has failed; either way the report says it. */
static int launch(struct command *c)
{
        give_pipes(&c->req);
        pid_t joiner = enter_fork(&c->target);
        if (joiner < 0)
                return command_fail(c->report, COMMAND_JOIN, joiner);
        if (joiner == 0)
                command_join_and_run(c);
        int r = wait_joiner(joiner);
        if (r < 0 && c->report->step == COMMAND_RUNNING)
                return command_fail(c->report, COMMAND_JOIN, r); /* killed with its container */
        if (c->report->step != COMMAND_RUNNING && c->report->pid > 0)
                waitpid(c->report->pid, NULL, 0);
        return c->report->step == COMMAND_RUNNING ? 0 : c->report->error;
}

static void close_given(const struct exec_request *req)
{
        for (size_t i = 0; i < 3; i++)
                fd_close(req->fds[i]);
}

/* The whole session's process group: what a terminal does to its foreground when it is hung up. */
static void signal_group(const struct supervision *s, int sig)
{
        kill(-s->pid, sig);
}

static void obey(const struct supervision *s, const char *text, size_t n)
{
        _cleanup_json_ struct json_object *message = NULL;
        if (json_parse(text, n, &message, NULL) < 0)
                return;
        int64_t sig = json_get_int(message, "signal", 0);
        if (streq(json_get_string(message, "command", ""), "signal") && sig > 0 && sig < NSIG)
                process_signal(s->pidfd, (int)sig);
}

static void read_control(struct supervision *s)
{
        char text[CONTROL_MESSAGE_MAX];
        ssize_t n = recv(s->control, text, sizeof text, MSG_DONTWAIT | MSG_TRUNC);
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
                return;
        if (n > 0) {
                if ((size_t)n <= sizeof text)
                        obey(s, text, (size_t)n);
                return;
        }
        fd_reset(&s->control);
        if (!s->is_recorded)
                signal_group(s, SIGHUP);
}

/* 0 with the status of the command, in the shell's form. */
static int supervise(struct supervision *s, int *ret_status, struct error *err)
{
        sigset_t term, none;
        bool is_cancelled = false;
        sigemptyset(&none);
        sigemptyset(&term);
        sigaddset(&term, SIGTERM);
        sigprocmask(SIG_BLOCK, &term,
                    NULL); /* only ppoll() lets it in: no cancel is lost between test and sleep */
        for (;;) {
                struct pollfd fds[2] = { { .fd = s->pidfd, .events = POLLIN },
                                         { .fd = s->control, .events = POLLIN } };
                int n = ppoll(fds, 2, NULL, &none);
                if (n < 0 && errno != EINTR)
                        return -errno;
                if (worker_is_cancelled() && !is_cancelled) {
                        is_cancelled = true;
                        signal_group(s, SIGKILL);
                }
                if (n > 0 && fds[1].revents)
                        read_control(s);
                if (n > 0 && fds[0].revents)
                        break;
        }
        if (is_cancelled)
                return error_set(err, ERR_CANCELLED, "The command was killed");
        return process_wait(s->pidfd, ret_status);
}

/* A daemon that was restarted meanwhile finds the answer here. */
static int leave_exit_file(const char *path, int status, struct error *err)
{
        char text[64];
        const char *slash = strrchr(path, '/');
        if (!slash)
                return error_set(err, ERR_BAD_REQUEST, "The exit file \"%s\" is not an absolute path", path);
        _cleanup_free_ char *dir = xstrndup(path, slash == path ? 1 : (size_t)(slash - path));
        _cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        int n = snprintf(text, sizeof text, "{\"return\":%d}\n", status);
        int r = fd < 0 ? -errno : path_write_atomic(fd, slash + 1, text, (size_t)n, 0600);
        return r < 0 ? error_set_errno(err, r, "Writing the exit file \"%s\"", path) : 0;
}

static int finish(const struct exec_request *req, int status, const char *message,
                  struct json_object **ret_result, struct error *err)
{
        int r = req->exit_file ? leave_exit_file(req->exit_file, status, err) : 0;
        if (r < 0)
                return r;
        *ret_result = json_object_new_object();
        json_set_int(*ret_result, "return", status);
        json_set_string(*ret_result, "message", message);
        return 0;
}

/* A command that cannot be run is an answer (126, 127), as in a shell; all else is an error. */
static int finish_failed(const struct command *c, struct json_object **ret_result, struct error *err)
{
        _cleanup_free_ char *name = name_printable(c->req.argv[0]), *message = NULL;
        if (c->report->step != COMMAND_EXEC)
                return command_error(c, err);
        int status = command_exec_status(c->report, name, &message);
        return finish(&c->req, status, message, ret_result, err);
}

static int run(struct command *c, struct json_object **ret_result, struct error *err)
{
        int status = 0;
        int r = launch(c);
        close_given(&c->req); /* the daemon waits for the last writer to close */
        if (r < 0)
                return finish_failed(c, ret_result, err);
        struct supervision s = { .pid = c->report->pid,
                                 .pidfd = (int)syscall(SYS_pidfd_open, c->report->pid, 0),
                                 .control = c->req.control,
                                 .is_recorded = c->req.is_recorded };
        if (s.pidfd < 0)
                return error_set_errno(err, -errno, "Watching the command \"%s\"", c->req.argv[0]);
        r = privileges_keep_only(UINT64_C(1) << CAP_KILL);
        if (r == 0)
                r = supervise(&s, &status, err);
        fd_close(s.pidfd);
        return r < 0 ? r : finish(&c->req, status, NULL, ret_result, err);
}

static int read_privileges(struct json_object *args, struct privileges *ret, struct error *err)
{
        *ret = (struct privileges){
                .is_privileged = json_get_bool(args, "privileged", false),
                .is_nesting = json_get_bool(args, "nesting", false),
                .has_seccomp = json_get_bool(json_get_object(args, "seccomp"), "default", true),
        };
        return spec_parse_capabilities(args, &ret->capabilities_drop, err);
}

static int prepare(struct json_object *args, struct command *c, struct error *err)
{
        int r = enter_target_read(args, &c->target, err);
        if (r == 0)
                r = exec_request_read(args, &c->req, err);
        if (r == 0)
                r = read_privileges(args, &c->privileges, err);
        if (r == 0)
                r = enter_hide(&c->target, "exec", args, err);
        if (r == 0)
                r = privileges_filter_new(&c->privileges, &c->filter, err);
        if (r < 0)
                return r;
        c->report = report_new();
        return c->report ? 0 : -errno;
}

static void command_done(struct command *c)
{
        privileges_filter_free(c->filter);
        enter_target_done(&c->target);
        exec_request_done(&c->req);
}

int job_exec(struct json_object *args, struct json_object **ret_result, struct error *err)
{
        _cleanup_(command_done) struct command c = { .target = ENTER_TARGET_INIT };
        int r = prepare(args, &c, err);
        return r < 0 ? r : run(&c, ret_result, err);
}
