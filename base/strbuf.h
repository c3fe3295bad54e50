/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growable byte buffer with a limit. The bytes are always followed by a NUL that is not counted, so `data` of
 * a text buffer is a C string. A buffer past its limit stays as it was and remembers it (`is_over`), so that a
 * long series of appends needs one check at its end.
 */
#pragma once

#include "base/macros.h"
#include <stdarg.h>

struct strbuf {
        char *data; /* owned; never NULL after the first append, use strbuf_str() before it */
        size_t len;
        size_t cap;
        size_t max; /* 0 = no limit */
        bool is_over;
};

#define STRBUF_INIT ((struct strbuf){ 0 })
#define STRBUF_INIT_MAX(m) ((struct strbuf){ .max = (m) })
#define _cleanup_strbuf_ _cleanup_(strbuf_done)

void strbuf_done(struct strbuf *b);
void strbuf_clear(struct strbuf *b); /* keeps the memory */

/* Makes room for n more bytes and returns where they go (the caller then adds to len), or NULL past the limit. */
char *strbuf_reserve(struct strbuf *b, size_t n);
void strbuf_add(struct strbuf *b, const void *p, size_t n);
void strbuf_addc(struct strbuf *b, char c);
void strbuf_adds(struct strbuf *b, const char *s);
void strbuf_addf(struct strbuf *b, const char *fmt, ...) _printf_(2, 3);
/* Safe on a terminal and in a log: control characters (C0, DEL, C1) but those in `keep` become \xNN. */
void strbuf_add_printable(struct strbuf *b, const char *s, size_t n, const char *keep);
void strbuf_addv(struct strbuf *b, const char *fmt, va_list ap);
void strbuf_consume(struct strbuf *b, size_t n); /* drops the first n bytes */
char *strbuf_take(struct strbuf *b);             /* the caller owns the NUL-ended bytes; the buffer is empty */

static inline const char *strbuf_str(const struct strbuf *b)
{
        return b->data ? b->data : "";
}
