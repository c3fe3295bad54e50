/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The container's control groups: <cgroup>/{monitor,payload} in the cgroup2 hierarchy (made by the daemon,
 * which has us born in `monitor`) and <cgroup>/payload in every v1 hierarchy (made here). Limits go to
 * payload in v1, and in cgroup2 to <cgroup> itself, which the guest does not own. Knows numbers, not
 * configuration keys.
 */
#pragma once

#include "base/error.h"
#include "runtime/spec.h"

#define CGROUP_V1_MAX 16

struct cgroups {
        int v2_fd; /* the root of the cgroup2 hierarchy */
        int v1_fds[CGROUP_V1_MAX];
        size_t n_v1; /* 0: a pure cgroup2 host */
};

#define CGROUPS_INIT ((struct cgroups){ .v2_fd = -EBADF })
#define _cleanup_cgroups_ _cleanup_(cgroups_done)

int cgroups_open(struct cgroups *ret, struct error *err);
void cgroups_done(struct cgroups *c);

/* The payload groups of all hierarchies, their limits and, for container_root > 0, cgroup2's delegation to
 * it. */
int cgroups_create(const struct cgroups *c, const char *cgroup, const struct spec_limits *limits,
                   uid_t container_root, struct error *err);
/* Puts the calling process (single-threaded) into the v1 payload groups. */
int cgroups_join_v1(const struct cgroups *c, const char *cgroup);
/* The cgroup2 payload directory, for CLONE_INTO_CGROUP: fd or -errno. */
int cgroups_open_payload(const struct cgroups *c, const char *cgroup);

/* SIGKILL to everything in <cgroup><below> ("", "/payload") and wait until it is empty: 0, -ENOENT,
 * -ETIMEDOUT. */
int cgroups_kill(const struct cgroups *c, const char *cgroup, const char *below, int timeout_ms);
/* Removes <cgroup> with what the guest made below it from every hierarchy; what is not there is fine. */
int cgroups_remove(const struct cgroups *c, const char *cgroup);
int cgroups_remove_at(int hierarchy_fd, const char *cgroup); /* from one hierarchy only */
int cgroups_make_anew(int hierarchy_fd, const char *path);   /* an empty, new group, whatever was there */

/*
 * Device access: all of v1 or one eBPF program in cgroup2. Denies everything but the standard nodes and `devices`. For
 * <cgroup> itself and so before cgroups_create(): a privileged guest can write to its own groups, not to what is above.
 */
int cgroups_allow_devices(const struct cgroups *c, const char *cgroup, const struct spec_device *devices,
                          size_t n, struct error *err);
