/* SPDX-License-Identifier: Apache-2.0 */
/* Words about files: the parts of a guest's path, the kinds of file. Pure: opens nothing. */
#pragma once

#include "base/macros.h"
#include <sys/types.h>

/*
 * A path of a guest cut into directory and last component; repeated and trailing slashes do not count.
 * -EINVAL: there is no last component, or it is "." or "..".
 */
int file_split_path(const char *path, char **ret_dir, char **ret_name);

/* "file", "directory", "symlink", NULL for what is not served; in words ("a named pipe") for a sentence. */
const char *file_kind(mode_t mode);
const char *file_kind_words(mode_t mode);
