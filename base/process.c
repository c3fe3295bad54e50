/* SPDX-License-Identifier: Apache-2.0 */
#include "base/process.h"
#include "base/alloc.h"
#include "base/fd.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* The soft limit of files before process_raise_files(): for the programs this one starts. */
static struct {
        bool is_raised;
        rlim_t soft;
} files;

static const char *const minimal_env[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                           "LANG=C.UTF-8", "HOME=/root", NULL };

/* What the child needs; it lives in the parent's memory until exec, so the child writes its failure here. */
struct launch {
        const struct process_spec *spec;
        const char *const *env;
        sigset_t old_mask;
        volatile int failure;
};

/* First out of the way of the targets (a source may sit where another has to go), then into place. */
int process_place_fds(const int *fds, size_t n)
{
        int moved[PROCESS_FDS_MAX];
        for (size_t i = 0; i < n; i++) {
                moved[i] = -EBADF;
                int from = fds[i];
                if (from < 0 && i < 3)
                        from = open("/dev/null", O_RDWR | O_CLOEXEC);
                if (from < 0)
                        continue;
                moved[i] = fcntl(from, F_DUPFD_CLOEXEC, PROCESS_FDS_MAX);
                if (moved[i] < 0)
                        return -errno;
        }
        for (size_t i = 0; i < n; i++) {
                if (moved[i] < 0)
                        close((int)i);
                else if (dup2(moved[i], (int)i) < 0)
                        return -errno;
        }
        return syscall(SYS_close_range, (unsigned)n, ~0u, 1u << 2 /* CLOSE_RANGE_CLOEXEC */) < 0 ? -errno : 0;
}

static void reset_signals(void)
{
        sigset_t none;
        for (int sig = 1; sig < NSIG; sig++)
                signal(sig, SIG_DFL);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
}

/* After its descriptors are placed: those above the limit stay open, but none could be made there. */
static int restore_files(void)
{
        struct rlimit now;
        if (!files.is_raised)
                return 0;
        if (getrlimit(RLIMIT_NOFILE, &now) < 0)
                return -errno;
        now.rlim_cur = MIN(files.soft, now.rlim_max);
        return setrlimit(RLIMIT_NOFILE, &now) < 0 ? -errno : 0;
}

static _noreturn_ void child_main(struct launch *l)
{
        const struct process_spec *spec = l->spec;
        /* Shared memory, own descriptors: close_range and dup2 below touch only the child's table. */
        reset_signals();
        if (spec->is_session_leader)
                setsid();
        int r = process_place_fds(spec->fds, spec->n_fds);
        if (r == 0)
                r = restore_files();
        if (r == 0) {
                execve(spec->path, (char *const *)spec->argv, (char *const *)l->env);
                r = -errno;
        }
        l->failure = r;
        _exit(127);
}

#if defined(__x86_64__)
/*
 * clone3 with CLONE_VM|CLONE_VFORK and no stack of its own: the child runs on this very stack frame while the parent
 * sleeps, as vfork() does. It must be inline: returning from a libc wrapper twice would find a clobbered return
 * address.
 */
static __attribute__((noinline)) long clone_vfork(struct clone_args *args, struct launch *l)
{
        long ret;
        __asm__ volatile("syscall"
                         : "=a"(ret)
                         : "0"((long)SYS_clone3), "D"(args), "S"(sizeof *args)
                         : "rcx", "r11", "memory");
        if (ret == 0)
                child_main(l);
        return ret;
}
#define SPAWN_FLAGS (CLONE_VM | CLONE_VFORK)
#else
static long clone_vfork(struct clone_args *args, struct launch *l)
{
        long ret = syscall(SYS_clone3, args, sizeof *args);
        if (ret == 0)
                child_main(l);
        return ret < 0 ? -errno : ret;
}
#define SPAWN_FLAGS CLONE_VFORK
#endif

int process_spawn(const struct process_spec *spec, pid_t *ret_pid, int *ret_pidfd)
{
        struct launch l = { .spec = spec, .env = spec->env ? spec->env : minimal_env };
        int pidfd = -EBADF;
        struct clone_args args = { .flags = SPAWN_FLAGS | CLONE_PIDFD,
                                   .pidfd = (uint64_t)(uintptr_t)&pidfd,
                                   .exit_signal = SIGCHLD };
        sigset_t all;

        assert(spec->n_fds >= 3 && spec->n_fds <= PROCESS_FDS_MAX);
        if (spec->cgroup_fd >= 0) {
                args.flags |= CLONE_INTO_CGROUP;
                args.cgroup = (uint64_t)spec->cgroup_fd;
        }
        /* No handler of ours may run in the child while it shares our memory. */
        sigfillset(&all);
        sigprocmask(SIG_SETMASK, &all, &l.old_mask);
        long pid = clone_vfork(&args, &l);
        int r = pid < 0 ? (int)pid : l.failure;
        sigprocmask(SIG_SETMASK, &l.old_mask, NULL);
        if (r < 0) {
                if (pid > 0)
                        waitpid((pid_t)pid, NULL, 0);
                fd_close(pidfd);
                return r;
        }
        if (ret_pid)
                *ret_pid = (pid_t)pid;
        *ret_pidfd = pidfd;
        return 0;
}

int process_wait(int pidfd, int *ret_status)
{
        siginfo_t info = { 0 };
        while (waitid(P_PIDFD, (id_t)pidfd, &info, WEXITED) < 0)
                if (errno != EINTR)
                        return -errno;
        *ret_status = info.si_code == CLD_EXITED ? info.si_status : 128 + info.si_status;
        return 0;
}

int process_signal(int pidfd, int sig)
{
        return syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) < 0 ? -errno : 0;
}

void process_prefer_self(void)
{
        const struct sched_param none = { 0 };
        if (sched_setscheduler(0, SCHED_OTHER | SCHED_RESET_ON_FORK, &none) == 0)
                setpriority(PRIO_PROCESS, 0, -10);
}

int process_raise_files(void)
{
        struct rlimit now;
        if (getrlimit(RLIMIT_NOFILE, &now) < 0)
                return -errno;
        rlim_t soft = now.rlim_cur;
        now.rlim_cur = now.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &now) < 0)
                return -errno;
        if (!files.is_raised)
                files.soft = soft;
        files.is_raised = true;
        return 0;
}

static int try_path(char *take_path, char **ret_path)
{
        if (access(take_path, X_OK) == 0)
                return *ret_path = take_path, 0;
        free(take_path);
        return -ENOENT;
}

int process_find_own(const char *name, char **ret_path)
{
        char self[4096];
        ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
        if (n < 0)
                return -errno;
        self[n] = '\0';
        /* After an upgrade the running program's file is gone: "/usr/bin/lightd (deleted)". */
        char *slash = strrchr(self, '/');
        *slash = '\0';
        if (try_path(xasprintf("%s/%s", self, name), ret_path) == 0)
                return 0;
        return try_path(xasprintf("%s/../libexec/lightd/%s", self, name), ret_path);
}

int process_find_tool(const char *name, char **ret_path)
{
        static const char *const dirs[] = { "/usr/local/sbin", "/usr/local/bin", "/usr/sbin",
                                            "/usr/bin",        "/sbin",          "/bin" };
        for (size_t i = 0; i < ARRAY_SIZE(dirs); i++)
                if (try_path(xasprintf("%s/%s", dirs[i], name), ret_path) == 0)
                        return 0;
        return -ENOENT;
}
