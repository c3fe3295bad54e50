/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fork-server.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/worker.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <unistd.h>

#define PROGRAM "lightrun"
#define SERVER_SOCK 3
#define REPLY_LIMIT_S 10
#define TEXT_MAX 2048
#define ENV_MAX 16
/* argv[1] of a server. Its length is the room a job's name has when it takes this one's place in what ps shows. */
#define SERVER_WORD "fork-server-for-jobs"

struct order {
        uint32_t present; /* bit i: descriptor i is among those that came, in this order; the cgroup is the last one */
        uint32_t n_fds;
        bool has_cgroup, is_session_leader;
        char text[TEXT_MAX]; /* path (empty: the server's own program), name, job, environment: each ended by NUL; an empty one */
};

/* ---- the caller's half ---- */

void fork_server_init(struct fork_server *f)
{
        *f = (struct fork_server){ .sock = -EBADF, .pidfd = -EBADF };
}

static void end(struct fork_server *f)
{
        int status;
        fd_reset(&f->sock);
        if (f->pidfd < 0)
                return;
        process_signal(f->pidfd, SIGKILL);
        process_wait(f->pidfd, &status);
        fd_reset(&f->pidfd);
}

void fork_server_stop(struct fork_server *f)
{
        end(f);
        free(TAKE_PTR(f->program));
}

static int start(struct fork_server *f, const char *const *env)
{
        const char *argv[] = { PROGRAM, SERVER_WORD, NULL };
        struct process_spec spec = { .path = f->program, .argv = argv, .env = env, .cgroup_fd = -EBADF,
                                     .fds = { -EBADF, -EBADF, STDERR_FILENO, -EBADF }, .n_fds = SERVER_SOCK + 1 };
        const struct timeval limit = { .tv_sec = REPLY_LIMIT_S };
        int pair[2];
        if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        spec.fds[SERVER_SOCK] = pair[1];
        setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        setsockopt(pair[0], SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        int r = process_spawn(&spec, NULL, &f->pidfd);
        close(pair[1]);
        if (r < 0)
                close(pair[0]);
        else
                f->sock = pair[0];
        return r;
}

static size_t add_text(struct order *o, size_t at, const char *word)
{
        size_t n = strlen(word) + 1;
        if (at + n >= TEXT_MAX)
                return TEXT_MAX;
        memcpy(o->text + at, word, n);
        return at + n;
}

/* The number of bytes to send, or -E2BIG. */
static ssize_t fill(struct order *o, const char *own, const struct process_spec *spec, int *ret_fds, size_t *ret_n)
{
        size_t n = 0, at = add_text(o, 0, streq(spec->path, own) ? "" : spec->path);
        for (int i = 0; i < 2 && at < TEXT_MAX; i++)
                at = add_text(o, at, spec->argv[i]);
        for (const char *const *e = spec->env; *e && at < TEXT_MAX; e++)
                at = add_text(o, at, *e);
        if (at == TEXT_MAX || strlen(spec->argv[1]) >= sizeof SERVER_WORD)
                return -E2BIG;
        o->text[at] = '\0';
        o->n_fds = (uint32_t)spec->n_fds;
        o->is_session_leader = spec->is_session_leader;
        for (size_t i = 0; i < spec->n_fds; i++)
                if (spec->fds[i] >= 0) {
                        o->present |= 1u << i;
                        ret_fds[n++] = spec->fds[i];
                }
        o->has_cgroup = spec->cgroup_fd >= 0;
        if (o->has_cgroup)
                ret_fds[n++] = spec->cgroup_fd;
        *ret_n = n;
        return (ssize_t)(offsetof(struct order, text) + at + 1);
}

static int receive_answer(struct fork_server *f, int *ret_pidfd)
{
        int answer = 0;
        size_t n = 1;
        ssize_t k = fd_recv_with_fds(f->sock, &answer, sizeof answer, ret_pidfd, &n);
        if (k == sizeof answer && (answer < 0 || n == 1))
                return answer;
        end(f); /* it may have forked or not: another try could do the job twice */
        return -ENOLINK;
}

/* A server that is gone takes no order: then another one does. */
static int send_order(struct fork_server *f, const char *const *env, const struct order *o, size_t size, const int *fds,
                      size_t n_fds)
{
        if (f->sock >= 0 && fd_send_with_fds(f->sock, o, size, fds, n_fds) >= 0)
                return 0;
        end(f);
        int r = start(f, env);
        if (r < 0)
                return r;
        return fd_send_with_fds(f->sock, o, size, fds, n_fds) < 0 ? -ENOLINK : 0;
}

int fork_server_spawn(struct fork_server *f, const struct process_spec *spec, int *ret_pidfd)
{
        struct order o = { 0 };
        int fds[PROCESS_FDS_MAX + 1];
        size_t n_fds = 0;
        int r = f->program ? 0 : process_find_own(PROGRAM, &f->program);
        ssize_t size = r < 0 ? r : fill(&o, f->program, spec, fds, &n_fds);
        if (size < 0)
                return (int)size;
        r = send_order(f, spec->env, &o, (size_t)size, fds, n_fds);
        return r < 0 ? r : receive_answer(f, ret_pidfd);
}

/* ---- the worker's half ---- */

static long fork_as_sibling(int cgroup_fd, int *ret_pidfd)
{
        /* No exit signal: a child of the parent's ends as this process does, with SIGCHLD. */
        struct clone_args args = { .flags = CLONE_PARENT | CLONE_PIDFD, .pidfd = (uint64_t)(uintptr_t)ret_pidfd };
        if (cgroup_fd >= 0) {
                args.flags |= CLONE_INTO_CGROUP;
                args.cgroup = (uint64_t)cgroup_fd;
        }
        long pid = syscall(SYS_clone3, &args, sizeof args);
        return pid < 0 ? -errno : pid;
}

static char *next_word(char *word)
{
        return word + strlen(word) + 1;
}

static void take_environment(char *text)
{
        static char *env[ENV_MAX + 1];
        size_t n = 0;
        for (char *p = text; *p && n < ENV_MAX; p = next_word(p))
                env[n++] = p;
        environ = env;
}

static void place_fds(const struct order *o, const int *fds)
{
        int placed[PROCESS_FDS_MAX];
        for (size_t i = 0, k = 0; i < o->n_fds; i++)
                placed[i] = o->present & (1u << i) ? fds[k++] : -EBADF;
        if (process_place_fds(placed, o->n_fds) < 0 || syscall(SYS_close_range, o->n_fds, ~0u, 0) < 0)
                _exit(127);
}

static _noreturn_ void become_program(const char *path, char *name, char *job)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        execve(path, (char *[]){ name, job, NULL }, environ);
        error_set_errno(&err, -errno, "Starting \"%s\"", path);
        worker_answer_error(&err);
        _exit(0);
}

/* The order is static: its words stay where they are for the rest of this child's life. */
static void become_job(struct order *o, const int *fds, char **argv)
{
        char *path = o->text, *name = next_word(path), *job = next_word(name);
        size_t room = strlen(argv[1]);
        place_fds(o, fds);
        if (o->is_session_leader)
                setsid();
        take_environment(next_word(job));
        if (*path)
                become_program(path, name, job);
        memset(argv[1], 0, room);
        memcpy(argv[1], job, strnlen(job, room));
}

/* Of one order: true in the child. */
static bool serve(struct order *o, const int *fds, size_t n_fds, char **argv)
{
        int pidfd = -EBADF, answer = 0;
        long pid = fork_as_sibling(o->has_cgroup ? fds[n_fds - 1] : -EBADF, &pidfd);
        if (pid == 0) {
                become_job(o, fds, argv);
                return true;
        }
        if (pid < 0)
                answer = (int)pid;
        fd_send_with_fds(SERVER_SOCK, &answer, sizeof answer, &pidfd, pid > 0);
        fd_close(pidfd);
        for (size_t i = 0; i < n_fds; i++)
                close(fds[i]);
        return false;
}

static bool is_whole(const struct order *o, ssize_t size, size_t n_fds)
{
        return size > (ssize_t)offsetof(struct order, text) && o->n_fds >= 3 && o->n_fds <= PROCESS_FDS_MAX &&
               (size_t)__builtin_popcount(o->present) + o->has_cgroup == n_fds && !o->text[size - (ssize_t)offsetof(struct order, text) - 1];
}

void fork_server_child(int argc, char **argv, void (*prepare)(void))
{
        static struct order o;
        bool is_job = argc != 2 || !streq(argv[1], SERVER_WORD);
        if (!is_job) {
                process_prefer_self();
                prepare();
        }
        while (!is_job) {
                int fds[FD_PASS_MAX];
                size_t n = FD_PASS_MAX;
                memset(&o, 0, sizeof o);
                ssize_t size = fd_recv_with_fds(SERVER_SOCK, &o, sizeof o, fds, &n);
                if (size <= 0 || !is_whole(&o, size, n))
                        _exit(0); /* the daemon has ended, or is not the one this program belongs to */
                is_job = serve(&o, fds, n, argv);
        }
}
