/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/start-internal.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/path.h"
#include "runtime/apparmor.h"
#include "runtime/apparmor-profile.h"
#include "runtime/guest-dev.h"
#include "runtime/guest-mounts.h"
#include "runtime/inherited.h"
#include "runtime/mount-api.h"
#include "runtime/namespace.h"
#include "runtime/rootfs.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define INIT_NAMESPACES (CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP)

/*
 * With CLONE_PARENT init is the monitor's child and the builder can go. The mount namespace is not among the
 * flags: init shares the builder's until the root file system stands in it, then takes its locked copy.
 */
static int clone_init(struct start *s, pid_t *ret_pid, int *ret_pidfd, struct error *err)
{
        _cleanup_close_ int payload = cgroups_open_payload(s->cgroups, s->spec->cgroup);
        if (payload < 0)
                return error_set_errno(err, payload, "Opening the cgroup \"%s\"", s->spec->cgroup);
        struct clone_args args = { .flags = INIT_NAMESPACES | CLONE_PARENT | CLONE_PIDFD | CLONE_INTO_CGROUP |
                                            (s->spec->is_privileged ? 0 : CLONE_NEWUSER),
                                   .pidfd = (uint64_t)(uintptr_t)ret_pidfd,
                                   .cgroup = (uint64_t)payload };
        long pid = syscall(SYS_clone3, &args, sizeof args);
        if (pid < 0)
                return limit_error(err, -errno, LIMIT_INSTANCE, "Making the namespaces of instance \"%s\"", s->spec->name);
        if (pid == 0) {
                fd_reset(&s->builder);
                fd_reset(&s->rootfs);
                init_main(s);
        }
        *ret_pid = (pid_t)pid;
        return 0;
}

static int stage_mounts(const struct spec *s, int userns_fd, struct error *err)
{
        char name[GUEST_STAGE_NAME_SIZE];
        for (size_t i = 0; i < s->n_mounts; i++) {
                const struct spec_mount *m = &s->mounts[i];
                if (m->type != MOUNT_BIND)
                        continue;
                int r = rootfs_stage_bind(m->source, guest_stage_name(name, 'm', i),
                                          m->is_shifted ? userns_fd : -EBADF, m->is_readonly,
                                          m->is_recursive);
                if (r < 0 && !m->is_optional)
                        return error_set_errno(err, r, "Mounting \"%s\" at \"%s\"", m->source, m->target);
        }
        for (size_t i = 0; guest_has_nested(s) && i < GUEST_NESTED_MAX; i++) {
                _cleanup_free_ char *source = xasprintf("%s/%s", s->rootfs.volume, guest_nested[i].source);
                int r = rootfs_stage_bind(source, guest_stage_name(name, 'n', i), userns_fd, false, false);
                if (r < 0)
                        return error_set_errno(err, r, "Mounting \"%s\"", guest_nested[i].target);
        }
        return 0;
}

/* A node of our own on the stage, with the owner and mode asked for: the host's keeps its own. */
static int stage_device(const struct spec *s, const struct spec_device *d, const char *name)
{
        if (!d->has_number)
                return -ENOENT;
        mode_t type = d->is_block ? S_IFBLK : S_IFCHR;
        if (mknod(name, type | 0600, makedev(d->major, d->minor)) < 0 ||
            chown(name, s->idmap.base + d->uid, s->idmap.base + d->gid) < 0 || chmod(name, d->mode) < 0)
                return -errno;
        return 0;
}

static int stage_devices(const struct spec *s, struct error *err)
{
        char name[GUEST_STAGE_NAME_SIZE];
        int k = guest_dev_stage(s->idmap.base);
        if (k < 0)
                return error_set_errno(err, k, "Making the nodes of \"/dev\"");
        for (size_t i = 0; i < s->n_devices; i++) {
                const struct spec_device *d = &s->devices[i];
                int r = stage_device(s, d, guest_stage_name(name, 'd', i));
                if (r < 0 && !d->is_optional)
                        return error_set_errno(err, r, "Adding the device \"%s\"", d->source);
        }
        return 0;
}

static int fill_stage(struct start *s, pid_t init, struct error *err)
{
        const struct spec *spec = s->spec;
        int r = report_await(s->builder, ORDER_MAPPED);
        if (r < 0)
                return r;
        _cleanup_close_ int userns = spec->is_privileged ? -EBADF : namespace_open_user(init);
        if (userns < 0 && !spec->is_privileged)
                return error_set_errno(err, userns, "Opening the user namespace of instance \"%s\"",
                                       spec->name);
        r = rootfs_attach(&spec->rootfs, &spec->idmap, userns, err);
        if (r >= 0)
                r = stage_mounts(spec, userns, err);
        return r < 0 ? r : stage_devices(spec, err);
}

static int prepare(struct start *s, struct error *err)
{
        const struct spec *spec = s->spec;
        int r = namespace_stage(spec->run_dir, err);
        if (r < 0)
                return r;
        r = inherited_reset();
        if (r < 0)
                return error_set_errno(err, r, "Leaving behind what the daemon was started with");
        /* The builder executes nothing: it is init, its child, whose next program is confined. */
        r = spec->has_apparmor ? apparmor_confine_next(apparmor_profile_name(spec->is_privileged, spec->is_nesting)) : 0;
        if (r < 0) {
                error_set_errno(err, r, "Entering the AppArmor profile of instance \"%s\"", spec->name);
                return error_hint(err, "Restart lightd: it loads its profiles when it starts");
        }
        r = cgroups_join_v1(s->cgroups, spec->cgroup);
        if (r < 0)
                return error_set_errno(err, r, "Entering the cgroup \"%s\"", spec->cgroup);
        r = namespace_become_mapped(&spec->idmap);
        return r < 0 ? error_set_errno(err, r, "Taking the ids of instance \"%s\"", spec->name) : 0;
}

static int build(struct start *s, struct error *err)
{
        pid_t pid = 0;
        _cleanup_close_ int pidfd = -EBADF;
        int r = prepare(s, err);
        if (r >= 0)
                r = clone_init(s, &pid, &pidfd, err);
        if (r < 0)
                return r;
        fd_reset(&s->init);
        fd_reset(&s->await_rootfs);
        r = report_send(s->builder, REPORT_CLONED, pid, pidfd);
        if (r >= 0)
                r = fill_stage(s, pid, err);
        return r < 0 ? r : report_send(s->rootfs, ORDER_ROOTFS, 0, -EBADF);
}

void builder_main(struct start *s)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        prctl(PR_SET_PDEATHSIG, SIGKILL);
        fd_reset(&s->to_builder);
        fd_reset(&s->to_init);
        int r = build(s, &err);
        if (r < 0)
                report_error(s->builder, r, &err);
        _exit(r < 0);
}
