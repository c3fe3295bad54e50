/* SPDX-License-Identifier: Apache-2.0 */
#include "store/jail.h"
#include "base/fd.h"
#include "base/syscall-filter.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Files, memory, time and the one stream. Not kill(): with uid 0 it reaches every process of root. */
static const unsigned allowed[] = {
        SYS_read,
        SYS_write,
        SYS_pread64,
        SYS_pwrite64,
        SYS_readv,
        SYS_writev,
        SYS_recvfrom,
        SYS_sendto,
        SYS_recvmsg,
        SYS_sendmsg,
        SYS_shutdown,
        SYS_ppoll,
        SYS_openat,
        SYS_close,
        SYS_fstat,
        SYS_fstatfs,
        SYS_newfstatat,
        SYS_statx,
        SYS_lseek,
        SYS_fsync,
        SYS_fdatasync,
        SYS_ftruncate,
        SYS_fallocate,
        SYS_unlinkat,
        SYS_renameat,
        SYS_renameat2,
        SYS_mkdirat,
        SYS_faccessat,
        SYS_faccessat2,
        SYS_fchmod,
        SYS_fchown,
        SYS_readlinkat,
        SYS_getdents64,
        SYS_getcwd,
        SYS_fcntl,
        SYS_flock,
        SYS_dup,
        SYS_brk,
        SYS_mmap,
        SYS_munmap,
        SYS_mremap,
        SYS_mprotect,
        SYS_madvise,
        SYS_futex,
        SYS_clock_gettime,
        SYS_gettimeofday,
        SYS_clock_nanosleep,
        SYS_nanosleep,
        SYS_getrandom,
        SYS_getpid,
        SYS_gettid,
        SYS_getuid,
        SYS_geteuid,
        SYS_getgid,
        SYS_getegid,
        SYS_sched_yield,
        SYS_setitimer,
        SYS_rt_sigaction,
        SYS_rt_sigprocmask,
        SYS_rt_sigreturn,
        SYS_sigaltstack,
        SYS_restart_syscall,
        SYS_sysinfo,
        SYS_uname,
        SYS_exit,
        SYS_exit_group,
#if defined(__x86_64__)
        SYS_open,
        SYS_stat,
        SYS_lstat,
        SYS_access,
        SYS_unlink,
        SYS_rename,
        SYS_mkdir,
        SYS_readlink,
        SYS_poll,
        SYS_alarm,
        SYS_time,
#endif
};

static int drop_capabilities(void)
{
        struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
        struct __user_cap_data_struct none[2] = { 0 };
        return syscall(SYS_capset, &header, none) < 0 ? -errno : 0;
}

/* AddressSanitizer reserves terabytes of address space; its builds go without that limit. */
static int set_limits(void)
{
        const struct rlimit files = { 32, 32 }, core = { 0, 0 };
        if (setrlimit(RLIMIT_NOFILE, &files) < 0 || setrlimit(RLIMIT_CORE, &core) < 0)
                return -errno;
#ifndef __SANITIZE_ADDRESS__
        const struct rlimit memory = { GiB(1), GiB(1) };
        if (setrlimit(RLIMIT_DATA, &memory) < 0)
                return -errno;
#endif
        return 0;
}

static int go_to(const char *dir)
{
        if (mkdir(dir, 0700) < 0 && errno != EEXIST)
                return -errno;
        _cleanup_close_ int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0 || fchmod(fd, 0700) < 0 || fchdir(fd) < 0)
                return -errno;
        return geteuid() == 0 && chroot(".") < 0 ? -errno : 0;
}

int jail_enter(const char *dir, struct error *err)
{
        umask(0077);
        int r = go_to(dir);
        if (r < 0)
                return error_set_errno(err, r, "The database directory \"%s\" cannot be used", dir);
        r = set_limits();
        if (r == 0)
                r = drop_capabilities();
        if (r == 0)
                r = syscall_filter_allow(allowed, ARRAY_SIZE(allowed));
        return r < 0 ? error_set_errno(err, r, "The store could not give up its privileges") : 0;
}
