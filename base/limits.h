/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's limits that many containers meet: one row each, for `lightc doctor`, which says how many containers a limit
 * lets in, and for errors, which say which limit was met. Reads small files of /proc/sys and never blocks on anything else.
 */
#pragma once

#include "base/error.h"

/* What was tried when the kernel said no. */
enum limit_act {
        LIMIT_OPEN,     /* a descriptor */
        LIMIT_PROCESS,  /* a process, without namespaces of its own */
        LIMIT_INSTANCE, /* the first process of a container, with its namespaces */
        LIMIT_TERMINAL, /* a pseudo-terminal */
        _LIMIT_ACT_MAX,
};

struct kernel_limit {
        const char *sysctl;    /* "kernel.pid_max" */
        long long each;        /* how many of it a small Debian with systemd takes; 0: not known, or per container */
        long long wanted;      /* what the doctor asks for; 0: it does not look at this one */
        const char *when_few;  /* the doctor: what happens then */
        int error;             /* the errno it ends in, positive; 0: in none of a start's */
        unsigned acts;         /* bits (1 << LIMIT_…) it can end in that errno */
        const char *used;      /* a file below /proc whose figure number `used_field` says how many there are; NULL: not known */
        unsigned used_field;
};

/* Ended by a row without sysctl. */
extern const struct kernel_limit kernel_limits[];
const struct kernel_limit *limit_find(const char *sysctl); /* the row must be there */

/* "<root>/proc/sys/kernel/pid_max" for kernel.pid_max. The caller frees. */
char *limit_path(const char *root, const char *sysctl);

/*
 * The limit that most likely ended the act in r (negative): of those that can, the one with the least room; NULL when none
 * can, or when all those that can have room for a hundred more. ret_value is its value. root is "" but for tests.
 */
const struct kernel_limit *limit_met(const char *root, int r, enum limit_act act, long long *ret_value);

/*
 * error_set_errno(), but when a limit was met, the sentence names it and its value in place of the errno's words, and the
 * hint has the command that raises it. Returns as error_set().
 */
int limit_error(struct error *err, int r, enum limit_act act, const char *fmt, ...) _printf_(4, 5);
/* The same with files below another root: for tests. */
int limit_error_at(const char *root, struct error *err, int r, enum limit_act act, const char *sentence);
