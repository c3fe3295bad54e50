/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command table. A command is a row: its path, its arguments, its options, one sentence, one example and a
 * function. The parser, the help and the tests walk the table; nothing else knows which commands exist.
 * A row says nothing of connections: run() gets the client and asks it.
 */
#pragma once

#include "base/error.h"
#include "base/macros.h"

struct args;
struct client;

struct option {
        const char *name;     /* "columns"; NULL ends the table */
        char letter;          /* 'c' or 0 */
        bool is_repeated;
        const char *value;    /* what the value is called in help; NULL: a switch */
        const char *fallback; /* the value may only be given as "--name=value"; this stands for a bare "--name" */
        const char *help;
};

struct arg {
        const char *name; /* as help shows it: "[<remote>:]<instance>"; NULL ends the table */
        bool is_optional;
        bool is_repeated; /* only the last one may be, or the one before a last required one */
};

struct command {
        const char *path;    /* "config device add" */
        const char *aliases; /* other spellings of the last word: "rm cancel" */
        const char *summary; /* one line, no full stop */
        const struct arg *args;
        const struct option *options;
        const char *example; /* whole lines, each beginning with "lightc" */
        int (*run)(struct client *c, const struct args *a, struct error *err); /* NULL: a group of commands */
        bool is_rest_verbatim; /* options end at the second word: the rest is somebody else's command line */
};

/* What run() returns: a negative errno with err set, or an exit status (err set: its sentence is shown first). */
enum {
        STATUS_OK = 0,
        STATUS_FAILED = 1,
        STATUS_USAGE = 2,
        STATUS_INTERRUPTED = 130,
};

extern const struct command *const commands[];        /* sorted by path, NULL-ended */
extern const struct option command_global_options[];

/* The row with this path, or the child of `group` (NULL: top level) that `word` names, by alias too. */
const struct command *command_find(const char *path);
const struct command *command_child(const struct command *group, const char *word);
bool command_is_child(const struct command *group, const struct command *c);
const char *command_word(const struct command *c); /* the last word of the path */

/* What the word at this position is, from 0; NULL: one too many. */
const struct arg *command_argument(const struct command *c, size_t position);

/* The nearest child within two edits, for "did you mean", or NULL. */
const struct command *command_nearest(const struct command *group, const char *word);
