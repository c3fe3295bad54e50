/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A reader of multipart/form-data as image uploads use it (RFC 7578 in the shape real clients send). It is
 * fed bytes in pieces of any size and calls back; it stores at most one delimiter's length and one part's
 * header lines. No I/O, no knowledge of what a part means.
 */
#pragma once

#include "base/error.h"
#include "base/strbuf.h"

#define MULTIPART_BOUNDARY_MAX 70
#define MULTIPART_HEADER_MAX KiB(16)
#define MULTIPART_PARTS_MAX 16

struct multipart_events {
        /* Each returns 0 or a negative errno with err set, which ends the reading. */
        int (*part_begin)(void *ctx, const char *name, const char *filename,
                          struct error *err); /* filename may be "" */
        int (*part_data)(void *ctx, const void *data, size_t n, struct error *err);
        int (*part_end)(void *ctx, struct error *err);
};

enum multipart_state { MULTIPART_PREAMBLE, MULTIPART_HEADER, MULTIPART_BODY, MULTIPART_END };

struct multipart {
        char delimiter[MULTIPART_BOUNDARY_MAX + 5]; /* "\r\n--boundary" */
        size_t delimiter_len;
        enum multipart_state state;
        unsigned n_parts;
        struct strbuf held; /* what could not be decided yet */
        const struct multipart_events *events;
        void *ctx;
};

/* The header's value, "multipart/form-data; boundary=…". */
bool multipart_is_type(const char *content_type);
int multipart_init(struct multipart *m, const char *content_type, const struct multipart_events *events,
                   void *ctx, struct error *err);
void multipart_done(struct multipart *m);
int multipart_feed(struct multipart *m, const void *data, size_t n, struct error *err);
/* At the end of input: -EINVAL unless the closing delimiter was there. */
int multipart_finish(const struct multipart *m, struct error *err);

/* One parameter (name, filename, boundary) of a header value, quotes and backslashes undone. NULL: not there.
 */
char *multipart_parameter(const char *value, const char *name);
