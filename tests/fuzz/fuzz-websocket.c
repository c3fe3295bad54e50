/* SPDX-License-Identifier: Apache-2.0 */
/* links: api */
/* The first byte says who listens and whether messages are capped; the rest is what arrives. */
#include "api/websocket.h"
#include "base/alloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/*
 * Pieces of payload run together, so that slices do not show; bad text may be seen a piece earlier or later.
 */
static bool describe(const struct websocket_parser *p, enum websocket_event event, struct strbuf *out)
{
        if (event == WEBSOCKET_BAD) {
                if (!p->problem || !websocket_code_is_valid(p->code))
                        abort();
                return false;
        }
        if (event == WEBSOCKET_CLOSE)
                strbuf_addf(out, "close %d ", p->code);
        else if (event != WEBSOCKET_DATA)
                strbuf_addf(out, "control %d ", event);
        strbuf_add(out, p->payload, p->len);
        if (p->is_frame_end)
                strbuf_addf(out, " end of %d %d\n", p->opcode, p->is_message_end);
        return true;
}

static bool feed_slice(struct websocket_parser *p, const uint8_t *data, size_t n, struct strbuf *out)
{
        _cleanup_free_ char *slice = xmemdup(data, n);
        char *in = slice;
        size_t left = n;
        enum websocket_event event;
        while ((event = websocket_parser_next(p, &in, &left)) != WEBSOCKET_MORE)
                if (!describe(p, event, out))
                        return false;
        if (left)
                abort();
        return true;
}

static bool feed(uint8_t mode, const uint8_t *data, size_t n, size_t step, struct strbuf *out)
{
        struct websocket_parser p;
        bool is_good = true;
        websocket_parser_init(&p, mode & 1, mode & 2 ? 1000 : 0);
        for (size_t at = 0; at < n && is_good; at += step)
                is_good = feed_slice(&p, data + at, MIN(step, n - at), out);
        return is_good;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
        _cleanup_strbuf_ struct strbuf whole = STRBUF_INIT, bytes = STRBUF_INIT;
        if (n < 2)
                return 0;
        bool is_good = feed(data[0], data + 1, n - 1, n - 1, &whole);
        if (is_good != feed(data[0], data + 1, n - 1, 1, &bytes))
                abort();
        if (is_good && (whole.len != bytes.len || (whole.len && memcmp(whole.data, bytes.data, whole.len))))
                abort();
        return 0;
}
