/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A request's target, cut up and decoded exactly once. "/1.0/images/aliases/a%2Fb" has four segments, the
 * last one "a/b": a slash that was encoded is data and never cuts. Knows no route and no name's rules; those
 * are checked by whoever knows what a segment names.
 */
#pragma once

#include "base/error.h"
#include "base/strbuf.h"

#define URI_SEGMENTS_MAX 16
#define URI_PAIRS_MAX 64

struct uri {
        char *text; /* owned; what follows points into it */
        const char *segments[URI_SEGMENTS_MAX];
        size_t n_segments;
        bool has_trailing_slash;
        struct uri_pair {
                const char *key, *value;
        } pairs[URI_PAIRS_MAX];
        size_t n_pairs;
};
#define URI_INIT ((struct uri){ 0 })
#define _cleanup_uri_ _cleanup_(uri_done)

/*
 * Refused: a target that does not start with '/' ("*", a proxy's "http://…"), an empty segment inside, "."
 * and "..", a '%' without two hex digits, NUL anywhere, control characters in a segment, too many of either.
 * -EINVAL.
 */
int uri_parse(const char *target, struct uri *ret, struct error *err);
void uri_done(struct uri *u);

/* The first value of that key, "" if it has none, NULL if the key is absent. In a query '+' is a space. */
const char *uri_query(const struct uri *u, const char *key);

/* Everything but A-Z a-z 0-9 - . _ ~ as %XX: one segment, one key or one value. */
void uri_encode(struct strbuf *b, const char *text);
/* Appends "/<encoded>"; "." and ".." have no form that every server leaves alone: -EINVAL. */
int uri_add_segment(struct strbuf *b, const char *segment);
/* Appends "?key=value", or "&key=value" after the first. */
void uri_add_query(struct strbuf *b, const char *key, const char *value);
