/* SPDX-License-Identifier: Apache-2.0 */
#include "server/job.h"
#include "server/internal.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/fork-server.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define ANSWER_MAX MiB(8) /* a listing of a directory is the largest honest answer */

struct job {
        struct server *server;
        struct list node; /* in jobs.running or jobs.waiting */
        struct job_spec spec;
        job_done_fn done;
        void *data;
        int pidfd, answer_fd;
        struct watch *exit_watch, *answer_watch;
        struct strbuf answer; /* bytes of the current line */
        struct json_object *result;
        struct error error;
        bool has_answer, has_exited, is_cancelled, is_running;
        int status;
};

struct jobs {
        struct list running, waiting;
        size_t n_running, n_sessions;
        struct fork_server forks;
        job_fake_fn fake;
};

struct jobs *jobs_new(void)
{
        struct jobs *j = xnew(struct jobs);
        fork_server_init(&j->forks);
        list_init(&j->running);
        list_init(&j->waiting);
        return j;
}

static void job_free(struct job *job)
{
        watch_stop(job->exit_watch);
        watch_stop(job->answer_watch);
        fd_close(job->pidfd);
        fd_close(job->answer_fd);
        fd_close(job->spec.take_stdin);
        fd_close(job->spec.take_stdout);
        for (size_t i = 0; i < job->spec.n_fds; i++)
                fd_close(job->spec.take_fds[i]);
        json_object_put(job->spec.take_args);
        json_object_put(job->result);
        strbuf_done(&job->answer);
        error_done(&job->error);
        list_remove(&job->node);
        free(job);
}

/* A detached one is there as long as its process, and nothing of it but the process is asked for any more. */
static void job_shrink(struct job *job)
{
        json_object_put(job->spec.take_args);
        json_object_put(job->result);
        strbuf_done(&job->answer);
        job->spec.take_args = job->result = NULL;
        job->answer = (struct strbuf)STRBUF_INIT;
}

void jobs_free(struct jobs *j)
{
        struct job *job;
        list_for_each (job, &j->running, node)
                job_free(job);
        list_for_each (job, &j->waiting, node)
                job_free(job);
        fork_server_stop(&j->forks);
        free(j);
}

void jobs_set_fake(struct server *s, job_fake_fn fake)
{
        s->jobs->fake = fake;
}

size_t jobs_running(struct server *s)
{
        return s->jobs->n_running;
}

static void start_waiting(struct server *s);

static size_t *places_of(const struct job *job)
{
        struct jobs *j = job->server->jobs;
        return job->spec.is_session ? &j->n_sessions : &j->n_running;
}

/* The one way a job ends for its owner. A detached one stays in the list until its process is reaped. */
static void finish(struct job *job)
{
        struct server *s = job->server;
        if (!job->has_answer && job->is_cancelled)
                error_set(&job->error, ERR_CANCELLED, "Cancelled");
        else if (!job->has_answer && job->error.code == ERR_NONE)
                error_set(&job->error, ERR_INTERNAL, "%s %s ended without an answer (%s %d)", job->spec.program,
                          job->spec.name, job->status > 128 ? "signal" : "exit status",
                          job->status > 128 ? job->status - 128 : job->status);
        job_done_fn done = TAKE_PTR(job->done);
        int r = job->error.code == ERR_NONE ? 0 : error_errno(job->error.code);
        --*places_of(job);
        job->is_running = false;
        if (done)
                done(job->data, r, job->result, &job->error);
        if (job->has_exited || !job->spec.is_detached)
                job_free(job);
        else
                job_shrink(job);
        start_waiting(s);
}

static void maybe_finish(struct job *job)
{
        bool answer_is_over = job->answer_fd < 0;
        if (!job->done && job->has_exited)
                job_free(job); /* a detached one whose process ended later */
        else if (job->done && answer_is_over && (job->has_exited || (job->spec.is_detached && job->has_answer)))
                finish(job);
}

static void handle_progress(struct job *job, struct json_object *p)
{
        const char *stage = json_get_string(p, "stage", "");
        int percent = (int)json_get_int(p, "percent", -1);
        if (job->spec.progress)
                job->spec.progress(job->data, stage, percent, json_get_int(p, "bytes", -1));
        else if (job->spec.op)
                operation_progress(job->spec.op, stage, percent, NULL);
}

static void handle_error(struct job *job, struct json_object *e)
{
        error_set(&job->error, error_code_from_reason(json_get_string(e, "reason", "internal")), "%s",
                  json_get_string(e, "message", "no reason given"));
        if (json_has(e, "hint"))
                error_hint(&job->error, "%s", json_get_string(e, "hint", ""));
}

static void handle_result(struct job *job, struct json_object *result)
{
        job->result = json_object_get(result);
        job->has_answer = true;
        if (job->spec.answered)
                job->spec.answered(job->data, result);
}

static void handle_line(struct job *job, const char *line, size_t n)
{
        _cleanup_json_ struct json_object *o = NULL;
        struct json_object *part;
        if (json_parse(line, n, &o, NULL) < 0)
                error_set(&job->error, ERR_INTERNAL, "%s %s gave an answer that is not JSON", job->spec.program,
                          job->spec.name);
        else if ((part = json_get_object(o, "progress")))
                handle_progress(job, part);
        else if ((part = json_get_object(o, "error")))
                handle_error(job, part), job->has_answer = true;
        else if ((part = json_get_object(o, "result")))
                handle_result(job, part);
}

static void handle_lines(struct job *job)
{
        char *newline;
        while (job->answer.len && (newline = memchr(job->answer.data, '\n', job->answer.len))) {
                size_t n = (size_t)(newline - job->answer.data);
                handle_line(job, job->answer.data, n);
                strbuf_consume(&job->answer, n + 1);
        }
}

static void end_of_answers(struct job *job)
{
        watch_stop(TAKE_PTR(job->answer_watch));
        fd_reset(&job->answer_fd);
        maybe_finish(job);
}

/* Reads once; false when there is nothing more to read now or ever. */
static bool read_answers(struct job *job, bool *ret_is_over)
{
        char *to = strbuf_reserve(&job->answer, 65536);
        if (!to)
                error_set(&job->error, ERR_TOO_LARGE, "%s %s: the answer is too large", job->spec.program,
                          job->spec.name);
        ssize_t n = to ? read(job->answer_fd, to, 65536) : 0;
        *ret_is_over = n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR);
        if (n <= 0)
                return false;
        job->answer.len += (size_t)n;
        job->answer.data[job->answer.len] = '\0';
        handle_lines(job);
        return true;
}

static void on_answer(void *data, int fd _unused_, int events _unused_)
{
        struct job *job = data;
        bool is_over;
        read_answers(job, &is_over);
        if (is_over)
                end_of_answers(job);
}

static void on_process_exit(void *data, int fd, int events _unused_)
{
        struct job *job = data;
        bool is_over = false;
        process_wait(fd, &job->status);
        job->has_exited = true;
        watch_stop(TAKE_PTR(job->exit_watch));
        /* What it wrote before its end is still in the pipe. A grandchild may hold the other end: no waiting for it. */
        while (job->answer_fd >= 0 && read_answers(job, &is_over))
                ;
        end_of_answers(job);
}

/* A worker is told that it is one, so that a failpoint aimed at the daemon finds its parent (base/effect.h). */
static const char *const *worker_environment(void)
{
        static char failpoint[256], store_pid[64];
        static const char *env[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                     "LANG=C.UTF-8", "HOME=/root", "LIGHTD_WORKER=1", NULL, NULL, NULL };
        const char *wanted = getenv("LIGHTD_FAILPOINT"), *store = getenv("LIGHTD_STORE_PID");
        size_t n = 4;
        if (wanted && (size_t)snprintf(failpoint, sizeof failpoint, "LIGHTD_FAILPOINT=%s", wanted) < sizeof failpoint)
                env[n++] = failpoint;
        if (store && (size_t)snprintf(store_pid, sizeof store_pid, "LIGHTD_STORE_PID=%s", store) < sizeof store_pid)
                env[n++] = store_pid;
        env[n] = NULL;
        return env;
}

static int spawn(struct job *job)
{
        struct server *s = job->server;
        _cleanup_free_ char *path = NULL;
        _cleanup_close_ int args = -EBADF, answer = -EBADF;
        const char *text = job->spec.take_args ? json_text(job->spec.take_args) : "{}";
        const char *argv[] = { job->spec.program, job->spec.name, NULL };
        struct process_spec p = { .argv = argv, .n_fds = 5 + job->spec.n_fds };

        int r = process_find_own(job->spec.program, &path);
        if (r >= 0)
                r = args = fd_memfd_sealed("args", text, strlen(text));
        if (r >= 0)
                r = fd_pipe(&job->answer_fd, &answer);
        if (r < 0)
                return r;
        fd_set_nonblocking(job->answer_fd, true);
        p.path = path;
        p.env = worker_environment();
        p.cgroup_fd = job->spec.cgroup_fd >= 0 ? job->spec.cgroup_fd : s->jobs_cgroup_fd;
        p.fds[0] = job->spec.take_stdin;
        p.fds[1] = job->spec.take_stdout;
        p.fds[2] = STDERR_FILENO;
        p.fds[3] = args;
        p.fds[4] = answer;
        memcpy(p.fds + 5, job->spec.take_fds, job->spec.n_fds * sizeof(int));
        return fork_server_spawn(&s->jobs->forks, &p, &job->pidfd);
}

static void close_given(struct job *job)
{
        fd_reset(&job->spec.take_stdin);
        fd_reset(&job->spec.take_stdout);
        for (size_t i = 0; i < job->spec.n_fds; i++)
                fd_reset(&job->spec.take_fds[i]);
}

static void fail_later(void *data)
{
        struct job *job = data;
        job->has_exited = true;
        finish(job);
}

static void run(struct job *job)
{
        struct server *s = job->server;
        list_remove(&job->node);
        list_append(&s->jobs->running, &job->node);
        ++*places_of(job);
        job->is_running = true;
        int r = job->is_cancelled ? -ECANCELED : spawn(job);
        close_given(job);
        if (r < 0) {
                limit_error(&job->error, r, LIMIT_PROCESS, "Starting %s %s", job->spec.program, job->spec.name);
                fd_reset(&job->answer_fd);
                timer_start(s, 0, fail_later, job);
                return;
        }
        job->exit_watch = watch_start(s, job->pidfd, UV_READABLE, on_process_exit, job);
        job->answer_watch = watch_start(s, job->answer_fd, UV_READABLE, on_answer, job);
}

static void start_waiting(struct server *s)
{
        struct job *job;
        list_for_each (job, &s->jobs->waiting, node)
                if (*places_of(job) < (job->spec.is_session ? JOBS_SESSIONS_MAX : JOBS_RUNNING_MAX))
                        run(job);
}

struct job *job_start(struct server *s, const struct job_spec *spec, job_done_fn done, void *data)
{
        struct job *job = xnew(struct job);
        job->server = s;
        job->spec = *spec;
        job->done = done;
        job->data = data;
        job->pidfd = job->answer_fd = -EBADF;
        job->answer.max = ANSWER_MAX;
        list_init(&job->node);
        if (s->jobs->fake) {
                job->spec.take_args = NULL;
                s->jobs->fake(s, spec, done, data);
                json_object_put(spec->take_args);
                job->spec.n_fds = 0;
                job_free(job);
                return NULL;
        }
        list_append(&s->jobs->waiting, &job->node);
        start_waiting(s);
        return job;
}

void job_cancel(struct job *job)
{
        job->is_cancelled = true;
        if (job->pidfd >= 0 && !job->has_exited)
                process_signal(job->pidfd, SIGTERM);
}

void job_kill(struct job *job)
{
        job->is_cancelled = true;
        if (job->pidfd >= 0 && !job->has_exited)
                process_signal(job->pidfd, SIGKILL);
}
