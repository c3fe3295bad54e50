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

struct daemon_request {
        const char *method, *path;
        struct json_object *body;
        const char *if_match; /* NULL: whatever is there */
};
/*
 * One request to the daemon of LIGHTD_DIR; body NULL: none. *ret_metadata (may be NULL) is the answer's metadata.
 * For an operation it waits for its end. -ENOENT/-ECONNREFUSED: no daemon, with a sentence.
 * *ret_etag (may be NULL) is the answer's ETag, NULL when it has none; the caller frees.
 */
int daemon_ask(const struct daemon_request *q, struct json_object **ret_metadata, char **ret_etag, struct error *err);
/* The same without ETags. */
int daemon_call(const char *method, const char *path, struct json_object *body, struct json_object **ret_metadata,
                struct error *err);
int command_failed(const struct error *err); /* prints it; 1 */
