/* SPDX-License-Identifier: Apache-2.0 */
#include "images/worker/multipart.h"
#include "base/alloc.h"

#include <strings.h>

bool multipart_is_type(const char *content_type)
{
        static const char type[] = "multipart/form-data";
        size_t n = sizeof type - 1;
        return strncasecmp(content_type, type, n) == 0 && strchr("; \t", content_type[n]);
}

static const char *skip_space(const char *p)
{
        return p + strspn(p, " \t");
}

/* A quoted string or a token, from p on; *ret_end is behind it. */
static char *read_value(const char *p, const char **ret_end)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        if (*p != '"') {
                *ret_end = p + strcspn(p, "; \t");
                return xstrndup(p, (size_t)(*ret_end - p));
        }
        for (p++; *p && *p != '"'; p++) {
                if (*p == '\\' && p[1])
                        p++;
                strbuf_addc(&b, *p);
        }
        *ret_end = *p ? p + 1 : p;
        return b.len ? strbuf_take(&b) : xstrdup("");
}

char *multipart_parameter(const char *value, const char *name)
{
        const char *p = value + strcspn(value, ";");
        while (*p == ';') {
                p = skip_space(p + 1);
                size_t n = strcspn(p, "=; \t");
                bool is_wanted = n == strlen(name) && strncasecmp(p, name, n) == 0;
                p = skip_space(p + n);
                if (*p != '=')
                        continue;
                _cleanup_free_ char *text = read_value(skip_space(p + 1), &p);
                if (is_wanted)
                        return TAKE_PTR(text);
                p = skip_space(p);
        }
        return NULL;
}

static bool boundary_is_good(const char *b)
{
        size_t n = strlen(b);
        if (n == 0 || n > MULTIPART_BOUNDARY_MAX || b[n - 1] == ' ')
                return false;
        for (; *b; b++)
                if ((unsigned char)*b < 0x20 || (unsigned char)*b > 0x7e)
                        return false;
        return true;
}

int multipart_init(struct multipart *m, const char *content_type, const struct multipart_events *events,
                   void *ctx, struct error *err)
{
        _cleanup_free_ char *boundary = multipart_parameter(content_type, "boundary");
        *m = (struct multipart){ .events = events, .ctx = ctx };
        if (!boundary || !boundary_is_good(boundary))
                return error_set(err, ERR_BAD_REQUEST,
                                 "The upload's Content-Type has no usable multipart boundary");
        m->delimiter_len = strlen(boundary) + 4;
        memcpy(m->delimiter, "\r\n--", 4);
        memcpy(m->delimiter + 4, boundary, m->delimiter_len - 4);
        /* The first delimiter may stand at the very beginning, without the line end every other one has. */
        strbuf_adds(&m->held, "\r\n");
        return 0;
}

void multipart_done(struct multipart *m)
{
        strbuf_done(&m->held);
}

static int malformed(const char *why, struct error *err)
{
        return error_set(err, ERR_BAD_REQUEST, "The multipart upload is malformed: %s", why);
}

/* Begins a part from its header block (NUL-ended, lines separated by CRLF). */
static int begin_part(struct multipart *m, char *block, struct error *err)
{
        _cleanup_free_ char *name = NULL, *filename = NULL;
        bool is_found = false;
        for (char *line = block, *next; *line; line = next) {
                char *end = strstr(line, "\r\n");
                next = end ? end + 2 : line + strlen(line);
                if (end)
                        *end = '\0';
                if (strncasecmp(line, "Content-Disposition:", 20) != 0 || is_found)
                        continue;
                is_found = true;
                const char *value = skip_space(line + 20);
                if (strncasecmp(value, "form-data", 9) != 0)
                        return malformed("a part is not form-data", err);
                name = multipart_parameter(value, "name");
                filename = multipart_parameter(value, "filename");
        }
        if (!name)
                return malformed("a part has no name", err);
        return m->events->part_begin(m->ctx, name, filename ? filename : "", err);
}

/* Each step returns 1 to go on, 0 when more bytes are needed, or a negative errno. */
static int after_delimiter(struct multipart *m, size_t at, struct error *err)
{
        const char *p = m->held.data + at;
        size_t left = m->held.len - at;
        if (left < 2)
                return 0;
        if (p[0] == '-' && p[1] == '-') {
                m->state = MULTIPART_END;
                strbuf_clear(&m->held);
                return 0;
        }
        size_t space = 0;
        while (space < left && (p[space] == ' ' || p[space] == '\t'))
                space++;
        if (left - space < 2)
                return space > 64 ? malformed("a delimiter is followed by too much space", err) : 0;
        if (p[space] != '\r' || p[space + 1] != '\n')
                return malformed("a delimiter does not end its line", err);
        if (++m->n_parts > MULTIPART_PARTS_MAX)
                return malformed("too many parts", err);
        m->state = MULTIPART_HEADER;
        /* The line end stays: a part without header lines has its empty line right here. */
        strbuf_consume(&m->held, at + space);
        return 1;
}

/* Whether what follows the delimiter at hand is there in full; the bytes before it must be given out first.
 */
static int find_delimiter(struct multipart *m, size_t *ret_before)
{
        char *at = m->held.len ? memmem(m->held.data, m->held.len, m->delimiter, m->delimiter_len) : NULL;
        if (at)
                return *ret_before = (size_t)(at - m->held.data), 1;
        size_t keep = m->delimiter_len - 1;
        *ret_before = m->held.len > keep ? m->held.len - keep : 0;
        return 0;
}

static int step_content(struct multipart *m, struct error *err)
{
        size_t before;
        int found = find_delimiter(m, &before), r;
        if (m->state == MULTIPART_BODY && before > 0 &&
            (r = m->events->part_data(m->ctx, m->held.data, before, err)) < 0)
                return r;
        if (before > 0)
                strbuf_consume(&m->held, before);
        if (!found)
                return 0;
        if (m->held.len < m->delimiter_len + 2)
                return 0;
        if (m->state == MULTIPART_BODY && (r = m->events->part_end(m->ctx, err)) < 0)
                return r;
        /* The part has ended, once; only the rest of its delimiter's line may still be missing. */
        m->state = MULTIPART_PREAMBLE;
        return after_delimiter(m, m->delimiter_len, err);
}

static int step_header(struct multipart *m, struct error *err)
{
        char *end = m->held.len ? memmem(m->held.data, m->held.len, "\r\n\r\n", 4) : NULL;
        if (!end)
                return m->held.len > MULTIPART_HEADER_MAX ? malformed("a part's header is too long", err) : 0;
        if ((size_t)(end - m->held.data) > MULTIPART_HEADER_MAX)
                return malformed("a part's header is too long", err);
        size_t n = (size_t)(end - m->held.data);
        if (memchr(m->held.data, '\0', n))
                return malformed("a part's header contains a NUL byte", err);
        _cleanup_free_ char *block = n > 2 ? xstrndup(m->held.data + 2, n - 2) : xstrdup("");
        int r = begin_part(m, block, err);
        if (r < 0)
                return r;
        strbuf_consume(&m->held, n + 4);
        m->state = MULTIPART_BODY;
        return 1;
}

int multipart_feed(struct multipart *m, const void *data, size_t n, struct error *err)
{
        int r = 1;
        if (m->state == MULTIPART_END)
                return 0;
        strbuf_add(&m->held, data, n);
        while (r > 0) {
                if (m->state == MULTIPART_HEADER)
                        r = step_header(m, err);
                else
                        r = step_content(m, err);
        }
        return r;
}

int multipart_finish(const struct multipart *m, struct error *err)
{
        if (m->state != MULTIPART_END)
                return malformed("it ends before its closing delimiter", err);
        return 0;
}
