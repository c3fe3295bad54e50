/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/monitor-jail.h"
#include "base/alloc.h"
#include "base/syscall-filter.h"
#include "runtime/privileges.h"

#include <linux/capability.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Streams, the console, exit.json, memory and time. Signals only by a pidfd it has: kill() reaches every process. */
static const unsigned allowed[] = {
        SYS_read, SYS_write, SYS_writev, SYS_recvfrom, SYS_sendto, SYS_recvmsg, SYS_sendmsg, SYS_accept, SYS_accept4,
        SYS_socketpair, SYS_getsockopt, SYS_setsockopt, SYS_ppoll, SYS_close, SYS_fcntl, SYS_ioctl, SYS_dup, SYS_lseek,
        SYS_fstat, SYS_newfstatat, SYS_openat, SYS_ftruncate, SYS_fsync, SYS_renameat, SYS_renameat2, SYS_unlinkat,
        SYS_memfd_create, SYS_waitid, SYS_pidfd_send_signal, SYS_brk, SYS_mmap, SYS_munmap, SYS_mremap, SYS_mprotect,
        SYS_madvise, SYS_futex, SYS_getrandom, SYS_clock_gettime, SYS_gettimeofday, SYS_getpid, SYS_getppid, SYS_gettid,
        SYS_rt_sigaction, SYS_rt_sigprocmask, SYS_rt_sigreturn, SYS_restart_syscall, SYS_exit, SYS_exit_group,
#if defined(__x86_64__)
        SYS_poll, SYS_rename, SYS_time,
#endif
        SYS_kill, /* the last one: see below */
};

int monitor_jail_enter(int run_dir_fd)
{
        if (fchdir(run_dir_fd) < 0 || chroot(".") < 0)
                return -errno;
        /* To signal an init that has other ids. */
        int r = privileges_keep_only(UINT64_C(1) << CAP_KILL);
        /* The kill matrix kills at the note of the exit, too. */
        size_t n = ARRAY_SIZE(allowed) - !getenv("LIGHTD_FAILPOINT");
        return r < 0 ? r : syscall_filter_allow(allowed, n);
}
