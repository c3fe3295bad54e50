/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's descriptor-based mount calls in the few shapes the engine needs. A mount is made detached,
 * given its attributes, and attached to a descriptor, so no path is walked twice. Knows nothing of
 * containers.
 */
#pragma once

#include "base/macros.h"
#include <sys/mount.h>
#include <sys/types.h>

struct mount_option {
        const char *key, *value; /* value NULL: a flag; a row with a NULL key ends the list */
};

/* A new superblock and a detached mount of it with MOUNT_ATTR_* attributes: fd or -errno. options may be
 * NULL. */
int mount_new(const char *type, unsigned attributes, const struct mount_option *options);
/* A detached copy of what is mounted at (dir_fd, path), which is followed: fd or -errno. */
int mount_clone(int dir_fd, const char *path, bool is_recursive);
/* Sets and clears attributes; userns_fd >= 0 also id-maps it (only a mount that is still detached). */
int mount_set(int mount_fd, unsigned set, unsigned clear, int userns_fd, bool is_recursive);
int mount_attach(int mount_fd, int target_fd);
int mount_attach_at(int mount_fd, int dir_fd,
                    const char *name); /* name: one component of ours, not followed */

/*
 * The place for a mount in a tree a guest owns: an O_PATH descriptor of `path` resolved inside root_fd, a
 * directory or a file, made (0755, 0644) with its parents when missing. The caller has the guest's ids.
 */
int mount_target(int root_fd, const char *path, bool is_directory);
