/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/privileges.h"
#include "base/alloc.h"
#include "base/fd.h"

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct privileges_filter {
        struct sock_fprog program;
        bool is_kept;
};

static struct privileges_filter *kept[2]; /* by is_open_to_engines; made once by the process jobs are forked from */

/*
 * A deny-list: a system container runs whatever a system runs. ENOSYS where programs then take another way,
 * EPERM where they report. Most of it the kernel refuses in a user namespace anyway, after code that need not be in reach.
 * What is for_engines is opened to container engines with the host's capabilities; without these it would open nothing.
 */
static const struct rule {
        const char *name;
        int answer;
        bool for_engines;
} rules[] = {
        { "kexec_load", ENOSYS },
        { "kexec_file_load", ENOSYS },
        { "init_module", ENOSYS },
        { "finit_module", ENOSYS },
        { "delete_module", ENOSYS },
        { "open_by_handle_at", ENOSYS },
        { "swapon", EPERM },
        { "swapoff", EPERM },
        { "acct", EPERM },
        { "settimeofday", EPERM },
        { "clock_settime", EPERM },
        { "clock_settime64", EPERM },
        { "stime", EPERM },
        { "iopl", EPERM },
        { "ioperm", EPERM },
        { "nfsservctl", ENOSYS },
        { "lookup_dcookie", EPERM },
        { "syslog", EPERM },
        { "perf_event_open", EPERM },
        { "quotactl", EPERM, true },
        { "quotactl_fd", EPERM, true },
        { "userfaultfd", EPERM, true },
        { "bpf", EPERM, true },
};

/* Of one family of calls: i386 has its own filter, because its sockets come by socketcall(). */
enum abi { ABI_NATIVE, ABI_I386 };

/*
 * The kernel's crypto sockets have been a way up too often; user space has its own. A filter sees no memory, so it cannot
 * tell socketcall()'s sockets apart: libseccomp would refuse all of them, and with them the network of every i386 system.
 * So i386 is left its sockets; that and io_uring are ways around this, and closing them would break what is sound.
 */
static int refuse_crypto_sockets(scmp_filter_ctx ctx, enum abi abi)
{
        if (abi == ABI_I386)
                return 0;
        return seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1,
                                SCMP_A0(SCMP_CMP_EQ, AF_ALG));
}

static int add_rules(scmp_filter_ctx ctx, enum abi abi, bool is_open_to_engines)
{
        for (size_t i = 0; i < ARRAY_SIZE(rules); i++) {
                int nr = seccomp_syscall_resolve_name(rules[i].name);
                if (nr == __NR_SCMP_ERROR || (is_open_to_engines && rules[i].for_engines))
                        continue;
                int r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO((uint32_t)rules[i].answer), nr, 0);
                if (r < 0 && r != -EDOM) /* EDOM: not on this architecture */
                        return r;
        }
        int r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EACCES), SCMP_SYS(umount2), 1,
                                 SCMP_A1(SCMP_CMP_MASKED_EQ, MNT_FORCE, MNT_FORCE));
        return r < 0 ? r : refuse_crypto_sockets(ctx, abi);
}

/* x32 and foreign ABIs: their call numbers mean other things, so none of them exists. */
static int configure(scmp_filter_ctx ctx, enum abi abi)
{
        int r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_NNP, 0);
        if (r == 0)
                r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
        if (r == 0 && abi == ABI_I386)
                r = seccomp_arch_add(ctx, SCMP_ARCH_X86);
        if (r == 0 && abi == ABI_I386)
                r = seccomp_arch_remove(ctx, SCMP_ARCH_NATIVE);
        if (r == 0 && abi == ABI_NATIVE && seccomp_arch_native() == SCMP_ARCH_AARCH64)
                r = seccomp_arch_add(ctx, SCMP_ARCH_ARM);
        return r;
}

static int fill(scmp_filter_ctx ctx, enum abi abi, bool is_open_to_engines)
{
        int r = configure(ctx, abi);
        return r < 0 ? r : add_rules(ctx, abi, is_open_to_engines);
}

/* Into ctx; a failed merge leaves the other one to us. */
static int merge_i386(scmp_filter_ctx ctx, bool is_open_to_engines)
{
        if (seccomp_arch_native() != SCMP_ARCH_X86_64)
                return 0;
        scmp_filter_ctx other = seccomp_init(SCMP_ACT_ALLOW);
        if (!other)
                return -ENOMEM;
        int r = fill(other, ABI_I386, is_open_to_engines);
        if (r == 0)
                r = seccomp_merge(ctx, other);
        if (r < 0)
                seccomp_release(other);
        return r;
}

/* libseccomp 2.5 exports to a descriptor only. */
static int export(scmp_filter_ctx ctx, struct privileges_filter *f)
{
        struct stat st;
        _cleanup_close_ int fd = memfd_create("seccomp", MFD_CLOEXEC);
        if (fd < 0)
                return -errno;
        int r = seccomp_export_bpf(ctx, fd);
        if (r < 0)
                return r;
        if (fstat(fd, &st) < 0 || lseek(fd, 0, SEEK_SET) < 0)
                return -errno;
        size_t n = (size_t)st.st_size;
        f->program.filter = xmalloc(n);
        f->program.len = (unsigned short)(n / sizeof(struct sock_filter));
        return fd_read_exact(fd, f->program.filter, n);
}

static int make_filter(bool is_open_to_engines, struct privileges_filter **ret)
{
        scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
        if (!ctx)
                return -ENOMEM;
        struct privileges_filter *f = xnew(struct privileges_filter);
        int r = fill(ctx, ABI_NATIVE, is_open_to_engines);
        if (r == 0)
                r = merge_i386(ctx, is_open_to_engines);
        if (r == 0)
                r = export(ctx, f);
        seccomp_release(ctx);
        *ret = r < 0 ? privileges_filter_free(f) : f;
        return r;
}

int privileges_filter_new(const struct privileges *p, struct privileges_filter **ret, struct error *err)
{
        bool is_open_to_engines = p->is_privileged && p->is_nesting;
        *ret = p->has_seccomp ? kept[is_open_to_engines] : NULL;
        if (!p->has_seccomp || *ret)
                return 0;
        int r = make_filter(is_open_to_engines, ret);
        return r < 0 ? error_set_errno(err, r, "Making the system call filter") : 0;
}

void privileges_filters_keep(void)
{
        for (int i = 0; i < 2; i++)
                if (make_filter(i, &kept[i]) == 0)
                        kept[i]->is_kept = true;
}

struct privileges_filter *privileges_filter_free(struct privileges_filter *f)
{
        if (f && !f->is_kept) {
                free(f->program.filter);
                free(f);
        }
        return NULL;
}

int privileges_load_filter(const struct privileges_filter *f)
{
        if (!f)
                return 0;
        return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &f->program) < 0 ? -errno : 0;
}
