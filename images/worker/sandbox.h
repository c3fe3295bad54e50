/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The place where hostile bytes are read. sandbox_run() calls a function in a child that has
 *   - a user namespace with the given ids and nothing of the host's,
 *   - its own mount, pid, network, ipc and uts namespaces and a root with at most one writable directory (the
 * target, id-mapped: what the child's id n writes is id n on disk),
 *   - a memory cgroup, resource limits, five capabilities over that one directory, a system call filter.
 * The child's answer comes back over a pipe and is data from a stranger. Knows no archive format and no job.
 */
#pragma once

#include "base/error.h"
#include "base/json.h"

struct sandbox_ids {
        uint32_t base;
        uint32_t size;
};

enum sandbox_root {
        SANDBOX_ROOT_EMPTY,  /* nothing at all */
        SANDBOX_ROOT_TARGET, /* the target is "/" */
        SANDBOX_ROOT_TOOLS,  /* the host's programs read-only, the archive as /archive, the target as /target
                              */
        SANDBOX_ROOT_BUILD,  /* tools, /etc parts, /dev, /proc, the host's network: for package scripts */
};

typedef int sandbox_fn(void *data, struct json_object **ret_result, struct error *err);

#define SANDBOX_FDS_MAX 8
struct sandbox_spec {
        const char *what; /* "Unpacking": begins the sentence when the child dies */
        enum sandbox_root root;
        struct sandbox_ids ids;
        int target_fd;            /* directory, or -EBADF */
        int archive_fd;           /* for SANDBOX_ROOT_TOOLS, or -EBADF */
        int fds[SANDBOX_FDS_MAX]; /* descriptors the child keeps under their numbers (0 and 1 only if named
                                     here) */
        size_t n_fds;
        /*
         * Group to make and remove, relative to the hierarchy's root; NULL: no group. Where cgroup2 has the
         * memory controller, no process may sit in a group above it; else the resource limit alone bounds the
         * child.
         */
        const char *cgroup;
        uint64_t memory_max_bytes; /* 0: 512 MiB */
        uint64_t file_max_bytes;   /* largest single file */
        unsigned cpu_max_seconds;  /* 0: 1800 */
        sandbox_fn *run;           /* in the child; on failure a negative errno with err set */
        void *data;
};

/* What the job's arguments say: "ids" {"base","size"}. Refuses host id 0. */
int sandbox_get_ids(struct json_object *args, struct sandbox_ids *ret_ids, struct error *err);
/* For jobs that write only to descriptors they were given: one id, nobody's. */
extern const struct sandbox_ids sandbox_ids_nobody;

/* Blocks until the child has ended. SIGTERM kills the child and gives ECANCELED. */
int sandbox_run(const struct sandbox_spec *spec, struct json_object **ret_result, struct error *err);
