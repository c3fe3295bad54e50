/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel lets a process of a container do: its capability bounding set and its system call filter.
 * init and every exec get the same. Must not know where a process came from.
 */
#pragma once

#include "base/error.h"
#include <stdbool.h>
#include <stdint.h>

struct privileges {
        bool is_privileged; /* no user namespace: the capabilities are the host's */
        bool is_nesting;    /* container engines run inside */
        bool has_seccomp;
        uint64_t capabilities_drop; /* more to drop: bit = capability number */
};

/* The filter ready to load; made early, since compiling it takes longer than loading. NULL when there is
 * none. */
struct privileges_filter;
int privileges_filter_new(const struct privileges *p, struct privileges_filter **ret, struct error *err);
struct privileges_filter *privileges_filter_free(struct privileges_filter *f);
/* Makes every filter there is, for this process and what it forks; privileges_filter_new() then only hands them out. */
void privileges_filters_keep(void);

/* Bounding set cut down, inheritable and ambient sets emptied; what else is to be dropped is effective until exec. */
int privileges_drop_capabilities(const struct privileges *p);
/* The last step before exec: needs CAP_SYS_ADMIN in the user namespace, because no_new_privs stays off for
 * sudo. */
int privileges_load_filter(const struct privileges_filter *f);

/* For the monitor: gives up everything but `keep` (a mask), for good. */
int privileges_keep_only(uint64_t keep);
