/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Regular expressions a stranger may write: matched in time proportional to text × expression, whatever they
 * are (libc's take exponential time and memory for some, and the daemon has one thread). Bytes, not
 * characters: "." is one byte of UTF-8.
 *
 *      abc  .  [a-z]  [^a-z]  \d \w \s \D \W \S  (a|b)  (?:a)  ^  $  *  +  ?  {2}  {2,}  {2,5}  \.
 */
#pragma once

#include "base/macros.h"

#define PATTERN_TEXT_MAX 256

struct pattern;

enum {
        PATTERN_CASE_BLIND = 1, /* ASCII letters */
        PATTERN_WHOLE = 2,      /* the whole text must match, not a part of it */
};

/* 0; -EINVAL: not an expression; -E2BIG: too long, also after its {}-repeats are written out. */
int pattern_new(const char *text, unsigned flags, struct pattern **ret);
struct pattern *pattern_free(struct pattern *p);
DEFINE_CLEANUP(struct pattern *, pattern_free)
#define _cleanup_pattern_ _cleanup_(pattern_freep)

bool pattern_matches(const struct pattern *p, const char *text);
