/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The root file system of a container that is not running, for one job: assembled as `start` does it, in a
 * mount namespace of this process, so that nothing of it is left when the process ends. Entering it makes the
 * caller the container's root in a user namespace with the container's ids. Must not know what is done with
 * the files.
 */
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "runtime/spec.h"

struct stopped_tree {
        int userns_fd; /* with the container's ids; -EBADF: privileged */
};

#define STOPPED_TREE_INIT ((struct stopped_tree){ .userns_fd = -EBADF })

/*
 * Takes "rootfs" and "idmap" (or "privileged") of the arguments. The calling process gets a mount namespace
 * of its own and the container root's ids on the host.
 */
int stopped_tree_assemble(struct json_object *args, struct stopped_tree *ret, struct error *err);
void stopped_tree_done(struct stopped_tree *s);

/* For a forked, single-threaded child. */
int stopped_tree_enter(const struct stopped_tree *s);
