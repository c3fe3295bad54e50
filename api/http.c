/* SPDX-License-Identifier: Apache-2.0 */
#include "api/http-internal.h"

/* Kept between messages; what a bigger head needed is given back, so that idle connections stay small. */
#define TEXT_KEPT KiB(4)

void http_parser_init_request(struct http_parser *p)
{
        *p = (struct http_parser){ 0 };
}

void http_parser_init_response(struct http_parser *p, bool is_head_request)
{
        *p = (struct http_parser){ .is_response = true, .is_head_request = is_head_request };
}

void http_parser_done(struct http_parser *p)
{
        strbuf_done(&p->text);
        strbuf_done(&p->scrap);
        *p = (struct http_parser){ .state = HTTP_STATE_BAD };
}

enum http_event http_fail(struct http_parser *p, int status, const char *problem)
{
        p->state = HTTP_STATE_BAD;
        p->status = p->is_response ? 502 : status;
        p->problem = problem;
        return HTTP_BAD;
}

static void begin_message(struct http_parser *p)
{
        if (p->text.cap > TEXT_KEPT)
                strbuf_done(&p->text);
        strbuf_done(&p->scrap);
        strbuf_clear(&p->text);
        p->head = (struct http_head){ .content_length = HTTP_LENGTH_UNKNOWN };
        p->line = p->n_headers = p->n_extension = p->n_trailer = 0;
        p->second = 0;
        p->left = 0;
        p->is_chunked = p->has_length = p->has_host = p->has_skipped_line = false;
        p->state = HTTP_STATE_LINE;
}

/*
 * No control byte but tab belongs in a head; CR and LF are judged by the caller, who knows where the line
 * ends.
 */
static bool is_text(const char *s, size_t n)
{
        bool is_bad = false;
        for (size_t i = 0; i < n; i++) {
                unsigned char c = (unsigned char)s[i];
                is_bad |= (c < 0x20 && c != '\t' && c != '\r') || c == 0x7f;
        }
        return !is_bad;
}

struct input {
        const char *data;
        size_t n;
};

static void input_skip(struct input *in, size_t n)
{
        in->data += n;
        in->n -= n;
}

/*
 * Moves input up to and including LF behind the text; the line starts at `start`. 1: it is complete, without
 * its CRLF, and ended by a NUL; 0: more is needed; -EFBIG, -EINVAL.
 */
static int take_line(struct input *in, struct strbuf *text, size_t start, size_t max)
{
        const char *lf = memchr(in->data, '\n', in->n);
        size_t take = lf ? (size_t)(lf - in->data) : in->n;
        if (text->len - start + take > max)
                return -EFBIG;
        if (!is_text(in->data, take))
                return -EINVAL;
        strbuf_add(text, in->data, take);
        input_skip(in, take + (lf ? 1 : 0));
        if (!lf)
                return 0;
        char *line = text->data + start;
        size_t len = text->len - start;
        if (len == 0 || line[len - 1] != '\r' || memchr(line, '\r', len - 1))
                return -EINVAL;
        line[len - 1] = '\0';
        return 1;
}

static enum http_event fail_line(struct http_parser *p, int r, int status_if_long, const char *if_long)
{
        if (r == -EFBIG)
                return http_fail(p, status_if_long, if_long);
        return http_fail(p, 400, "A line holds a control character or does not end with CR LF");
}

/* Here and below HTTP_MORE stands for "go on". */
static enum http_event read_first_line(struct http_parser *p, struct input *in)
{
        int r = take_line(in, &p->text, 0, HTTP_TARGET_MAX + 64);
        if (r < 0)
                return fail_line(p, r, 414, "The request line is too long");
        if (r == 0)
                return HTTP_MORE;
        if (p->text.len == 1 && !p->has_skipped_line && !p->is_response) {
                /*
                 * RFC 9112 2.2: one empty line before a request is what some old clients send after a body.
                 */
                p->has_skipped_line = true;
                strbuf_clear(&p->text);
                return HTTP_MORE;
        }
        if (!http_read_first_line(p, p->text.len - 1))
                return HTTP_BAD;
        p->line = p->text.len;
        p->state = HTTP_STATE_HEADERS;
        return HTTP_MORE;
}

/* An interim answer is not the answer; 101 is one. */
static bool is_interim(const struct http_parser *p)
{
        return p->is_response && p->head.status < 200 && p->head.status != 101;
}

static void begin_body(struct http_parser *p)
{
        p->left = p->head.content_length;
        strbuf_clear(&p->scrap);
        if (!p->head.has_body)
                p->state = HTTP_STATE_END;
        else if (p->is_chunked)
                p->state = HTTP_STATE_CHUNK_SIZE;
        else if (p->head.content_length != HTTP_LENGTH_UNKNOWN)
                p->state = HTTP_STATE_LENGTH;
        else
                p->state = HTTP_STATE_UNTIL_CLOSE;
}

static enum http_event read_headers(struct http_parser *p, struct input *in)
{
        int r = take_line(in, &p->text, p->line, HTTP_HEAD_MAX - p->line);
        if (r < 0)
                return fail_line(p, r, 431, "The headers are too large");
        if (r == 0)
                return HTTP_MORE;
        if (p->text.len - 1 > p->line) {
                if (!http_read_header(p, p->text.len - 1))
                        return HTTP_BAD;
                p->line = p->text.len;
                return HTTP_MORE;
        }
        if (!http_read_framing(p))
                return HTTP_BAD;
        if (is_interim(p)) {
                begin_message(p);
                return HTTP_MORE;
        }
        begin_body(p);
        return HTTP_HEAD;
}

static int hex_value(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        c |= 0x20;
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* "1a2b" or "1a2b ; name=value": extensions are allowed by the protocol and mean nothing to anybody. */
static bool parse_chunk_size(const char *line, size_t len, uint64_t *ret_size, size_t *ret_extension)
{
        size_t i = 0;
        uint64_t size = 0;
        for (; i < len && hex_value(line[i]) >= 0; i++) {
                if (i == HTTP_CHUNK_DIGITS_MAX)
                        return false;
                size = size << 4 | (uint64_t)hex_value(line[i]);
        }
        if (i == 0 || size > INT64_MAX)
                return false;
        *ret_extension = len - i;
        *ret_size = size;
        while (i < len && (line[i] == ' ' || line[i] == '\t'))
                i++;
        return i == len ? *ret_extension == 0 : line[i] == ';';
}

static enum http_event read_chunk_size(struct http_parser *p, struct input *in)
{
        size_t n_extension;
        int r = take_line(in, &p->scrap, 0, HTTP_CHUNK_DIGITS_MAX + HTTP_CHUNK_EXTENSION_MAX + 1);
        if (r < 0)
                return fail_line(p, r, 400, "A chunk's extension is too long");
        if (r == 0)
                return HTTP_MORE;
        if (!parse_chunk_size(p->scrap.data, p->scrap.len - 1, &p->left, &n_extension))
                return http_fail(p, 400, "A chunk's size is not a hexadecimal number of at most 16 digits");
        p->n_extension += n_extension;
        if (p->n_extension > HTTP_CHUNK_EXTENSIONS_MAX)
                return http_fail(p, 400, "The chunk extensions are too long");
        strbuf_clear(&p->scrap);
        p->state = p->left ? HTTP_STATE_CHUNK_DATA : HTTP_STATE_TRAILERS;
        return HTTP_MORE;
}

/* Trailers could forge what the head did not say, so they are checked for their form and dropped. */
static enum http_event read_trailer(struct http_parser *p, struct input *in)
{
        int r = take_line(in, &p->scrap, 0, HTTP_TRAILERS_MAX - p->n_trailer);
        if (r < 0)
                return fail_line(p, r, 431, "The trailers are too large");
        if (r == 0)
                return HTTP_MORE;
        size_t len = p->scrap.len - 1;
        if (len && !memchr(p->scrap.data, ':', len))
                return http_fail(p, 400, "A trailer has no colon");
        p->n_trailer += p->scrap.len;
        strbuf_clear(&p->scrap);
        if (len == 0)
                p->state = HTTP_STATE_END;
        return HTTP_MORE;
}

static enum http_event read_body(struct http_parser *p, struct input *in)
{
        bool is_counted = p->state != HTTP_STATE_UNTIL_CLOSE;
        size_t take = is_counted ? (size_t)MIN((uint64_t)in->n, p->left) : in->n;
        p->body = in->data;
        p->body_len = take;
        input_skip(in, take);
        if (!is_counted)
                return HTTP_BODY;
        p->left -= take;
        if (p->left == 0)
                p->state = p->state == HTTP_STATE_LENGTH ? HTTP_STATE_END : HTTP_STATE_CHUNK_CR;
        return HTTP_BODY;
}

uint64_t http_parser_body_left(const struct http_parser *p)
{
        return p->state == HTTP_STATE_LENGTH ? p->left : 0;
}

void http_parser_skip_body(struct http_parser *p, uint64_t n)
{
        p->left -= n;
        if (p->left == 0)
                p->state = HTTP_STATE_END;
}

static enum http_event read_chunk_end(struct http_parser *p, struct input *in)
{
        bool is_cr = p->state == HTTP_STATE_CHUNK_CR;
        if (*in->data != (is_cr ? '\r' : '\n'))
                return http_fail(p, 400, "A chunk is longer than its size says");
        input_skip(in, 1);
        p->state = is_cr ? HTTP_STATE_CHUNK_LF : HTTP_STATE_CHUNK_SIZE;
        return HTTP_MORE;
}

static enum http_event step(struct http_parser *p, struct input *in)
{
        switch (p->state) {
        case HTTP_STATE_START:
                begin_message(p);
                return HTTP_MORE;
        case HTTP_STATE_LINE:
                return read_first_line(p, in);
        case HTTP_STATE_HEADERS:
                return read_headers(p, in);
        case HTTP_STATE_CHUNK_SIZE:
                return read_chunk_size(p, in);
        case HTTP_STATE_CHUNK_CR:
        case HTTP_STATE_CHUNK_LF:
                return read_chunk_end(p, in);
        case HTTP_STATE_TRAILERS:
                return read_trailer(p, in);
        default:
                return read_body(p, in);
        }
}

enum http_event http_parser_next(struct http_parser *p, const char **data, size_t *n)
{
        struct input in = { *data, *n };
        enum http_event event = p->state == HTTP_STATE_BAD ? HTTP_BAD : HTTP_MORE;
        while (event == HTTP_MORE) {
                if (p->state == HTTP_STATE_END) {
                        p->state = HTTP_STATE_START;
                        event = HTTP_END;
                } else if (in.n == 0) {
                        break;
                } else {
                        event = step(p, &in);
                }
        }
        *data = in.data;
        *n = in.n;
        return event;
}

enum http_event http_parser_close(struct http_parser *p)
{
        switch (p->state) {
        case HTTP_STATE_BAD:
                return HTTP_BAD;
        case HTTP_STATE_START:
                return HTTP_MORE;
        case HTTP_STATE_UNTIL_CLOSE:
        case HTTP_STATE_END:
                p->state = HTTP_STATE_START;
                return HTTP_END;
        case HTTP_STATE_LINE:
                if (p->text.len == 0)
                        return HTTP_MORE;
                /* fall through */
        default:
                return http_fail(p, 400, "The connection ended in the middle of a message");
        }
}

const char *http_header_at(const struct http_parser *p, size_t i, const char **ret_name)
{
        if (i >= p->n_headers)
                return NULL;
        if (ret_name)
                *ret_name = p->text.data + p->headers[i].name;
        return p->text.data + p->headers[i].value;
}

const char *http_header(const struct http_parser *p, const char *name)
{
        for (size_t i = 0; i < p->n_headers; i++)
                if (streq(p->text.data + p->headers[i].name, name))
                        return p->text.data + p->headers[i].value;
        return NULL;
}
