/* SPDX-License-Identifier: Apache-2.0 */
/* The commands of `lightd`, which talk to the running daemon over its socket: one file each, one row each. */
#pragma once

#include "base/error.h"
#include "base/json.h"

struct lightd_command {
        const char *name, *summary;
        int (*run)(int argc, char **argv); /* argv[0] is the command; returns the exit status */
};

extern const struct lightd_command lightd_commands[]; /* ended by a NULL name */

/*
 * One request to the daemon of LIGHTD_DIR; body NULL: none. *ret_metadata (may be NULL) is the answer's metadata.
 * For an operation it waits for its end. -ENOENT/-ECONNREFUSED: no daemon, with a sentence.
 */
int daemon_call(const char *method, const char *path, struct json_object *body, struct json_object **ret_metadata,
                struct error *err);
int command_failed(const struct error *err); /* prints it; 1 */
