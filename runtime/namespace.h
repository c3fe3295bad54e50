/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ids and private mount namespaces: what start and the file jobs for stopped containers both need before they
 * touch a container's files. Every function changes the calling, single-threaded process.
 */
#pragma once

#include "runtime/spec.h"

/*
 * A mount namespace of our own, still owned by the host's user namespace, from which nothing propagates back,
 * with a small tmpfs mounted over `dir` (only in this namespace) as the working directory: the stage where
 * mounts are laid ready under relative names. What is attached here is locked when a user namespace below
 * copies it.
 */
int namespace_stage(const char *dir, struct error *err);

/*
 * Effective and file system ids become the container root's host ids, no groups, with all capabilities kept:
 * overlayfs creates files with the ids of who mounted it, and user namespaces count against their creator's.
 */
int namespace_become_mapped(const struct spec_idmap *map);
/* In the container's user namespace, after its maps are written: its root, no groups. */
int namespace_become_root(void);

int namespace_write_maps(pid_t pid, const struct spec_idmap *map);
/* The user namespace of a process: fd or -errno. */
int namespace_open_user(pid_t pid);
/* A user namespace with this map and no process, to id-map mounts of a stopped container with: fd or -errno.
 */
int namespace_make_user(const struct spec_idmap *map);
