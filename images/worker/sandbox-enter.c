/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The order matters. Mounts are made while we are still the host's root in a mount namespace the host's user
 * namespace owns: after setns() into the job's user namespace not one of them can be changed, remounted or
 * uncovered, because no capability of that namespace reaches them.
 */
#include "base/fd.h"
#include "images/worker/sandbox-internal.h"

#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int lower_limit(int which, uint64_t value)
{
        struct rlimit have;
        if (getrlimit(which, &have) < 0)
                return -errno;
        rlim_t v = MIN((rlim_t)value, have.rlim_max);
        return setrlimit(which, &(struct rlimit){ v, v }) < 0 ? -errno : 0;
}

static int set_limits(const struct sandbox_spec *spec)
{
        int r = lower_limit(RLIMIT_CORE, 0);
        if (r == 0)
                r = lower_limit(RLIMIT_NOFILE, 1024);
        if (r == 0)
                r = lower_limit(RLIMIT_CPU, spec->cpu_max_seconds ? spec->cpu_max_seconds : 1800);
        if (r == 0 && spec->file_max_bytes)
                r = lower_limit(RLIMIT_FSIZE, spec->file_max_bytes);
        /* A build's many processes are bounded together by their cgroup; a reader also by itself. */
        if (r == 0 && spec->root != SANDBOX_ROOT_BUILD)
                r = lower_limit(RLIMIT_DATA, sandbox_memory_max(spec));
        /* A file over the limit is an errno to be told in words, not a death. */
        signal(SIGXFSZ, SIG_IGN);
        return r;
}

static int enter_userns(int userns_fd)
{
        if (setns(userns_fd, CLONE_NEWUSER) < 0 || setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 ||
            setresuid(0, 0, 0) < 0)
                return -errno;
        return 0;
}

/* Enough to give files their owners, modes and capabilities; nothing else. */
#define CAP_BIT(c) (1ull << (c))
#define KEPT_CAPS                                                                                            \
        (CAP_BIT(CAP_CHOWN) | CAP_BIT(CAP_DAC_OVERRIDE) | CAP_BIT(CAP_FOWNER) | CAP_BIT(CAP_FSETID) |        \
         CAP_BIT(CAP_SETFCAP))

static int drop_caps(void)
{
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct data[2] = { 0 };
        for (int cap = 0; cap <= CAP_LAST_CAP; cap++)
                if (!(KEPT_CAPS & CAP_BIT(cap)) && prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) < 0 &&
                    errno != EINVAL)
                        return -errno;
        data[0].effective = data[0].permitted = (uint32_t)KEPT_CAPS;
        return syscall(SYS_capset, &header, data) < 0 ? -errno : 0;
}

static int lock_down(bool is_build)
{
        int r = is_build ? 0 : drop_caps();
        if (r < 0)
                return r;
        /* Changing ids cleared the death signal that clone's caller had asked for. */
        if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0 || prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 ||
            prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
                return -errno;
        return is_build ? sandbox_filter_build() : sandbox_filter_reader();
}

static int join(const struct memory_group *g)
{
        if (g->join_fd < 0)
                return 0;
        return write(g->join_fd, "0", 1) < 0 ? -errno : 0;
}

/* Init of the outer pid namespace: its end ends everything below it. */
static _noreturn_ void wait_for_build(pid_t pid)
{
        int status = 0;
        for (;;) {
                pid_t ended = wait(&status);
                if (ended == pid || (ended < 0 && errno != EINTR))
                        _exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
        }
}

/*
 * A build mounts things of its own (mmdebstrap: proc, dev), so it needs mount and pid namespaces that belong
 * to its user namespace. The mounts made so far come along locked.
 */
static int enter_build_namespaces(void)
{
        if (unshare(CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS) < 0)
                return -errno;
        pid_t pid = fork();
        if (pid < 0)
                return -errno;
        if (pid > 0)
                wait_for_build(pid);
        return sandbox_finish_build_root();
}

int sandbox_enter(const struct sandbox_spec *spec, const struct sandbox_mounts *m, int userns_fd,
                  const struct memory_group *g, const char **ret_step)
{
        int r;
        *ret_step = "joining the memory cgroup";
        if ((r = join(g)) < 0)
                return r;
        *ret_step = "making its root";
        if ((r = sandbox_enter_root(spec, m)) < 0)
                return r;
        *ret_step = "setting limits";
        if ((r = set_limits(spec)) < 0)
                return r;
        *ret_step = "entering the user namespace";
        if ((r = enter_userns(userns_fd)) < 0)
                return r;
        *ret_step = "making the build's namespaces";
        if (spec->root == SANDBOX_ROOT_BUILD && (r = enter_build_namespaces()) < 0)
                return r;
        *ret_step = "dropping rights";
        return lock_down(spec->root == SANDBOX_ROOT_BUILD);
}
