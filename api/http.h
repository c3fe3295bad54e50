/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 as bytes: a parser fed with slices of any size and a writer into buffers. No socket, no clock, no
 * route, no resource: the daemon and the client compile the same file, and it could move into a process of
 * its own.
 *
 * The parser takes one message at a time:
 *
 *      while ((event = http_parser_next(&p, &data, &n)) != HTTP_MORE)
 *              switch (event) …
 *
 * It advances data and n over what it used. HTTP_MORE always means that all was used. After HTTP_END the rest
 * of the input belongs to the next message (or to the websocket): the caller keeps it and calls again when
 * the answer is sent, which begins that message. After HTTP_BAD nothing more is parsed; `status` and
 * `problem` are for the reply, after which the connection must be closed, because nobody knows where the next
 * message starts.
 *
 * What is strict, since two parsers that disagree about a message's end are an attack: lines end with CRLF,
 * one length only, no folded or duplicate-with-different-value framing header, exactly one Host.
 */
#pragma once

#include "base/strbuf.h"

#define HTTP_HEAD_MAX KiB(64)
#define HTTP_TARGET_MAX KiB(16)
#define HTTP_HEADERS_MAX 100
#define HTTP_TRAILERS_MAX KiB(8)
#define HTTP_CHUNK_DIGITS_MAX 16
#define HTTP_CHUNK_EXTENSION_MAX 256      /* in one chunk */
#define HTTP_CHUNK_EXTENSIONS_MAX KiB(16) /* in one message */
#define HTTP_LENGTH_UNKNOWN UINT64_MAX

enum http_event {
        HTTP_MORE, /* the input is used up */
        HTTP_HEAD, /* `head` is complete and stays until the next message begins */
        HTTP_BODY, /* `body`, `body_len`: a piece of the body, inside the caller's input */
        HTTP_END,  /* the message is complete */
        HTTP_BAD,  /* `status`, `problem` */
};

/* Texts are inside the parser and end with NUL; header names are lower-case; values are trimmed. */
struct http_head {
        const char *method;        /* request: any token; the router knows which exist */
        const char *target;        /* request: as sent, nothing decoded */
        int status;                /* response */
        const char *reason;        /* response; may be empty */
        int minor;                 /* HTTP/1.<minor>: 0 or 1 */
        uint64_t content_length;   /* HTTP_LENGTH_UNKNOWN: chunked, or until the connection ends */
        bool has_body;             /* false: HTTP_END follows at once */
        bool is_keep_alive;        /* another message may follow on this connection */
        bool expects_continue;     /* request: waits for http_write_continue() before it sends the body */
        const char *upgrade;       /* value of Upgrade where Connection names it, or NULL */
        const char *websocket_key; /* request: a valid websocket handshake of version 13, or NULL */
};

struct http_span {
        uint32_t name, value; /* offsets in the parser's text */
};

enum http_state {
        HTTP_STATE_START,
        HTTP_STATE_LINE,
        HTTP_STATE_HEADERS,
        HTTP_STATE_LENGTH,
        HTTP_STATE_CHUNK_SIZE,
        HTTP_STATE_CHUNK_DATA,
        HTTP_STATE_CHUNK_CR,
        HTTP_STATE_CHUNK_LF,
        HTTP_STATE_TRAILERS,
        HTTP_STATE_UNTIL_CLOSE,
        HTTP_STATE_END,
        HTTP_STATE_BAD,
};

struct http_parser {
        struct http_head head;
        const char *body;
        size_t body_len;
        int status;          /* after HTTP_BAD: of the reply (requests); 502 for a bad response */
        const char *problem; /* after HTTP_BAD: one constant sentence */

        /* the parser's own */
        enum http_state state;
        bool is_response, is_head_request, is_chunked;
        bool has_length, has_host, has_skipped_line;
        struct strbuf text;  /* the head; texts of `head` point into it once it is complete */
        struct strbuf scrap; /* a chunk's size or a trailer being read */
        size_t line;         /* where the current line starts in text */
        uint32_t second;     /* where the first line's second word starts: target or reason */
        struct http_span headers[HTTP_HEADERS_MAX];
        size_t n_headers;
        uint64_t left;      /* of the body or the chunk */
        size_t n_extension; /* bytes of chunk extensions so far */
        size_t n_trailer;   /* bytes of trailers so far */
};

void http_parser_init_request(struct http_parser *p);
/*
 * is_head_request: the answer to HEAD has lengths but no body. Interim (1xx) answers except 101 are skipped.
 */
void http_parser_init_response(struct http_parser *p, bool is_head_request);
void http_parser_done(struct http_parser *p);

enum http_event http_parser_next(struct http_parser *p, const char **data, size_t *n);
/*
 * The peer closed. HTTP_END if that ends the message (a response without length), HTTP_MORE between two
 * messages, HTTP_BAD in the middle of one.
 */
enum http_event http_parser_close(struct http_parser *p);
/* True between two messages: a connection may then be idle, or be closed without loss. */
static inline bool http_parser_is_idle(const struct http_parser *p)
{
        return p->state == HTTP_STATE_START || p->state == HTTP_STATE_END;
}

/* What is still to come of a body with a length, when the next bytes are its; else 0. */
uint64_t http_parser_body_left(const struct http_parser *p);
/* So many of those bytes, at most all, went another way and will not be seen here. */
void http_parser_skip_body(struct http_parser *p, uint64_t n);

/* The first header of that (lower-case) name, or NULL. Valid as long as `head`. */
const char *http_header(const struct http_parser *p, const char *name);
/* The i-th header as sent; NULL past the last. */
const char *http_header_at(const struct http_parser *p, size_t i, const char **ret_name);

/*
 * Writing. A head is its first line, any headers, one framing line and http_write_end(). Bytes that would
 * break out of a header value are written as spaces.
 */
const char *http_status_text(int status); /* "Not Found"; "Unknown" for a number nobody registered */
void http_write_status(struct strbuf *b, int status);
void http_write_request(struct strbuf *b, const char *method, const char *target, const char *host);
void http_write_header(struct strbuf *b, const char *name, const char *value);
void http_write_length(struct strbuf *b, uint64_t length);
void http_write_chunked(struct strbuf *b);
void http_write_close(struct strbuf *b); /* "Connection: close" */
void http_write_date(struct strbuf *b, int64_t unix_seconds);
void http_write_end(struct strbuf *b);

void http_write_continue(struct strbuf *b);
/* One chunk; n == 0 writes nothing, since an empty chunk would end the body. */
void http_write_chunk(struct strbuf *b, const void *data, size_t n);
/* For a chunk whose bytes are sent from elsewhere: begin, n bytes, end. n > 0. */
void http_write_chunk_begin(struct strbuf *b, size_t n);
void http_write_chunk_end(struct strbuf *b);
void http_write_last_chunk(struct strbuf *b);

/* The handshake of RFC 6455. */
#define HTTP_WEBSOCKET_KEY_SIZE 25
#define HTTP_WEBSOCKET_ACCEPT_SIZE 29
/* The whole 101 answer. */
void http_write_websocket_accept(struct strbuf *b, const char *key);
/* The whole request, with http_write_end() still to come, so that headers can be added. */
void http_write_websocket_request(struct strbuf *b, const char *target, const char *host, const char *key);
void http_websocket_key(const uint8_t nonce[static 16], char ret_key[static HTTP_WEBSOCKET_KEY_SIZE]);
void http_websocket_accept(const char *key, char ret_accept[static HTTP_WEBSOCKET_ACCEPT_SIZE]);
/* Client: does the response in the parser (status 101) agree to the handshake begun with key? */
bool http_websocket_is_accepted(const struct http_parser *p, const char *key);
