/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inner half of `exec`: what the joiner and the command itself do inside the container, up to execve().
 * Runs in forked children that share one page with the worker, where they say how far they came; they never
 * answer and never return. Must not know of the daemon's protocol except that the pty goes out through the
 * control socket.
 */
#pragma once

#include "runtime/enter.h"
#include "runtime/exec-request.h"
#include "runtime/privileges.h"

enum command_step {
        COMMAND_RUNNING = 0, /* nothing failed */
        COMMAND_JOIN,
        COMMAND_PTY,
        COMMAND_DESCRIPTORS,
        COMMAND_PRIVILEGES,
        COMMAND_FORK,
        COMMAND_SESSION,
        COMMAND_IDENTITY,
        COMMAND_CWD,
        COMMAND_EXEC,
        _COMMAND_STEP_MAX,
};

struct command_report {
        volatile pid_t pid; /* as the worker sees it; 0: there is none */
        volatile enum command_step step;
        volatile int error; /* negative errno */
        volatile bool is_interpreter_missing;
};

/* All that is made ready on the host's side, so that the children have nothing to look up there. */
struct command {
        struct exec_request req;
        struct enter_target target;
        struct privileges privileges;
        struct privileges_filter *filter;
        struct command_report *report; /* shared with the children */
};

int command_fail(struct command_report *report, enum command_step step, int r); /* returns r */

/* For the child of enter_fork(): returns (by exiting) when the command has been exec'd or has failed. */
_noreturn_ void command_join_and_run(struct command *c);

/* The sentence for a failed step other than COMMAND_EXEC. */
int command_error(const struct command *c, struct error *err);
/* 126 or 127 and the sentence for COMMAND_EXEC. */
int command_exec_status(const struct command_report *report, const char *name, char **ret_message);
