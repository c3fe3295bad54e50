/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Websocket frames (RFC 6455) as bytes, for both ends. No socket, no handshake (that is HTTP, api/http.h), no
 * meaning.
 *
 * Payload is never gathered: a piece of a frame is handed out where it lies in the caller's buffer, unmasked
 * in place, so a stream costs one pass over its bytes and a frame may be of any size. Only control frames, at
 * most 125 bytes, are buffered. Text is checked to be UTF-8 as it comes; a bad byte fails the connection, but
 * pieces before it have been handed out: whoever needs whole messages gathers them and acts on WEBSOCKET_DATA
 * with is_message_end.
 *
 * Who owns what: the parser owns nothing and needs no _done.
 */
#pragma once

#include "base/strbuf.h"

#define WEBSOCKET_HEADER_MAX 14
#define WEBSOCKET_CONTROL_MAX 125

enum websocket_opcode {
        WEBSOCKET_CONTINUATION = 0,
        WEBSOCKET_TEXT = 1,
        WEBSOCKET_BINARY = 2,
        WEBSOCKET_OP_CLOSE = 8,
        WEBSOCKET_OP_PING = 9,
        WEBSOCKET_OP_PONG = 10,
};

enum websocket_code {
        WEBSOCKET_CODE_NORMAL = 1000,
        WEBSOCKET_CODE_GOING_AWAY = 1001,
        WEBSOCKET_CODE_PROTOCOL = 1002,
        WEBSOCKET_CODE_NONE = 1005, /* never sent: a close frame that gave no code */
        WEBSOCKET_CODE_BAD_TEXT = 1007,
        WEBSOCKET_CODE_TOO_BIG = 1009,
        WEBSOCKET_CODE_INTERNAL = 1011,
};

enum websocket_event {
        WEBSOCKET_MORE,  /* the input is used up */
        WEBSOCKET_DATA,  /* payload, len, opcode of the message, is_frame_end, is_message_end; len may be 0 */
        WEBSOCKET_PING,  /* payload, len: to be sent back in a pong */
        WEBSOCKET_PONG,  /* payload, len */
        WEBSOCKET_CLOSE, /* code, and the reason in payload, len; whatever follows is dropped */
        WEBSOCKET_BAD,   /* code to close with, problem; nothing more is parsed */
};

struct websocket_parser {
        enum websocket_opcode opcode;
        const char *payload;
        size_t len;
        bool is_frame_end, is_message_end;
        int code;
        const char *problem; /* one constant sentence */

        /* the parser's own */
        bool is_server, is_closed, is_in_payload, is_in_message, is_control;
        uint8_t header[WEBSOCKET_HEADER_MAX];
        size_t header_len;
        uint8_t key[4];
        uint64_t left;   /* of the frame */
        uint64_t offset; /* in the frame, for the mask */
        uint64_t message_len, message_max;
        uint32_t utf8; /* state of the text check */
        char control[WEBSOCKET_CONTROL_MAX];
        size_t control_len;
};

/* A server's peer must mask, a client's must not. message_max 0: messages (streams) without end. */
void websocket_parser_init(struct websocket_parser *p, bool is_server, uint64_t message_max);
/* Advances data and n over what was used; data is changed (unmasked). Call until WEBSOCKET_MORE. */
enum websocket_event websocket_parser_next(struct websocket_parser *p, char **data, size_t *n);

/* XORs data with the key; offset is the place of data[0] in the frame. */
void websocket_mask(void *data, size_t n, const uint8_t key[static 4], uint64_t offset);

/* A client's mask keys, unpredictable as the RFC wants, from the kernel 64 at a time. */
struct websocket_keys {
        uint8_t pool[256];
        size_t n_left;
};
void websocket_keys_next(struct websocket_keys *k, uint8_t ret_key[static 4]);

/*
 * Writing. `keys` is NULL on a server, which does not mask. The header alone is for payload that is sent from
 * where it lies; a client masks it with websocket_mask() and the key returned.
 */
size_t websocket_header(uint8_t ret_header[static WEBSOCKET_HEADER_MAX], enum websocket_opcode opcode,
                        bool is_final, uint64_t len, const uint8_t *key);
void websocket_write_frame(struct strbuf *b, enum websocket_opcode opcode, const void *data, size_t n,
                           struct websocket_keys *keys);
/* reason may be NULL and is cut to fit; WEBSOCKET_CODE_NONE writes an empty close. */
void websocket_write_close(struct strbuf *b, int code, const char *reason, struct websocket_keys *keys);
bool websocket_code_is_valid(int code); /* may it stand in a close frame? */
