/* SPDX-License-Identifier: Apache-2.0 */
#include "api/websocket.h"
#include "api/utf8.h"

#include <sys/random.h>

void websocket_parser_init(struct websocket_parser *p, bool is_server, uint64_t message_max)
{
        *p = (struct websocket_parser){ .is_server = is_server, .message_max = message_max };
}

static enum websocket_event fail(struct websocket_parser *p, int code, const char *problem)
{
        p->is_closed = true;
        p->code = code;
        p->problem = problem;
        return WEBSOCKET_BAD;
}

void websocket_mask(void *data, size_t n, const uint8_t key[static 4], uint64_t offset)
{
        uint8_t *p = data, turned[8];
        uint64_t wide;
        for (size_t i = 0; i < 8; i++)
                turned[i] = key[(offset + i) & 3];
        memcpy(&wide, turned, 8);
        size_t i = 0;
        /* Four words a turn: enough for the compiler to keep the memory, not the loop, the limit. */
        for (uint64_t w[4]; i + sizeof w <= n; i += sizeof w) {
                memcpy(w, p + i, sizeof w);
                for (size_t j = 0; j < 4; j++)
                        w[j] ^= wide;
                memcpy(p + i, w, sizeof w);
        }
        for (; i < n; i++)
                p[i] ^= turned[i & 7];
}

/* How long the header is, as far as its first bytes tell. */
static size_t header_size(const struct websocket_parser *p)
{
        if (p->header_len < 2)
                return 2;
        uint8_t len = p->header[1] & 0x7f;
        return 2 + (len == 126 ? 2 : len == 127 ? 8 : 0) + (p->header[1] & 0x80 ? 4 : 0);
}

static uint64_t payload_len(const struct websocket_parser *p)
{
        uint8_t first = p->header[1] & 0x7f;
        size_t n = first == 126 ? 2 : first == 127 ? 8 : 0;
        uint64_t len = n ? 0 : first;
        for (size_t i = 0; i < n; i++)
                len = len << 8 | p->header[2 + i];
        return len;
}

/* The first two bytes: enough to refuse before a byte of payload is read. */
static const char *check_start(const struct websocket_parser *p)
{
        unsigned opcode = p->header[0] & 0x0f;
        bool is_final = p->header[0] & 0x80, is_masked = p->header[1] & 0x80;
        if (p->header[0] & 0x70)
                return "A reserved bit is set, and no extension was agreed on";
        if (is_masked != p->is_server)
                return p->is_server ? "A client's frame is not masked" : "A server's frame is masked";
        if ((opcode > WEBSOCKET_BINARY && opcode < WEBSOCKET_OP_CLOSE) || opcode > WEBSOCKET_OP_PONG)
                return "The opcode is not known";
        if (opcode >= WEBSOCKET_OP_CLOSE && (!is_final || (p->header[1] & 0x7f) > WEBSOCKET_CONTROL_MAX))
                return "A control frame is fragmented or longer than 125 bytes";
        if (opcode == WEBSOCKET_CONTINUATION && !p->is_in_message)
                return "A continuation has no message to continue";
        if ((opcode == WEBSOCKET_TEXT || opcode == WEBSOCKET_BINARY) && p->is_in_message)
                return "A message starts inside another";
        return NULL;
}

static const char *check_length(const struct websocket_parser *p, uint64_t len)
{
        uint8_t first = p->header[1] & 0x7f;
        if ((first == 126 && len < 126) || (first == 127 && len < 65536))
                return "A frame's length is not in its shortest form";
        return len > INT64_MAX ? "A frame's length is negative" : NULL;
}

static enum websocket_event begin_frame(struct websocket_parser *p)
{
        uint64_t len = payload_len(p);
        const char *problem = check_length(p, len);
        if (problem)
                return fail(p, WEBSOCKET_CODE_PROTOCOL, problem);
        p->is_control = p->header[0] & 0x08;
        if (!p->is_control) {
                if ((p->header[0] & 0x0f) != WEBSOCKET_CONTINUATION) {
                        p->opcode = p->header[0] & 0x0f;
                        p->message_len = 0;
                        p->utf8 = 0;
                }
                if (p->message_max && len > p->message_max - p->message_len)
                        return fail(p, WEBSOCKET_CODE_TOO_BIG, "The message is too long");
                p->message_len += len;
                p->is_in_message = !(p->header[0] & 0x80);
        }
        if (p->is_server)
                memcpy(p->key, p->header + p->header_len - 4, 4);
        p->left = len;
        p->offset = p->control_len = 0;
        p->is_in_payload = true;
        return WEBSOCKET_MORE;
}

/* WEBSOCKET_MORE: go on, or the input is used up. */
static enum websocket_event read_header(struct websocket_parser *p, char **data, size_t *n)
{
        while (*n && p->header_len < header_size(p)) {
                p->header[p->header_len++] = (uint8_t) * *data;
                (*data)++;
                (*n)--;
                const char *problem = p->header_len == 2 ? check_start(p) : NULL;
                if (problem)
                        return fail(p, WEBSOCKET_CODE_PROTOCOL, problem);
        }
        return p->header_len < header_size(p) ? WEBSOCKET_MORE : begin_frame(p);
}

bool websocket_code_is_valid(int code)
{
        return (code >= 1000 && code <= 1003) || (code >= 1007 && code <= 1014) ||
               (code >= 3000 && code <= 4999);
}

static enum websocket_event read_close(struct websocket_parser *p)
{
        p->code = WEBSOCKET_CODE_NONE;
        if (p->control_len == 1)
                return fail(p, WEBSOCKET_CODE_PROTOCOL, "A close frame holds half a code");
        if (p->control_len >= 2) {
                p->code = (uint8_t)p->control[0] << 8 | (uint8_t)p->control[1];
                if (!websocket_code_is_valid(p->code))
                        return fail(p, WEBSOCKET_CODE_PROTOCOL, "A close frame's code is not a valid one");
                p->payload = p->control + 2;
                p->len = p->control_len - 2;
                if (!utf8_is_valid(p->payload, p->len))
                        return fail(p, WEBSOCKET_CODE_BAD_TEXT, "A close frame's reason is not UTF-8");
        }
        p->is_closed = true;
        return WEBSOCKET_CLOSE;
}

static enum websocket_event end_control(struct websocket_parser *p)
{
        p->payload = p->control;
        p->len = p->control_len;
        p->is_frame_end = p->is_message_end = true;
        switch (p->header[0] & 0x0f) {
        case WEBSOCKET_OP_CLOSE:
                return read_close(p);
        case WEBSOCKET_OP_PING:
                return WEBSOCKET_PING;
        default:
                return WEBSOCKET_PONG;
        }
}

static enum websocket_event hand_out(struct websocket_parser *p, const char *piece, size_t len)
{
        p->payload = piece;
        p->len = len;
        p->is_frame_end = p->left == 0;
        p->is_message_end = p->is_frame_end && !p->is_in_message;
        if (p->opcode != WEBSOCKET_TEXT)
                return WEBSOCKET_DATA;
        if (!utf8_feed(&p->utf8, piece, len) || (p->is_message_end && !utf8_is_complete(p->utf8)))
                return fail(p, WEBSOCKET_CODE_BAD_TEXT, "A text message is not UTF-8");
        return WEBSOCKET_DATA;
}

static enum websocket_event read_payload(struct websocket_parser *p, char **data, size_t *n)
{
        char *piece = *data;
        size_t take = (size_t)MIN((uint64_t)*n, p->left);
        if (p->is_server)
                websocket_mask(piece, take, p->key, p->offset);
        *data += take;
        *n -= take;
        p->left -= take;
        p->offset += take;
        if (p->is_control && take) {
                memcpy(p->control + p->control_len, piece, take);
                p->control_len += take;
        }
        if (p->left == 0) {
                p->is_in_payload = false;
                p->header_len = 0;
        }
        if (!p->is_control)
                return hand_out(p, piece, take);
        return p->left == 0 ? end_control(p) : WEBSOCKET_MORE;
}

enum websocket_event websocket_parser_next(struct websocket_parser *p, char **data, size_t *n)
{
        enum websocket_event event = WEBSOCKET_MORE;
        if (p->is_closed) {
                *data += *n;
                *n = 0;
                return p->problem ? WEBSOCKET_BAD : WEBSOCKET_MORE;
        }
        /* A frame without payload ends where its header does, so it must not wait for more input. */
        while (event == WEBSOCKET_MORE && (*n || (p->is_in_payload && p->left == 0)))
                event = p->is_in_payload ? read_payload(p, data, n) : read_header(p, data, n);
        return event;
}

void websocket_keys_next(struct websocket_keys *k, uint8_t ret_key[static 4])
{
        if (k->n_left < 4) {
                /* Up to 256 bytes come whole or, before the kernel's pool is seeded at boot, after a wait. */
                while (getrandom(k->pool, sizeof k->pool, 0) != (ssize_t)sizeof k->pool)
                        ;
                k->n_left = sizeof k->pool;
        }
        k->n_left -= 4;
        memcpy(ret_key, k->pool + k->n_left, 4);
}

size_t websocket_header(uint8_t ret_header[static WEBSOCKET_HEADER_MAX], enum websocket_opcode opcode,
                        bool is_final, uint64_t len, const uint8_t *key)
{
        size_t n_len = len < 126 ? 0 : len < 65536 ? 2 : 8, n = 2;
        uint8_t first = n_len == 0 ? (uint8_t)len : n_len == 2 ? 126 : 127;
        ret_header[0] = (uint8_t)((is_final ? 0x80 : 0) | opcode);
        ret_header[1] = (uint8_t)(first | (key ? 0x80 : 0));
        for (size_t i = n_len; i-- > 0;)
                ret_header[n++] = (uint8_t)(len >> (8 * i));
        if (key)
                memcpy(ret_header + n, key, 4);
        return n + (key ? 4 : 0);
}

void websocket_write_frame(struct strbuf *b, enum websocket_opcode opcode, const void *data, size_t n,
                           struct websocket_keys *keys)
{
        uint8_t header[WEBSOCKET_HEADER_MAX], key[4];
        if (keys)
                websocket_keys_next(keys, key);
        size_t n_header = websocket_header(header, opcode, true, n, keys ? key : NULL);
        /* Both or neither: half a frame would make the rest of the stream unreadable. */
        if (!strbuf_reserve(b, n_header + n))
                return;
        strbuf_add(b, header, n_header);
        strbuf_add(b, data, n);
        if (keys)
                websocket_mask(b->data + b->len - n, n, key, 0);
}

/* A reason is at most 123 bytes and is not cut inside a character. */
static size_t reason_len(const char *reason)
{
        size_t max = WEBSOCKET_CONTROL_MAX - 2, n = reason ? strnlen(reason, max + 1) : 0;
        if (n <= max)
                return n;
        n = max;
        while (n > 0 && ((uint8_t)reason[n] & 0xc0) == 0x80)
                n--;
        return n;
}

void websocket_write_close(struct strbuf *b, int code, const char *reason, struct websocket_keys *keys)
{
        uint8_t payload[WEBSOCKET_CONTROL_MAX] = { (uint8_t)(code >> 8), (uint8_t)code };
        size_t n = reason_len(reason);
        if (!websocket_code_is_valid(code)) {
                websocket_write_frame(b, WEBSOCKET_OP_CLOSE, NULL, 0, keys);
                return;
        }
        if (n)
                memcpy(payload + 2, reason, n);
        websocket_write_frame(b, WEBSOCKET_OP_CLOSE, payload, n + 2, keys);
}
