/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Command lines: which command, which words, which options. Works on the rows of commands.h alone; knows no
 * terminal, no connection, no file.
 */
#pragma once

#include "lightc/commands.h"

struct args_given {
        const struct option *option;
        const char *value; /* NULL for a switch */
};

struct args {
        const struct command *command; /* NULL: only global options */
        const char **words;            /* positional, borrowed from argv, NULL-ended */
        size_t n_words;
        struct args_given *given;
        size_t n_given;
};

void args_done(struct args *a);
#define _cleanup_args_ _cleanup_(args_done)

/*
 * 0, or -EINVAL with a sentence; ret->command is set as far as it was understood, so that its usage can be shown.
 * The number of words is checked unless --help was given.
 */
int args_parse(int argc, const char *const *argv, struct args *ret, struct error *err);

bool args_has(const struct args *a, const char *option);
const char *args_value(const struct args *a, const char *option, const char *fallback); /* the last one given */
const char *args_value_nth(const struct args *a, const char *option, size_t nth);       /* NULL past the end */
const char *args_word(const struct args *a, size_t i);                                  /* NULL past the end */
/* A whole number option; -1 ones allowed. 0, or STATUS_USAGE with err. */
int args_int(const struct args *a, const char *option, int fallback, int *ret, struct error *err);

/* For run(): sets the sentence, returns STATUS_USAGE. */
int args_misuse(struct error *err, const char *fmt, ...) _printf_(2, 3);
