/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Jobs: slow work in a child process, seen from the daemon (the worker's side is base/worker.h). The child is born in
 * the cgroup lightd-<did>/jobs/run (or the one given), its arguments go in a sealed memfd, its answers come as JSON lines,
 * its end through a pidfd. At most JOBS_RUNNING_MAX run at a time, the others wait their turn in order. What lasts as
 * long as a person likes (a command, an upload) is a session: those have places of their own, so that open shells never
 * keep an instance from starting.
 */
#pragma once

#include "base/json.h"
#include "server/operation.h"

#define JOBS_RUNNING_MAX 32
#define JOBS_SESSIONS_MAX 512
#define JOB_FDS_MAX 8

struct job;
/* Exactly once. r < 0: err says why; result may be NULL and is borrowed. */
typedef void (*job_done_fn)(void *data, int r, struct json_object *result, struct error *err);
typedef void (*job_progress_fn)(void *data, const char *stage, int percent, int64_t bytes);
typedef void (*job_answered_fn)(void *data, struct json_object *result);

struct job_spec {
        const char *program;           /* "lightrun", "lightunpack" */
        const char *name;              /* argv[1] */
        struct json_object *take_args;
        int take_stdin, take_stdout;   /* given to the child and closed here; -EBADF: /dev/null */
        int take_fds[JOB_FDS_MAX];     /* descriptors 5, 6, …; -EBADF: closed */
        size_t n_fds;
        int cgroup_fd;                 /* borrowed; -EBADF: the jobs group */
        bool is_detached;              /* the result is enough, the process lives on (the monitor) */
        struct operation *op;          /* progress goes here when progress is NULL; may be NULL */
        job_progress_fn progress;
        bool is_session;               /* takes none of the places of the others */
        job_answered_fn answered;      /* the result, while the worker goes on; done follows when it has ended */
};

/* 0 in take_stdin/take_stdout/take_fds would be a real descriptor: start from this. */
#define JOB_SPEC_INIT                                                                                        \
        ((struct job_spec){ .take_stdin = -EBADF, .take_stdout = -EBADF, .cgroup_fd = -EBADF,                \
                            .take_fds = { -EBADF, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF, -EBADF } })

struct job *job_start(struct server *s, const struct job_spec *spec, job_done_fn done, void *data);
void job_cancel(struct job *job); /* SIGTERM; done follows with what the worker answers */
void job_kill(struct job *job);   /* SIGKILL; done follows with ERR_CANCELLED */
size_t jobs_running(struct server *s);

/* For API tests: answers jobs instead of processes. NULL restores processes. */
typedef void (*job_fake_fn)(struct server *s, const struct job_spec *spec, job_done_fn done, void *data);
void jobs_set_fake(struct server *s, job_fake_fn fake);
