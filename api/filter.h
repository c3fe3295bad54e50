/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `?filter=` of LXD's collections: `name eq "my container" and not status eq Stopped or config.a.b eq c`.
 *
 *      filter = clause { ("and" | "or") clause }
 *      clause = [ "not" ] field ("eq" | "ne") value
 *
 * Clauses are joined from the left: no precedence, no parentheses. A value is a word, or anything in double
 * quotes. As in LXD 5.0 it is a regular expression for the whole text unless it holds ^ or $, without regard
 * to case; what is no valid expression is compared as it is. Beyond LXD 5.0: numbers and booleans compare
 * with their text, a list matches if one of its elements does, and a quoted word need not hold a space.
 *
 * Knows no resource: a field is a dotted path into the object as it is shown on the wire.
 */
#pragma once

#include "base/error.h"
#include "base/json.h"

#define FILTER_TEXT_MAX 4096
#define FILTER_CLAUSES_MAX 32

struct filter;

/* NULL, "" and blanks give *ret = NULL: no filter. ERR_BAD_REQUEST names the place. */
int filter_parse(const char *text, struct filter **ret, struct error *err);
struct filter *filter_free(struct filter *f);
DEFINE_CLEANUP(struct filter *, filter_free)
#define _cleanup_filter_ _cleanup_(filter_freep)

/* f == NULL matches everything. */
bool filter_matches(const struct filter *f, struct json_object *o);
