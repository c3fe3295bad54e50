/* SPDX-License-Identifier: Apache-2.0 */
#include "networks/dnsmasq.h"
#include "base/alloc.h"
#include "base/effect.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/process.h"
#include "base/time.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define READY_POLL_MS 10
#define READY_TIMEOUT_MS 10000
#define RESTART_FIRST_MS 100
#define RESTART_LAST_MS 30000
#define STABLE_MS 60000 /* lived so long: the next restart is quick again */
/* With a thousand hosts it works 25 ms at each: while many come and go, it is told twice a second. */
#define RELOAD_FIRST_MS 20
#define RELOAD_LAST_MS 500
#define SAID_MAX 300

struct dnsmasq {
        struct server *server;
        char *name, *dir;
        char **argv; /* wanted; NULL: none */
        int pidfd;
        struct watch *exit_watch;
        uint64_t timer, reload_timer, reloaded_ms, reload_ms, started_ms, restart_ms;
        bool is_ready;
        dnsmasq_done_fn done;
        void *data;
};

static bool is_fake;

void dnsmasq_set_fake(bool fake)
{
        is_fake = fake;
}

struct dnsmasq *dnsmasq_new(struct server *s, const char *name, const char *dir)
{
        struct dnsmasq *d = xnew(struct dnsmasq);
        d->server = s;
        d->name = xstrdup(name);
        d->dir = xstrdup(dir);
        d->pidfd = -EBADF;
        d->restart_ms = RESTART_FIRST_MS;
        d->reload_ms = RELOAD_FIRST_MS;
        return d;
}

/* A child is reaped; one adopted from an earlier daemon is init's to reap. Its exit status, 128+signal, or -1. */
static int drop_process(struct dnsmasq *d)
{
        siginfo_t info = { 0 };
        int status = -1;
        if (d->pidfd >= 0 && waitid(P_PIDFD, (id_t)d->pidfd, &info, WEXITED | WNOHANG) == 0 && info.si_pid)
                status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
        watch_stop(TAKE_PTR(d->exit_watch));
        fd_reset(&d->pidfd);
        d->is_ready = false;
        return status;
}

static void set_timer(struct dnsmasq *d, uint64_t ms, void (*fn)(void *data))
{
        timer_cancel(d->server, d->timer);
        d->timer = timer_start(d->server, ms, fn, d);
}

void dnsmasq_forget(struct dnsmasq *d)
{
        timer_cancel(d->server, d->timer);
        timer_cancel(d->server, d->reload_timer);
        d->timer = d->reload_timer = 0;
        d->done = NULL;
        dnsmasq_args_free(TAKE_PTR(d->argv));
        if (d->pidfd >= 0)
                process_signal(d->pidfd, SIGTERM);
}

void dnsmasq_free(struct dnsmasq *d)
{
        if (!d)
                return;
        timer_cancel(d->server, d->timer);
        timer_cancel(d->server, d->reload_timer);
        drop_process(d);
        dnsmasq_args_free(d->argv);
        free(d->name);
        free(d->dir);
        free(d);
}

static void finish(struct dnsmasq *d, int r, struct error *err)
{
        dnsmasq_done_fn done = TAKE_PTR(d->done);
        if (done)
                done(d->data, r, err);
}

/* The last line it wrote before it gave up, or how it ended. */
static char *last_words(const struct dnsmasq *d, int status)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        _cleanup_free_ char *path = xasprintf("%s/dnsmasq.err", d->dir);
        path_read_file(AT_FDCWD, path, KiB(64), &b);
        while (b.len > 0 && b.data[b.len - 1] == '\n')
                b.data[--b.len] = '\0';
        char *line = b.len ? strrchr(b.data, '\n') : NULL;
        if (b.len)
                return xstrndup(line ? line + 1 : b.data, SAID_MAX);
        if (status > 128)
                return xasprintf("signal %d", status - 128);
        return status < 0 ? xstrdup("not known why") : xasprintf("exit status %d", status);
}

static char *cgroup_file(const struct dnsmasq *d, const char *file)
{
        return xasprintf("net/%s%s%s", d->name, file ? "/" : "", file ? file : "");
}

/* The first process of the network's cgroup; 0: none. */
static pid_t find_process(const struct dnsmasq *d)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        _cleanup_free_ char *path = cgroup_file(d, "cgroup.procs");
        if (d->server->cgroup_fd < 0 || path_read_file(d->server->cgroup_fd, path, KiB(4), &b) < 0)
                return 0;
        return (pid_t)strtol(strbuf_str(&b), NULL, 10);
}

static bool has_arguments(pid_t pid, char *const *argv)
{
        _cleanup_strbuf_ struct strbuf have = STRBUF_INIT, want = STRBUF_INIT;
        _cleanup_free_ char *path = xasprintf("/proc/%d/cmdline", (int)pid);
        for (size_t i = 0; argv && argv[i]; i++)
                strbuf_add(&want, argv[i], strlen(argv[i]) + 1);
        return want.len > 0 && path_read_file(AT_FDCWD, path, KiB(64), &have) >= 0 && have.len == want.len &&
               memcmp(have.data, want.data, want.len) == 0;
}

static void on_exit_event(void *data, int fd, int events);

static int watch_process(struct dnsmasq *d, int take_pidfd)
{
        d->pidfd = take_pidfd;
        d->exit_watch = watch_start(d->server, d->pidfd, UV_READABLE, on_exit_event, d);
        return 0;
}

/* One that an earlier daemon started. */
static bool adopt(struct dnsmasq *d, pid_t pid)
{
        int fd = (int)syscall(SYS_pidfd_open, pid, 0);
        if (fd < 0)
                return false;
        d->started_ms = time_monotonic_ms();
        return watch_process(d, fd) == 0;
}

static bool has_pid_file(const struct dnsmasq *d)
{
        _cleanup_free_ char *path = xasprintf("%s/dnsmasq.pid", d->dir);
        return access(path, F_OK) == 0;
}

static int open_output(const struct dnsmasq *d)
{
        _cleanup_free_ char *path = xasprintf("%s/dnsmasq.err", d->dir);
        _cleanup_free_ char *pid = xasprintf("%s/dnsmasq.pid", d->dir);
        unlink(pid);
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
        return fd < 0 ? -errno : fd;
}

static int spawn(struct dnsmasq *d)
{
        _cleanup_free_ char *path = NULL, *group = cgroup_file(d, NULL);
        _cleanup_close_ int output = -EBADF, cgroup = -EBADF;
        int pidfd, r = process_find_tool("dnsmasq", &path);
        if (r >= 0)
                r = output = open_output(d);
        if (r < 0)
                return r;
        if (d->server->cgroup_fd >= 0)
                cgroup = openat(d->server->cgroup_fd, group, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        struct process_spec spec = { .path = path,
                                     .argv = (const char *const *)d->argv,
                                     .fds = { -EBADF, output, output },
                                     .n_fds = 3,
                                     .cgroup_fd = cgroup,
                                     .is_session_leader = true };
        effect_point(EFFECT_DNSMASQ_START, EFFECT_BEFORE);
        r = process_spawn(&spec, NULL, &pidfd);
        effect_point(EFFECT_DNSMASQ_START, EFFECT_AFTER);
        if (r < 0)
                return r;
        d->started_ms = time_monotonic_ms();
        return watch_process(d, pidfd);
}

static void look_if_ready(void *data)
{
        struct dnsmasq *d = data;
        _cleanup_error_ struct error err = ERROR_INIT;
        d->timer = 0;
        if (has_pid_file(d)) {
                d->is_ready = true;
                finish(d, 0, &err);
        } else if (time_monotonic_ms() - d->started_ms < READY_TIMEOUT_MS) {
                set_timer(d, READY_POLL_MS, look_if_ready);
        } else {
                int r = error_set(&err, ERR_TIMEOUT, "Network \"%s\": dnsmasq did not become ready", d->name);
                finish(d, r, &err);
        }
}

static void start_process(void *data)
{
        struct dnsmasq *d = data;
        _cleanup_error_ struct error err = ERROR_INIT;
        d->timer = 0;
        int r = spawn(d);
        if (r >= 0) {
                set_timer(d, READY_POLL_MS, look_if_ready);
        } else if (r == -ENOENT) {
                error_set(&err, ERR_UNSUPPORTED, "Network \"%s\": dnsmasq is not installed", d->name);
                error_hint(&err, "install the package \"dnsmasq-base\"");
                finish(d, r, &err);
        } else {
                error_set_errno(&err, r, "Network \"%s\": starting dnsmasq", d->name);
                finish(d, r, &err);
        }
}

static void start_again(struct dnsmasq *d, const char *why)
{
        if (time_monotonic_ms() - d->started_ms > STABLE_MS)
                d->restart_ms = RESTART_FIRST_MS;
        log_warning("network=%s dnsmasq ended, starting it again in %llu ms: %s", d->name,
                    (unsigned long long)d->restart_ms, why);
        set_timer(d, d->restart_ms, start_process);
        d->restart_ms = MIN(2 * d->restart_ms, (uint64_t)RESTART_LAST_MS);
}

static void on_exit_event(void *data, int fd _unused_, int events _unused_)
{
        struct dnsmasq *d = data;
        _cleanup_error_ struct error err = ERROR_INIT;
        bool was_ready = d->is_ready;
        _cleanup_free_ char *why = last_words(d, drop_process(d));
        timer_cancel(d->server, d->timer);
        d->timer = 0;
        if (!d->argv)
                finish(d, 0, &err);
        else if (d->done && !was_ready) {
                int r = error_set(&err, ERR_INTERNAL, "Network \"%s\": dnsmasq does not start: %s", d->name, why);
                finish(d, r, &err);
        } else if (d->done)
                start_process(d); /* it was stopped for its new arguments */
        else
                start_again(d, why);
}

static void finish_later(void *data)
{
        struct dnsmasq *d = data;
        _cleanup_error_ struct error err = ERROR_INIT;
        d->timer = 0;
        finish(d, 0, &err);
}

void dnsmasq_run(struct dnsmasq *d, char **take_argv, dnsmasq_done_fn done, void *data)
{
        dnsmasq_args_free(d->argv);
        d->argv = take_argv;
        d->done = done;
        d->data = data;
        d->restart_ms = RESTART_FIRST_MS;
        pid_t pid = is_fake ? 0 : find_process(d);
        if (pid > 0 && d->pidfd < 0)
                adopt(d, pid);
        bool is_running = pid > 0 && d->pidfd >= 0;
        if (is_running && has_arguments(pid, d->argv)) {
                d->is_ready = true;
                set_timer(d, 0, finish_later);
        } else if (is_running) {
                d->is_ready = true;
                process_signal(d->pidfd, SIGTERM);
        } else {
                set_timer(d, 0, d->argv && !is_fake ? start_process : finish_later);
        }
}

/* One that has only just begun has no handler yet and would die of the signal; it reads them all anyway. */
static void reload(void *data)
{
        struct dnsmasq *d = data;
        d->reload_timer = 0;
        d->reloaded_ms = time_monotonic_ms();
        if (d->pidfd < 0)
                return;
        if (d->is_ready)
                process_signal(d->pidfd, SIGHUP);
        else
                dnsmasq_reload_soon(d);
}

void dnsmasq_reload_soon(struct dnsmasq *d)
{
        bool is_busy = time_monotonic_ms() - d->reloaded_ms < RELOAD_LAST_MS;
        if (d->reload_timer)
                return;
        d->reload_ms = is_busy ? MIN(d->reload_ms * 2, (uint64_t)RELOAD_LAST_MS) : RELOAD_FIRST_MS;
        d->reload_timer = timer_start(d->server, d->reload_ms, reload, d);
}
