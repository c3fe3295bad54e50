/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The two path primitives (design: security rule 2). Nothing else opens a path that is not a constant.
 *
 *   path_open_beneath   for trees we own: stays below dir_fd, follows no symbolic link and crosses into no
 *                       magic link (openat2: RESOLVE_BENEATH|NO_SYMLINKS|NO_MAGICLINKS).
 *   path_open_inroot    for trees a guest owns: `..` and absolute links resolve inside root_fd
 *                       (RESOLVE_IN_ROOT|NO_MAGICLINKS). Only a worker that already has the guest's ids calls it.
 */
#pragma once

#include "base/macros.h"
#include <sys/types.h>

int path_open_beneath(int dir_fd, const char *path, int flags, mode_t mode); /* fd or -errno */
int path_open_inroot(int root_fd, const char *path, int flags, mode_t mode); /* fd or -errno */

/* mkdir -p for a directory of ours with a constant, absolute path; existing ones keep their mode. */
int path_mkdir_all(const char *path, mode_t mode);
/* Removes a tree below dir_fd, following no link, never leaving its file system. -ENOENT counts as done. */
int path_remove_tree(int dir_fd, const char *name);

/* Whole small files. Reading is capped; writing is temporary + fsync + rename + fsync of the directory. */
struct strbuf;
int path_read_file(int dir_fd, const char *path, size_t max, struct strbuf *out);
int path_write_atomic(int dir_fd, const char *name, const void *data, size_t n, mode_t mode);
/* One write() to an existing kernel file (cgroup, proc). */
int path_write_value(int dir_fd, const char *path, const char *value);
