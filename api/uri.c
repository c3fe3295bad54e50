/* SPDX-License-Identifier: Apache-2.0 */
#include "api/uri.h"
#include "base/alloc.h"

void uri_done(struct uri *u)
{
        free(u->text);
        *u = URI_INIT;
}

static int hex_value(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        c |= 0x20;
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* In place; the result is never longer. NULL, or what is wrong. */
static const char *decode(char *s, bool is_query)
{
        char *to = s;
        for (; *s; s++) {
                char c = *s;
                if (c == '%') {
                        int high = hex_value(s[1]), low = high < 0 ? -1 : hex_value(s[2]);
                        if (low < 0)
                                return "a '%' is not followed by two hexadecimal digits";
                        c = (char)(high << 4 | low);
                        if (c == '\0')
                                return "it holds an encoded NUL";
                        s += 2;
                } else if (c == '+' && is_query) {
                        c = ' ';
                }
                *to++ = c;
        }
        *to = '\0';
        return NULL;
}

static bool has_control(const char *s)
{
        for (; *s; s++)
                if ((unsigned char)*s < 0x20 || *s == 0x7f)
                        return true;
        return false;
}

static const char *add_segment(struct uri *u, char *segment)
{
        if (u->n_segments == URI_SEGMENTS_MAX)
                return "the path has more than 16 segments";
        if (!*segment)
                return "the path has an empty segment";
        const char *problem = decode(segment, false);
        if (problem)
                return problem;
        if (streq(segment, ".") || streq(segment, ".."))
                return "the path holds \".\" or \"..\"";
        if (has_control(segment))
                return "the path holds a control character";
        u->segments[u->n_segments++] = segment;
        return NULL;
}

/* path starts behind its first slash. */
static const char *parse_path(struct uri *u, char *path)
{
        while (*path) {
                char *slash = strchrnul(path, '/'), *next = *slash ? slash + 1 : slash;
                u->has_trailing_slash = *slash && !*next;
                *slash = '\0';
                const char *problem = add_segment(u, path);
                if (problem)
                        return problem;
                path = next;
        }
        return NULL;
}

static const char *add_pair(struct uri *u, char *pair)
{
        char *equals = strchr(pair, '=');
        char *value = equals ? equals + 1 : pair + strlen(pair);
        if (u->n_pairs == URI_PAIRS_MAX)
                return "the query has more than 64 parameters";
        if (equals)
                *equals = '\0';
        const char *problem = decode(pair, true);
        if (!problem)
                problem = decode(value, true);
        if (!problem)
                u->pairs[u->n_pairs++] = (struct uri_pair){ pair, value };
        return problem;
}

static const char *parse_query(struct uri *u, char *query)
{
        while (*query) {
                char *amp = strchrnul(query, '&'), *next = *amp ? amp + 1 : amp;
                *amp = '\0';
                const char *problem = *query ? add_pair(u, query) : NULL;
                if (problem)
                        return problem;
                query = next;
        }
        return NULL;
}

static const char *parse_target(struct uri *u)
{
        char *query = strchr(u->text, '?');
        if (u->text[0] != '/')
                return "it does not start with a slash";
        if (strchr(u->text, '#'))
                return "it holds a fragment";
        if (query)
                *query++ = '\0';
        const char *problem = parse_path(u, u->text + 1);
        return problem || !query ? problem : parse_query(u, query);
}

int uri_parse(const char *target, struct uri *ret, struct error *err)
{
        struct uri u = { .text = xstrdup(target) };
        const char *problem = parse_target(&u);
        if (problem) {
                uri_done(&u);
                return error_set(err, ERR_BAD_REQUEST, "The request's target is not valid: %s", problem);
        }
        *ret = u;
        return 0;
}

const char *uri_query(const struct uri *u, const char *key)
{
        for (size_t i = 0; i < u->n_pairs; i++)
                if (streq(u->pairs[i].key, key))
                        return u->pairs[i].value;
        return NULL;
}

static bool is_unreserved(char c)
{
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               (c && strchr("-._~", c));
}

void uri_encode(struct strbuf *b, const char *text)
{
        static const char hex[] = "0123456789ABCDEF";
        for (; *text; text++) {
                unsigned char c = (unsigned char)*text;
                if (is_unreserved(*text)) {
                        strbuf_addc(b, *text);
                } else {
                        char coded[3] = { '%', hex[c >> 4], hex[c & 15] };
                        strbuf_add(b, coded, sizeof coded);
                }
        }
}

int uri_add_segment(struct strbuf *b, const char *segment)
{
        if (!*segment || streq(segment, ".") || streq(segment, ".."))
                return -EINVAL;
        strbuf_addc(b, '/');
        uri_encode(b, segment);
        return 0;
}

void uri_add_query(struct strbuf *b, const char *key, const char *value)
{
        strbuf_addc(b, b->len && memchr(b->data, '?', b->len) ? '&' : '?');
        uri_encode(b, key);
        strbuf_addc(b, '=');
        uri_encode(b, value);
}
