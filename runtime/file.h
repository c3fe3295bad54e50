/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the jobs file-get, file-put and file-delete share: getting into a guest's tree and naming things
 * there. Each job's body runs in a child that has the ids of the container's root and sees the container's
 * root as "/"; there it is as powerless as the guest itself, so no path trick leads anywhere else. For a
 * stopped container the tree is assembled as `start` would, in namespaces that end with the job. Must not
 * know HTTP or the daemon's names for instances.
 *
 * Arguments of all three: "path" (absolute in the guest), and either "cgroup" + "privileged" with the init's
 * pidfd as descriptor 5 (running), or "rootfs" + "idmap" as in the start spec (stopped).
 */
#pragma once

#include "base/error.h"
#include "base/json.h"
#include <sys/stat.h>

struct guest_tree {
        int root;     /* O_PATH */
        int proc_fds; /* our own /proc/self/fd on the host's proc: to open what an O_PATH descriptor holds */
        const char *path; /* as the user gave it: for sentences */
};

typedef int guest_tree_fn(struct guest_tree *tree, struct json_object *args, struct json_object **ret_result,
                          struct error *err);

/* Runs fn inside; the child answers on descriptor 4, afterwards this process has nothing more to say. */
int guest_tree_run(const char *job, struct json_object *args, guest_tree_fn *fn, struct error *err);

/* The thing itself, not what a final symbolic link points to: an O_PATH descriptor and its stat. */
int guest_tree_look(struct guest_tree *tree, int flags, int *ret_fd, struct stat *ret_st);
/* Opens the very file an O_PATH descriptor holds, with no second look at its path. fd or -errno. */
int guest_tree_reopen(struct guest_tree *tree, int fd, int flags);

/* The directory (O_PATH) a path's last component is in, and that component. */
int guest_tree_parent(struct guest_tree *tree, int *ret_fd, char **ret_name, struct error *err);
