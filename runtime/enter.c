/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/enter.h"
#include "base/fd.h"
#include "runtime/inherited.h"
#include "runtime/namespace.h"
#include "runtime/sealed.h"
#include "runtime/spec.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int enter_target_read(struct json_object *args, struct enter_target *ret, struct error *err)
{
        struct enter_target t = { .pidfd = ENTER_FD_INIT,
                                  .cgroup = json_get_string(args, "cgroup", NULL),
                                  .is_privileged = json_get_bool(args, "privileged", false),
                                  .groups = CGROUPS_INIT };
        int r = spec_check_cgroup(t.cgroup, err);
        if (r < 0)
                return r;
        if (fcntl(t.pidfd, F_GETFD) < 0)
                return error_set(err, ERR_BAD_REQUEST, "Descriptor %d is not the container's init", t.pidfd);
        r = cgroups_open(&t.groups, err);
        if (r < 0)
                return r;
        *ret = t;
        return 0;
}

void enter_target_done(struct enter_target *t)
{
        cgroups_done(&t->groups);
}

static pid_t fork_into(int cgroup_fd)
{
        struct clone_args args = { .flags = CLONE_INTO_CGROUP,
                                   .cgroup = (uint64_t)cgroup_fd,
                                   .exit_signal = SIGCHLD };
        long pid = syscall(SYS_clone3, &args, sizeof args);
        return pid < 0 ? -errno : (pid_t)pid;
}

/*
 * A guest that hands controllers to its own groups (systemd on pure cgroup2) may have no process in its top
 * group any more: EBUSY. Then we are born in a leaf of ours beside the guest's.
 */
static pid_t fork_into_leaf(int top)
{
        _cleanup_close_ int leaf = -EBADF;
        if (mkdirat(top, ".enter", 0755) < 0 && errno != EEXIST)
                return -errno;
        leaf = openat(top, ".enter", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return leaf < 0 ? -errno : fork_into(leaf);
}

pid_t enter_fork(const struct enter_target *t)
{
        _cleanup_close_ int fd = cgroups_open_payload(&t->groups, t->cgroup);
        if (fd < 0)
                return fd == -ENOENT ? -ESRCH : fd;
        pid_t pid = fork_into(fd);
        if (pid == -EBUSY)
                pid = fork_into_leaf(fd);
        return pid == -ENODEV ? -ESRCH : pid; /* ENODEV: the group is being removed */
}

int enter_join(struct enter_target *t, enum enter_scope scope)
{
        int flags = CLONE_NEWNS | CLONE_NEWCGROUP;
        int r = cgroups_join_v1(&t->groups, t->cgroup);
        if (r < 0)
                return r == -ENODEV || r == -ENOENT ? -ESRCH : r;
        cgroups_done(&t->groups); /* no directory of the host goes inside */
        r = inherited_reset();
        if (r < 0)
                return r;
        if (scope == ENTER_ALL)
                flags |= CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC;
        if (!t->is_privileged)
                flags |= CLONE_NEWUSER;
        if (setns(t->pidfd, flags) < 0)
                return -errno;
        return namespace_become_root();
}

int enter_hide(const struct enter_target *t, const char *job, struct json_object *args, struct error *err)
{
        int r = t->is_privileged ? sealed_ensure(job, args, err) : 0;
        if (r < 0)
                return r;
        return prctl(PR_SET_DUMPABLE, 0) < 0 ? -errno : 0;
}
