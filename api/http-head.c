/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http-internal.h"
#include "api/base64.h"

#include <strings.h>

/* RFC 9110 5.6.2: what a method or a header's name is made of. */
static const bool token_chars[256] = {
        ['!'] = true,         ['#'] = true,         ['$'] = true,         ['%'] = true, ['&'] = true,
        ['\''] = true,        ['*'] = true,         ['+'] = true,         ['-'] = true, ['.'] = true,
        ['^'] = true,         ['_'] = true,         ['`'] = true,         ['|'] = true, ['~'] = true,
        ['0' ... '9'] = true, ['A' ... 'Z'] = true, ['a' ... 'z'] = true,
};

static size_t token_len(const char *s)
{
        size_t n = 0;
        while (token_chars[(unsigned char)s[n]])
                n++;
        return n;
}

static bool fail(struct http_parser *p, int status, const char *problem)
{
        http_fail(p, status, problem);
        return false;
}

/* "HTTP/1.0", "HTTP/1.1" and nothing behind. */
static bool read_version(struct http_parser *p, const char *s, size_t len)
{
        if (len != 8 || memcmp(s, "HTTP/", 5) != 0 || s[5] < '0' || s[5] > '9' || s[6] != '.' || s[7] < '0' ||
            s[7] > '9')
                return fail(p, 400, "The first line does not name an HTTP version");
        if (s[5] != '1' || s[7] > '1')
                return fail(p, 505, "Only HTTP/1.1 and HTTP/1.0 are spoken here");
        p->head.minor = s[7] - '0';
        return true;
}

/* method SP target SP version, one space each. */
static bool read_request_line(struct http_parser *p, size_t end)
{
        char *line = p->text.data;
        size_t method = token_len(line);
        if (method == 0 || line[method] != ' ')
                return fail(p, 400, "The request line does not start with a method");
        char *target = line + method + 1, *stop = target;
        while (*stop > ' ')
                stop++;
        if (stop == target)
                return fail(p, 400, "The request line has no target");
        if ((unsigned char)*stop >= 0x80)
                return fail(p, 400, "The target holds a byte that must be percent-encoded");
        if (*stop != ' ')
                return fail(p, 400, "The request line has no HTTP version");
        if ((size_t)(stop - target) > HTTP_TARGET_MAX)
                return fail(p, 414, "The target is too long");
        if (!read_version(p, stop + 1, (size_t)(line + end - stop - 1)))
                return false;
        line[method] = *stop = '\0';
        p->second = (uint32_t)(method + 1);
        return true;
}

static bool read_status_line(struct http_parser *p, size_t end)
{
        const char *line = p->text.data;
        if (end < 12 || line[8] != ' ')
                return fail(p, 400, "The response does not start with a status line");
        if (!read_version(p, line, 8))
                return false;
        for (int i = 9; i < 12; i++) {
                if (line[i] < '0' || line[i] > '9')
                        return fail(p, 400, "The response's status is not a number");
                p->head.status = p->head.status * 10 + (line[i] - '0');
        }
        if (p->head.status < 100 || (end > 12 && line[12] != ' '))
                return fail(p, 400, "The response's status is not a number of three digits");
        p->second = end > 12 ? 13 : 12;
        return true;
}

bool http_read_first_line(struct http_parser *p, size_t end)
{
        return p->is_response ? read_status_line(p, end) : read_request_line(p, end);
}

/* Digits only. A second one must agree, or the two ends of the connection would cut it differently. */
static bool read_length(struct http_parser *p, const char *value)
{
        uint64_t length = 0;
        if (!*value)
                return fail(p, 400, "Content-Length is empty");
        for (const char *c = value; *c; c++) {
                if (*c < '0' || *c > '9')
                        return fail(p, 400, "Content-Length is not a whole number");
                if (length > (uint64_t)(INT64_MAX - 9) / 10)
                        return fail(p, 413, "Content-Length is too large");
                length = length * 10 + (uint64_t)(*c - '0');
        }
        if (p->has_length && length != p->head.content_length)
                return fail(p, 400, "Content-Length is given twice with different values");
        p->has_length = true;
        p->head.content_length = length;
        return true;
}

static bool read_transfer_encoding(struct http_parser *p, const char *value)
{
        if (p->is_chunked)
                return fail(p, 400, "Transfer-Encoding is given twice");
        if (strcasecmp(value, "chunked") != 0)
                return fail(p, 501, "The only Transfer-Encoding understood is \"chunked\"");
        p->is_chunked = true;
        return true;
}

static bool read_host(struct http_parser *p)
{
        if (p->has_host && !p->is_response)
                return fail(p, 400, "Host is given twice");
        p->has_host = true;
        return true;
}

static bool read_expect(struct http_parser *p, const char *value)
{
        if (p->is_response)
                return true;
        if (strcasecmp(value, "100-continue") != 0)
                return fail(p, 417, "The only expectation understood is \"100-continue\"");
        p->head.expects_continue = true;
        return true;
}

static bool read_known_header(struct http_parser *p, const char *name, const char *value)
{
        switch (name[0]) {
        case 'c':
                return streq(name, "content-length") ? read_length(p, value) : true;
        case 't':
                return streq(name, "transfer-encoding") ? read_transfer_encoding(p, value) : true;
        case 'h':
                return streq(name, "host") ? read_host(p) : true;
        case 'e':
                return streq(name, "expect") ? read_expect(p, value) : true;
        default:
                return true;
        }
}

/* Lower-cases the name and trims the value, both in place. */
bool http_read_header(struct http_parser *p, size_t end)
{
        char *name = p->text.data + p->line;
        size_t len = token_len(name);
        if (*name == ' ' || *name == '\t')
                return fail(p, 400, "A header is folded over two lines");
        if (len == 0 || name[len] != ':')
                return fail(p, 400,
                            "A header's name is empty, or holds or ends with a character it must not");
        if (p->n_headers == HTTP_HEADERS_MAX)
                return fail(p, 431, "There are more than 100 headers");
        for (size_t i = 0; i < len; i++)
                if (name[i] >= 'A' && name[i] <= 'Z')
                        name[i] |= 0x20;
        name[len] = '\0';
        char *value = name + len + 1, *stop = p->text.data + end;
        while (*value == ' ' || *value == '\t')
                value++;
        while (stop > value && (stop[-1] == ' ' || stop[-1] == '\t'))
                stop--;
        *stop = '\0';
        p->headers[p->n_headers++] =
                (struct http_span){ (uint32_t)p->line, (uint32_t)(value - p->text.data) };
        return read_known_header(p, name, value);
}

/* Is the word one of a comma-separated list, whatever its case? */
static bool list_has(const char *list, const char *word)
{
        size_t len = strlen(word);
        while (*list) {
                list += strspn(list, ", \t");
                size_t item = strcspn(list, ", \t");
                if (item == len && strncasecmp(list, word, len) == 0)
                        return true;
                list += item;
        }
        return false;
}

static bool connection_has(const struct http_parser *p, const char *word)
{
        const char *name, *value;
        for (size_t i = 0; (value = http_header_at(p, i, &name)); i++)
                if (streq(name, "connection") && list_has(value, word))
                        return true;
        return false;
}

static bool is_websocket_key(const char *key)
{
        _cleanup_strbuf_ struct strbuf nonce = STRBUF_INIT;
        return key && strlen(key) == HTTP_WEBSOCKET_KEY_SIZE - 1 &&
               base64_decode(&nonce, key, HTTP_WEBSOCKET_KEY_SIZE - 1) == 0 && nonce.len == 16;
}

static bool read_websocket(struct http_parser *p)
{
        const char *key = http_header(p, "sec-websocket-key");
        if (p->is_response || !p->head.upgrade || strcasecmp(p->head.upgrade, "websocket") != 0)
                return true;
        if (!streq(p->head.method, "GET") || p->head.has_body)
                return fail(p, 400, "A websocket is opened by GET without a body");
        if (!streq(http_header(p, "sec-websocket-version"), "13"))
                return fail(p, 426, "The only websocket version spoken is 13");
        if (!is_websocket_key(key))
                return fail(p, 400, "Sec-WebSocket-Key is not 16 bytes of base64");
        p->head.websocket_key = key;
        return true;
}

static bool response_has_body(const struct http_parser *p)
{
        int status = p->head.status;
        return !p->is_head_request && status >= 200 && status != 204 && status != 304 &&
               p->head.content_length != 0;
}

static void set_texts(struct http_parser *p)
{
        if (p->is_response) {
                p->head.reason = p->text.data + p->second;
        } else {
                p->head.method = p->text.data;
                p->head.target = p->text.data + p->second;
        }
        if (p->head.minor == 1 && connection_has(p, "upgrade"))
                p->head.upgrade = http_header(p, "upgrade");
}

bool http_read_framing(struct http_parser *p)
{
        struct http_head *h = &p->head;
        if (p->is_chunked && p->has_length)
                return fail(p, 400, "Content-Length and Transfer-Encoding are both given");
        if (p->is_chunked && h->minor == 0)
                return fail(p, 400, "HTTP/1.0 has no Transfer-Encoding");
        if (!p->is_response && h->minor == 1 && !p->has_host)
                return fail(p, 400, "The request has no Host");
        set_texts(p);
        if (p->is_response)
                h->has_body = response_has_body(p);
        else
                h->has_body = p->is_chunked || (p->has_length && h->content_length > 0);
        bool is_until_close = h->has_body && !p->is_chunked && !p->has_length;
        h->is_keep_alive = h->minor == 1 && !is_until_close && !connection_has(p, "close");
        if (!p->is_response && !h->has_body)
                h->content_length = 0;
        h->expects_continue = h->expects_continue && h->has_body && h->minor == 1;
        return read_websocket(p);
}
