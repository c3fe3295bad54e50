/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http.h"
#include "api/base64.h"
#include "api/sha1.h"

#include <strings.h>
#include <time.h>

static const struct {
        int status;
        const char *text;
} statuses[] = {
        { 100, "Continue" },
        { 101, "Switching Protocols" },
        { 200, "OK" },
        { 201, "Created" },
        { 202, "Accepted" },
        { 204, "No Content" },
        { 206, "Partial Content" },
        { 301, "Moved Permanently" },
        { 302, "Found" },
        { 304, "Not Modified" },
        { 307, "Temporary Redirect" },
        { 400, "Bad Request" },
        { 401, "Unauthorized" },
        { 403, "Forbidden" },
        { 404, "Not Found" },
        { 405, "Method Not Allowed" },
        { 406, "Not Acceptable" },
        { 408, "Request Timeout" },
        { 409, "Conflict" },
        { 411, "Length Required" },
        { 412, "Precondition Failed" },
        { 413, "Content Too Large" },
        { 414, "URI Too Long" },
        { 415, "Unsupported Media Type" },
        { 416, "Range Not Satisfiable" },
        { 417, "Expectation Failed" },
        { 423, "Locked" },
        { 426, "Upgrade Required" },
        { 429, "Too Many Requests" },
        { 431, "Request Header Fields Too Large" },
        { 500, "Internal Server Error" },
        { 501, "Not Implemented" },
        { 502, "Bad Gateway" },
        { 503, "Service Unavailable" },
        { 504, "Gateway Timeout" },
        { 505, "HTTP Version Not Supported" },
        { 507, "Insufficient Storage" },
};

const char *http_status_text(int status)
{
        for (size_t i = 0; i < ARRAY_SIZE(statuses); i++)
                if (statuses[i].status == status)
                        return statuses[i].text;
        return "Unknown";
}

/* printf costs more than parsing a request. */
static void add_number(struct strbuf *b, uint64_t v, unsigned base)
{
        char digits[24];
        size_t i = sizeof digits;
        do
                digits[--i] = "0123456789abcdef"[v % base];
        while (v /= base);
        strbuf_add(b, digits + i, sizeof digits - i);
}

static void add_text(struct strbuf *b, const char *text)
{
        size_t start = b->len;
        strbuf_adds(b, text);
        for (size_t i = start; i < b->len; i++)
                if ((unsigned char)b->data[i] < 0x20 || b->data[i] == 0x7f)
                        b->data[i] = ' ';
}

void http_write_status(struct strbuf *b, int status)
{
        strbuf_adds(b, "HTTP/1.1 ");
        add_number(b, (uint64_t)status, 10);
        strbuf_addc(b, ' ');
        strbuf_adds(b, http_status_text(status));
        strbuf_adds(b, "\r\n");
}

void http_write_request(struct strbuf *b, const char *method, const char *target, const char *host)
{
        add_text(b, method);
        strbuf_addc(b, ' ');
        add_text(b, target);
        strbuf_adds(b, " HTTP/1.1\r\n");
        http_write_header(b, "Host", host);
}

void http_write_header(struct strbuf *b, const char *name, const char *value)
{
        add_text(b, name);
        strbuf_adds(b, ": ");
        add_text(b, value);
        strbuf_adds(b, "\r\n");
}

void http_write_length(struct strbuf *b, uint64_t length)
{
        strbuf_adds(b, "Content-Length: ");
        add_number(b, length, 10);
        strbuf_adds(b, "\r\n");
}

void http_write_chunked(struct strbuf *b)
{
        strbuf_adds(b, "Transfer-Encoding: chunked\r\n");
}

void http_write_close(struct strbuf *b)
{
        strbuf_adds(b, "Connection: close\r\n");
}

/* Not strftime(): the words are those of the protocol, not of a locale. */
void http_write_date(struct strbuf *b, int64_t unix_seconds)
{
        static const char days[] = "SunMonTueWedThuFriSat", months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
        time_t seconds = unix_seconds;
        struct tm t;
        if (!gmtime_r(&seconds, &t))
                return;
        strbuf_addf(b, "Date: %.3s, %02d %.3s %04d %02d:%02d:%02d GMT\r\n", days + 3 * t.tm_wday, t.tm_mday,
                    months + 3 * t.tm_mon, t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

void http_write_end(struct strbuf *b)
{
        strbuf_adds(b, "\r\n");
}

void http_write_continue(struct strbuf *b)
{
        http_write_status(b, 100);
        http_write_end(b);
}

void http_write_chunk_begin(struct strbuf *b, size_t n)
{
        assert(n > 0);
        add_number(b, n, 16);
        strbuf_adds(b, "\r\n");
}

void http_write_chunk_end(struct strbuf *b)
{
        strbuf_adds(b, "\r\n");
}

void http_write_chunk(struct strbuf *b, const void *data, size_t n)
{
        if (n == 0)
                return;
        http_write_chunk_begin(b, n);
        strbuf_add(b, data, n);
        http_write_chunk_end(b);
}

void http_write_last_chunk(struct strbuf *b)
{
        strbuf_adds(b, "0\r\n\r\n");
}

static void copy_base64(char *to, size_t size, const void *data, size_t n)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        base64_encode(&b, data, n);
        assert(b.len + 1 == size);
        memcpy(to, b.data, size);
}

void http_websocket_key(const uint8_t nonce[static 16], char ret_key[static HTTP_WEBSOCKET_KEY_SIZE])
{
        copy_base64(ret_key, HTTP_WEBSOCKET_KEY_SIZE, nonce, 16);
}

void http_websocket_accept(const char *key, char ret_accept[static HTTP_WEBSOCKET_ACCEPT_SIZE])
{
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        uint8_t digest[SHA1_SIZE];
        strbuf_adds(&text, key);
        strbuf_adds(&text, "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"); /* RFC 6455 1.3 */
        sha1(text.data, text.len, digest);
        copy_base64(ret_accept, HTTP_WEBSOCKET_ACCEPT_SIZE, digest, sizeof digest);
}

void http_write_websocket_accept(struct strbuf *b, const char *key)
{
        char accept[HTTP_WEBSOCKET_ACCEPT_SIZE];
        http_websocket_accept(key, accept);
        http_write_status(b, 101);
        http_write_header(b, "Upgrade", "websocket");
        http_write_header(b, "Connection", "Upgrade");
        http_write_header(b, "Sec-WebSocket-Accept", accept);
        http_write_end(b);
}

void http_write_websocket_request(struct strbuf *b, const char *target, const char *host, const char *key)
{
        http_write_request(b, "GET", target, host);
        http_write_header(b, "Upgrade", "websocket");
        http_write_header(b, "Connection", "Upgrade");
        http_write_header(b, "Sec-WebSocket-Version", "13");
        http_write_header(b, "Sec-WebSocket-Key", key);
}

bool http_websocket_is_accepted(const struct http_parser *p, const char *key)
{
        char accept[HTTP_WEBSOCKET_ACCEPT_SIZE];
        http_websocket_accept(key, accept);
        return p->head.status == 101 && p->head.upgrade && strcasecmp(p->head.upgrade, "websocket") == 0 &&
               streq(http_header(p, "sec-websocket-accept"), accept);
}
