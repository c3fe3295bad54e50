/* SPDX-License-Identifier: Apache-2.0 */
#include "store/jail.h"
#include "base/fd.h"

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#if defined(__x86_64__)
#define JAIL_ARCH AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define JAIL_ARCH AUDIT_ARCH_AARCH64
#endif

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

/* Jump distances are bytes: ARRAY_SIZE(allowed) must stay below 255. */
static int filter_syscalls(void)
{
#ifdef JAIL_ARCH
        struct sock_filter code[ARRAY_SIZE(allowed) + 6];
        size_t n = 0, last = ARRAY_SIZE(allowed) + 4;
        code[n++] =
                (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch));
        code[n++] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, JAIL_ARCH, 1, 0);
        code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS);
        code[n++] = (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr));
        for (size_t i = 0; i < ARRAY_SIZE(allowed); i++, n++)
                code[n] = (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, allowed[i],
                                                       (uint8_t)(last - n), 0);
        code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM);
        code[n++] = (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW);
        struct sock_fprog program = { .len = (unsigned short)n, .filter = code };
        return prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0 ? -errno : 0;
#else
        return 0;
#endif
}

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
        r = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 ? -errno : 0;
        if (r == 0)
                r = set_limits();
        if (r == 0)
                r = drop_capabilities();
        if (r == 0)
                r = filter_syscalls();
        return r < 0 ? error_set_errno(err, r, "The store could not give up its privileges") : 0;
}
