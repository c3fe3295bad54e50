/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program run inside the sandbox, its output read line by line. base/process.h starts children with clone3,
 * which the sandbox's filter turns away (its flags cannot be inspected); here it is plain fork and exec.
 */
#pragma once

#include "base/macros.h"

/* A line ends at "\n" or "\r" (progress bars) and may be empty; over-long ones are cut. */
typedef void tool_line_fn(void *ctx, const char *line);

/* argv[0] is the absolute path. 0 and the status in the shell's form, or -errno. input_fd: its stdin, or
 * -EBADF. */
int tool_run(const char *const *argv, int input_fd, tool_line_fn *on_line, void *ctx, int *ret_status);
