/* SPDX-License-Identifier: Apache-2.0 */
/* How an init is asked to take its system down: which of the ways there are fits what it is and what it listens to. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The bit of a signal in the kernel's masks (proc_pid_status(5), SigCgt). Its number of SIGRTMIN is 34 in glibc's view. */
#define SIGNAL_BIT(sig) (UINT64_C(1) << ((sig) - 1))

/* What is known of an init. */
struct stop_init {
        const char *program; /* the file it runs, without its folder; "" when that cannot be told */
        uint64_t listening;  /* SIGNAL_BITs it has a handler for or waits for */
};

/* What is sent, or run inside. */
struct stop_way {
        const char *text;        /* for the error that says what was tried */
        const char *programs[3]; /* only to an init of these names; none: to any that listens */
        int signal;              /* 0: the command */
        const char *command[4];
};

/* Signals an init listens to, from its /proc/<pid>/status. */
uint64_t stop_init_listens(const char *status);

/*
 * The first way from number *way on that fits, and its number in *way; NULL when none is left. Only signals are looked
 * at where no command is to be run (again).
 */
const struct stop_way *stop_way_next(const struct stop_init *init, bool signals_only, size_t *way);
