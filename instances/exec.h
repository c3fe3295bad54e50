/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Commands inside running instances. exec.c has the rules and is pure; exec-ops.c runs them; exec-record.c
 * keeps what recorded ones left behind; exec-api.c is the route.
 */
#pragma once

#include "api/guest-access.h"
#include "instances/guest-access.h"

/* ---- rules ---- */

int exec_check(const struct instance_exec_post *p, struct error *err);
/* The request's environment over the instance's environment.* keys. */
void exec_environment(const struct strmap *config, const struct instance_exec_post *p, struct strmap *ret);
/* What the job `exec` is told, but for its descriptors; the caller owns it. */
struct json_object *exec_job_args(struct instance *i, const struct instance_exec_post *p);
/* The members of the operation's metadata: command, environment, interactive; the caller owns them. */
struct json_object *exec_metadata(struct instance *i, const struct instance_exec_post *p);

/* ---- running ---- */

/* Makes the operation and answers the request with it; what it needs of i is taken now. */
void exec_begin(struct request *req, struct instance *i, const struct instance_exec_post *p);

/* ---- records ---- */

#define EXEC_RECORD_KEEP_MS (5 * 60 * 1000)

/*
 * A recorded command: its outputs in the instance's log directory; beside its run directory's other files the
 * note exec/<id>.json, for a later daemon, and the exit file exec/<id>.exit. The note is locked by the worker
 * as long as it lives, whoever started it.
 */
struct exec_record {
        char *note_file, *exit_file;       /* owned */
        struct json_object *output;        /* owned: {"1":url,"2":url}, for the metadata */
        int stdout_fd, stderr_fd, note_fd; /* owned */
};
#define EXEC_RECORD_INIT ((struct exec_record){ .stdout_fd = -EBADF, .stderr_fd = -EBADF, .note_fd = -EBADF })
/* metadata: what the operation shows. */
int exec_record_begin(struct instance *i, const struct operation *op, struct json_object *take_metadata,
                      struct exec_record *ret, struct error *err);
/* The command has ended: note and exit file go when the operation does. */
void exec_record_forget_later(struct server *s, const struct exec_record *rec, uint64_t ms);
void exec_record_done(struct exec_record *rec);
