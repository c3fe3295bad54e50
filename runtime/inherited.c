/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/inherited.h"
#include "base/path.h"
#include "runtime/rlimits.h"

#include <fcntl.h>
#include <linux/ioprio.h>
#include <linux/keyctl.h>
#include <linux/mempolicy.h>
#include <sched.h>
#include <signal.h>
#include <sys/personality.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TIMER_SLACK_NS 50000
#define DUMP_FILTER "0x33" /* anonymous, ELF headers, private huge pages */

/* A failure means that this kernel does not have it, or that we may not: then nobody set it, or it stays. */
static void reset_scheduling(void)
{
        const struct sched_param none = { 0 };
        cpu_set_t all;
        memset(&all, 0xff, sizeof all);
        sched_setscheduler(0, SCHED_OTHER, &none);
        setpriority(PRIO_PROCESS, 0, 0);
        syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_NONE, 0));
        sched_setaffinity(0, sizeof all, &all);
        /* Not 0, which stands for the slack of the process that forked us. */
        prctl(PR_SET_TIMERSLACK, TIMER_SLACK_NS);
}

static void reset_memory(void)
{
        syscall(SYS_set_mempolicy, MPOL_DEFAULT, NULL, 0);
        prctl(PR_SET_THP_DISABLE, 0, 0, 0, 0);
        prctl(PR_MCE_KILL, PR_MCE_KILL_CLEAR, 0, 0, 0);
        (void)!path_write_value(AT_FDCWD, "/proc/self/coredump_filter", DUMP_FILTER);
        personality(PER_LINUX);
}

/* EACCES: it was less protected before, and we may not take that back. */
static int reset_oom_score(void)
{
        int r = path_write_value(AT_FDCWD, "/proc/self/oom_score_adj", "0");
        return r == -EACCES ? 0 : r;
}

/*
 * An empty keyring of the host's: inside, the guest may have used up its quota of keys, so that it cannot have one of its
 * own, and then this is what its process finds instead of the daemon's.
 */
static int leave_keyring(void)
{
        if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, NULL) >= 0 || errno == ENOSYS || errno == EPERM)
                return 0; /* without the call nobody reaches a key either */
        return -errno;
}

int inherited_reset(void)
{
        reset_scheduling();
        reset_memory();
        int r = reset_oom_score();
        if (r == 0)
                r = rlimits_reset();
        return r < 0 ? r : leave_keyring();
}

/* By the kernel's own call: libc keeps two signals to itself, which our parent may have been told to ignore. */
static void reset_signals(void)
{
        const struct {
                void *handler;
                unsigned long flags;
                void *restorer;
                uint64_t mask;
        } standard = { SIG_DFL };
        sigset_t none;
        for (int sig = 1; sig < NSIG; sig++)
                syscall(SYS_rt_sigaction, sig, &standard, NULL, sizeof standard.mask);
        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
}

int inherited_reset_inside(bool is_32bit)
{
        (void)!leave_keyring();
        umask(022);
        reset_signals();
        return is_32bit && personality(PER_LINUX32) < 0 ? -errno : 0;
}
