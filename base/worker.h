/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The worker's half of the job protocol (the daemon's half is server/job.h). Shared by lightrun, lightunpack, lightfetch.
 *
 *   argv       <program> <job>
 *   fd 0, 1    the job's data stream in and out, or /dev/null
 *   fd 2       the daemon's stderr: only for what a sanitizer or abort() prints; a worker never logs
 *   fd 3       arguments: one JSON object in a sealed memfd
 *   fd 4       answers: lines of JSON. {"progress":{"stage":"unpack","percent":42}} any number of times, then one
 *              {"result":{…}} or {"error":{"reason":"no-space","message":"…","hint":"…"}}
 *   fd 5 …     the job's own descriptors, whose meaning its row states
 *   cancel     SIGTERM: undo the half-done, answer "cancelled"
 *   status     0 when an answer was given, even an error; anything else is reported as the worker's death
 */
#pragma once

#include "base/error.h"
#include "base/json.h"

#define WORKER_FD_ARGS 3
#define WORKER_FD_ANSWER 4
#define WORKER_FD_FIRST 5

struct worker_job {
        const char *name;
        /* Returns 0 with *ret_result (may stay NULL: {}), or a negative errno with err set. */
        int (*run)(struct json_object *args, struct json_object **ret_result, struct error *err);
        const char *summary;
};

/* Finds argv[1] among the rows (ended by a NULL name), reads the arguments, runs, answers. The program's main(). */
int worker_main(int argc, char **argv, const struct worker_job *jobs);

/* For a job that answers before it ends (the monitor): afterwards worker_main() answers no second time. */
void worker_answer_result(struct json_object *result);
void worker_answer_error(const struct error *err);
/* For a job whose child process answers in its place. */
bool worker_has_answered(void);
void worker_set_answered(void);
void worker_progress(const char *stage, int percent); /* percent < 0: not known; rate-limited to 10 a second */
void worker_progress_bytes(const char *stage, uint64_t done, uint64_t total); /* total 0: not known */
bool worker_is_cancelled(void); /* SIGTERM arrived */
