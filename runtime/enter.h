/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entering a running container: its cgroups first, then its namespaces by the pidfd of its init, then the ids
 * of its root. Every step is taken by a forked, single-threaded child, so that the worker itself stays on the
 * host's side, unseen and unlimited by the guest. Must not know what is done inside (exec.c, file.c do).
 *
 * Nothing of the host may be opened, and no path of the guest looked up, between enter_join() and the end of
 * the child except through path_open_inroot().
 */
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "runtime/cgroup.h"
#include <sys/types.h>

#define ENTER_FD_INIT 5 /* the pidfd of the container's init */

struct enter_target {
        int pidfd;          /* borrowed */
        const char *cgroup; /* "lightd-<did>/<num>"; borrowed from the arguments */
        bool is_privileged; /* shares the host's user namespace */
        struct cgroups groups;
};

#define ENTER_TARGET_INIT ((struct enter_target){ .pidfd = -EBADF, .groups = CGROUPS_INIT })
#define _cleanup_enter_target_ _cleanup_(enter_target_done)

enum enter_scope {
        ENTER_FILES, /* user, mount, cgroup: all that path lookup needs; the guest never sees the worker */
        ENTER_ALL,   /* and pid, net, uts, ipc: for the child of the caller, as pid namespaces go */
};

/* Reads "cgroup" and "privileged"; the init is descriptor 5. */
int enter_target_read(struct json_object *args, struct enter_target *ret, struct error *err);
void enter_target_done(struct enter_target *t);

/*
 * fork() with the child born in the payload's cgroup2 group (moving a process later costs an RCU grace
 * period). The pid, 0 in the child, or -errno; -ESRCH when the container's groups are gone.
 */
pid_t enter_fork(const struct enter_target *t);

/* In that child: v1 groups, limits, namespaces, then the ids of the container's root. -ESRCH: it is gone. */
int enter_join(struct enter_target *t, enum enter_scope scope);

/*
 * A worker that runs inside a container must not be reachable through /proc/<pid>/: no dump, no trace, and
 * for a privileged container, whose root could write to our file, a program file on a detached read-only
 * mount: the job starts again from there (with the same arguments), returning only when it already runs from
 * one.
 */
int enter_hide(const struct enter_target *t, const char *job, struct json_object *args, struct error *err);
