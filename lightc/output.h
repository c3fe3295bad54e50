/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What commands print: lists in the five formats, single objects as YAML. A command names columns and hands over the
 * API's objects; only this file knows formats, colours and the terminal's width. stdout is data, stderr is messages.
 */
#pragma once

#include "base/json.h"
#include "lightc/args.h"

struct column {
        char letter;        /* 0: not chosen by letter */
        const char *header;
        const char *key;    /* a member shown as it is, when cell is NULL */
        void (*cell)(struct json_object *item, const struct column *column, struct strbuf *out);
        const char *param;  /* for cell */
        int max_width;      /* 0: any */
};

#define OPTION_FORMAT                                                                                        \
        { .name = "format", .letter = 'f', .value = "table|compact|csv|json|yaml", .help = "How it is shown; csv,header begins with the headers" }
#define OPTION_COLUMNS                                                                                       \
        { .name = "columns", .letter = 'c', .value = "columns", .help = "Columns to show, one letter each" }

enum output_flags {
        OUTPUT_SORT = 1 << 0, /* by the cells; otherwise as the daemon gave them */
};

/* The API's objects in the format of --format. n_columns columns, all shown. */
int output_list(const struct args *a, struct json_object *items, const struct column *columns, size_t n_columns,
                unsigned flags, struct error *err);
/* Picks from `all` (ended by a NULL header) by letters. The caller frees *ret. */
int output_pick_columns(const struct column *all, const char *letters, struct column **ret, size_t *ret_n,
                        struct error *err);
bool output_wants_objects(const struct args *a); /* json or yaml: nothing may be left out */
int output_json(struct json_object *o); /* for reading: indented, keys in order */

int output_yaml(struct json_object *o, struct error *err);
int output_text(const struct strbuf *b); /* to stdout, whole */
int output_printable(const struct strbuf *b); /* the same without escape sequences: guests choose some of the words */
/* Whether the sentence has the name in a word like "remote:name/part" in quotes. */
bool output_names(const char *sentence, const char *word);
/*
 * What a guest's terminal showed: as it is to a program; on a terminal with its line ends and colours, other commands
 * made visible, since they could rename windows, type keys, or hide lines.
 */
int output_console(const struct strbuf *b);
void output_add_console(struct strbuf *to, const char *s, size_t n);
/* "Error: [about: ]sentence" and its hint, to stderr, without escape sequences; no "about" that the sentence names. */
void output_error(const char *about, const struct error *err);
void output_line(const char *fmt, ...) _printf_(1, 2); /* to stdout, with a line end */

/* Cells several lists share. */
void cell_used_by(struct json_object *item, const struct column *column, struct strbuf *out);
void cell_upper(struct json_object *item, const struct column *column, struct strbuf *out); /* of column->key */
void cell_time(struct json_object *item, const struct column *column, struct strbuf *out);  /* of column->key */

/* "2026/11/22 01:35 UTC" in the local zone, "" for the zero time. */
void output_time(const char *rfc3339, struct strbuf *out);
/* 1536 -> "1.50KiB", as info and list show sizes; decimal: "1.54kB". */
void output_size_binary(int64_t bytes, struct strbuf *out);
void output_size_decimal(int64_t bytes, struct strbuf *out);
