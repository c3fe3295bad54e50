/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A container's root file system from its layers and its volume, with ids mapped by the mounts and never by
 * changing files: those keep ids 0..65535 on disk. Used by start and by the file jobs for stopped containers:
 *
 *      rootfs_prepare(&r, err);                         as root
 *      namespace_stage(dir, err);                       private mounts, cwd is the stage
 *      namespace_become_mapped(&map);
 *      rootfs_attach(&r, &map, userns_fd, err);         now at ./ROOTFS_STAGE
 */
#pragma once

#include "runtime/spec.h"

#define ROOTFS_STAGE "rootfs"

/* The directories of a volume (upper, work, nested; or rootfs), on-disk owner 0. What exists is kept. */
int rootfs_create_volume(const char *volume, enum spec_rootfs_type type, struct error *err);
/* Makes the volume when the spec says so; otherwise looks that it is there. */
int rootfs_prepare(const struct spec_rootfs *r, struct error *err);
/* userns_fd: the user namespace to map with, or -EBADF for a privileged container. Leaves nothing outside the
 * stage. */
int rootfs_attach(const struct spec_rootfs *r, const struct spec_idmap *map, int userns_fd,
                  struct error *err);
/* A clone of `source` at ./name of the stage, id-mapped when userns_fd >= 0. */
int rootfs_stage_bind(const char *source, const char *name, int userns_fd, bool is_readonly,
                      bool is_recursive);
