/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A process that is kept to fork jobs from, so that the daemon neither pays for a program's start nor waits for one.
 *
 * What it saves: libc's start asks the processor about itself some fifty times, and under a hypervisor each question is a
 * trap, a millisecond together. The server, which is the worker program itself, has that behind it when it forks a job of
 * its own; of another program it forks the process that executes it. Either way the caller waits for a fork only, made by
 * a process which the scheduler prefers as it does the caller.
 *
 * The job is the caller's own child (clone3: CLONE_PARENT). It has the descriptors, the environment and the cgroup it was
 * given, as after an exec, and nothing of another job.
 *
 * Over a SOCK_SEQPACKET pair: a header with the job's name and environment and its descriptors one way, a pidfd the other.
 */
#pragma once

#include "base/process.h"

struct fork_server {
        int sock, pidfd; /* -EBADF: not running */
        char *program;   /* what it runs, and whose jobs it forks without an exec */
};

void fork_server_init(struct fork_server *f);
void fork_server_stop(struct fork_server *f);

/*
 * argv is the program's name and the job; env must be given. The server is started when there is none. 0 and the child's
 * pidfd, or -errno; -ENOLINK: the server ended or was stuck and is ended; the next call starts another one. An exec that
 * fails is the job's own answer (base/worker.h).
 */
int fork_server_spawn(struct fork_server *f, const struct process_spec *spec, int *ret_pidfd);

/*
 * The worker's half, for main(): when argv asks for a server, this process becomes one, and the call returns only in its
 * children, where argv[1] is the job. prepare() makes once what every child finds made. An ordinary start returns at
 * once.
 */
void fork_server_child(int argc, char **argv, void (*prepare)(void));
