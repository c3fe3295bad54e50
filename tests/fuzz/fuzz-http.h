/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the two HTTP targets: the events of one input as text, fed in slices of a given size. */
#pragma once

#include "api/http.h"
#include "base/alloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static inline void describe_head(const struct http_parser *p, struct strbuf *out)
{
        const struct http_head *h = &p->head;
        const char *name, *value;
        strbuf_addf(out, "H %s %s %d %s 1.%d %llu %d%d%d %s %s\n", h->method ? h->method : "",
                    h->target ? h->target : "", h->status, h->reason ? h->reason : "", h->minor,
                    (unsigned long long)h->content_length, h->has_body, h->is_keep_alive, h->expects_continue,
                    h->upgrade ? h->upgrade : "", h->websocket_key ? h->websocket_key : "");
        for (size_t i = 0; (value = http_header_at(p, i, &name)); i++)
                strbuf_addf(out, "%s:%s\n", name, value);
}

/* False after HTTP_BAD: which of two things wrong with a line is seen first may depend on the slices. */
static inline bool describe_event(const struct http_parser *p, enum http_event event, struct strbuf *out)
{
        if (event == HTTP_HEAD)
                describe_head(p, out);
        else if (event == HTTP_BODY)
                strbuf_add(out, p->body, p->body_len);
        else
                strbuf_addc(out, event == HTTP_END ? 'E' : '!');
        if (event == HTTP_BAD && (!p->problem || p->status < 400 || p->status > 599))
                abort();
        return event != HTTP_BAD;
}

/* Every slice is a copy of its own size, so that a sanitizer sees a read past it. */
static inline bool feed_slice(struct http_parser *p, const uint8_t *data, size_t n, struct strbuf *out)
{
        _cleanup_free_ char *slice = xmemdup(data, n);
        const char *in = slice;
        size_t left = n;
        enum http_event event;
        while ((event = http_parser_next(p, &in, &left)) != HTTP_MORE)
                if (!describe_event(p, event, out))
                        return false;
        if (left != 0)
                abort();
        return true;
}

static inline void feed(bool is_response, const uint8_t *data, size_t n, size_t step, struct strbuf *out)
{
        struct http_parser p;
        bool is_good = true;
        if (is_response)
                http_parser_init_response(&p, false);
        else
                http_parser_init_request(&p);
        for (size_t at = 0; at < n && is_good; at += step)
                is_good = feed_slice(&p, data + at, MIN(step, n - at), out);
        if (is_good)
                strbuf_addf(out, "close %d", http_parser_close(&p));
        http_parser_done(&p);
}

static inline void check_slices(bool is_response, const uint8_t *data, size_t n)
{
        _cleanup_strbuf_ struct strbuf whole = STRBUF_INIT, bytes = STRBUF_INIT, some = STRBUF_INIT;
        feed(is_response, data, n, n ? n : 1, &whole);
        feed(is_response, data, n, 1, &bytes);
        feed(is_response, data, n, 7, &some);
        if (whole.len != bytes.len || whole.len != some.len ||
            (whole.len &&
             (memcmp(whole.data, bytes.data, whole.len) || memcmp(whole.data, some.data, whole.len))))
                abort();
}
