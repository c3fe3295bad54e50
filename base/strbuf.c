/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strbuf.h"
#include "base/alloc.h"

#include <stdio.h>

void strbuf_done(struct strbuf *b)
{
        free(b->data);
        *b = (struct strbuf){ .max = b->max };
}

void strbuf_clear(struct strbuf *b)
{
        b->len = 0;
        b->is_over = false;
        if (b->data)
                b->data[0] = '\0';
}

char *strbuf_reserve(struct strbuf *b, size_t n)
{
        if (b->max && n > b->max - MIN(b->len, b->max)) {
                b->is_over = true;
                return NULL;
        }
        size_t need = b->len + n + 1;
        if (need > b->cap) {
                size_t cap = MAX(b->cap * 2, (size_t)64);
                b->cap = MAX(cap, need);
                b->data = xrealloc(b->data, b->cap);
        }
        return b->data + b->len;
}

void strbuf_add(struct strbuf *b, const void *p, size_t n)
{
        char *to = strbuf_reserve(b, n);
        if (!to)
                return;
        if (n)
                memcpy(to, p, n);
        b->len += n;
        b->data[b->len] = '\0';
}

void strbuf_addc(struct strbuf *b, char c)
{
        strbuf_add(b, &c, 1);
}

void strbuf_adds(struct strbuf *b, const char *s)
{
        strbuf_add(b, s, strlen(s));
}

void strbuf_addv(struct strbuf *b, const char *fmt, va_list ap)
{
        char small[256];
        va_list again;
        va_copy(again, ap);
        int n = vsnprintf(small, sizeof small, fmt, ap);
        if (n >= 0 && (size_t)n < sizeof small) {
                strbuf_add(b, small, (size_t)n);
        } else if (n >= 0) {
                char *to = strbuf_reserve(b, (size_t)n);
                if (to) {
                        vsnprintf(to, (size_t)n + 1, fmt, again);
                        b->len += (size_t)n;
                }
        }
        va_end(again);
}

static bool is_control(const unsigned char *p, size_t n)
{
        /* The C1 controls, one of which begins escape sequences, are C2 80 to C2 9F in UTF-8. */
        return p[0] < 0x20 || p[0] == 0x7f || (n > 1 && p[0] == 0xc2 && p[1] >= 0x80 && p[1] < 0xa0);
}

void strbuf_add_printable(struct strbuf *b, const char *s, size_t n, const char *keep)
{
        for (size_t i = 0; i < n; i++) {
                if (!is_control((const unsigned char *)s + i, n - i) || (s[i] && strchr(keep, s[i]))) {
                        strbuf_addc(b, s[i]);
                        continue;
                }
                bool is_pair = (unsigned char)s[i] == 0xc2;
                strbuf_addf(b, "\\x%02x", (unsigned char)s[i + is_pair]);
                i += is_pair;
        }
}

void strbuf_addf(struct strbuf *b, const char *fmt, ...)
{
        va_list ap;
        va_start(ap, fmt);
        strbuf_addv(b, fmt, ap);
        va_end(ap);
}

void strbuf_consume(struct strbuf *b, size_t n)
{
        assert(n <= b->len);
        if (!b->data)
                return;
        memmove(b->data, b->data + n, b->len - n + 1);
        b->len -= n;
}

char *strbuf_take(struct strbuf *b)
{
        char *s = b->data ? TAKE_PTR(b->data) : xstrdup("");
        *b = (struct strbuf){ .max = b->max };
        return s;
}
