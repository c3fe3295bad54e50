/* SPDX-License-Identifier: Apache-2.0 */
/* The pieces of sandbox.c. Everything here returns 0 or -errno and says nothing. */
#pragma once

#include "images/worker/sandbox.h"
#include <sys/types.h>

/* A user namespace that maps 0…size-1 to base…; it lives as long as the descriptor. fd or -errno. */
int userns_create(const struct sandbox_ids *ids);

static inline uint64_t sandbox_memory_max(const struct sandbox_spec *spec)
{
        return spec->memory_max_bytes ? spec->memory_max_bytes : MiB(512);
}

/* A memory cgroup of its own in whichever hierarchy has the controller. */
struct memory_group {
        char *path;     /* absolute directory, NULL: none made */
        int join_fd;    /* v1: "0" written here joins */
        int born_in_fd; /* v2: the directory, for CLONE_INTO_CGROUP */
        bool is_v2;
};
#define MEMORY_GROUP_INIT ((struct memory_group){ .join_fd = -EBADF, .born_in_fd = -EBADF })
int memory_group_create(struct memory_group *g, const char *name, uint64_t max_bytes);
bool memory_group_was_killed(const struct memory_group *g); /* the kernel killed in it for memory */
void memory_group_remove(struct memory_group *g);           /* after its last process is gone */

/*
 * The directory and the archive as detached, id-mapped mounts. Made by the parent: a descriptor opened before
 * the child's mount namespace existed cannot be cloned inside it.
 */
struct sandbox_mounts {
        int target_fd;
        int archive_fd;
};
#define SANDBOX_MOUNTS_INIT ((struct sandbox_mounts){ -EBADF, -EBADF })
int sandbox_mounts_prepare(const struct sandbox_spec *spec, int userns_fd, struct sandbox_mounts *ret);
void sandbox_mounts_done(struct sandbox_mounts *m);
/* The child's new "/"; afterwards nothing of the host's is reachable but what the root's kind names. */
int sandbox_enter_root(const struct sandbox_spec *spec, const struct sandbox_mounts *m);
int sandbox_finish_build_root(void);

/* The child's half, before anything hostile is read. *ret_step names what failed. */
int sandbox_enter(const struct sandbox_spec *spec, const struct sandbox_mounts *m, int userns_fd,
                  const struct memory_group *g, const char **ret_step);

/* System calls a reader of archives (and unsquashfs, mksquashfs) needs; all others fail with EPERM. */
int sandbox_filter_reader(void);
/* For package scripts: everything but what reaches the kernel's administration. */
int sandbox_filter_build(void);
