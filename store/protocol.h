/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The frames between lightd and its store child over one SOCK_STREAM pair: pure encoding and decoding, no
 * I/O, no knowledge of processes or of SQLite.
 *
 * A frame is  u32 length of what follows the type | u8 type | payload.  Numbers are in the machine's order
 * (both ends are the same executable). A text is  u32 length | bytes | NUL  with no NUL inside, so that
 * decoded texts point into the frame and are C strings.
 *
 *   daemon → child   LOAD     -
 *                    COMMIT   u64 id, u64 acked, u8 is urgent, u32 n, n × (u8 what, u64 expect, kind,
 * project, name[, json]) RESOLVE  u32 n, n × u64 id child → daemon   HELLO    u64 next id, u32 did the
 * database is open, locked and migrated RECORD   kind, project, name, u64 rev, u32 schema, json LOADED   -
 *                    RESULT   u64 id, u32 -errno, u64 rev, u32 op   in the order of the commits (or of
 * RESOLVE) BYE      u32 -errno, message, hint        the last frame of a child that cannot go on
 *
 * `acked`: every lower id has been answered to its owner, so its record of having happened may be forgotten.
 */
#pragma once

#include "base/strbuf.h"
#include "store/store.h"

enum frame_type {
        FRAME_LOAD = 1,
        FRAME_COMMIT,
        FRAME_RESOLVE,
        FRAME_HELLO = 16,
        FRAME_RECORD,
        FRAME_LOADED,
        FRAME_RESULT,
        FRAME_BYE,
};

#define FRAME_HEADER 5
#define FRAME_MAX (STORE_TXN_MAX + KiB(64)) /* the longest frame with its header */

struct frame {
        enum frame_type type;
        const char *data;
        size_t n;
};

enum wire_what { OP_PUT = 1, OP_DELETE, OP_CHECK };

struct wire_op {
        enum wire_what what;
        uint64_t expect;
        const char *kind, *project, *name;
        const char *json; /* only OP_PUT */
};

struct wire_commit {
        uint64_t id, acked;
        bool is_urgent;
        uint32_t n_ops;
        const char *ops; /* what protocol_next_op() walks */
        size_t n;
};

struct wire_hello {
        uint64_t next_id;
        uint32_t did;
};

struct wire_result {
        uint64_t id;
        struct store_result result;
};

struct wire_bye {
        int r;
        const char *message, *hint; /* hint may be "" */
};

/* 1 and a frame whose bytes lie in data; 0: not all there yet; -EBADMSG. *ret_used is its whole length. */
int protocol_next_frame(const char *data, size_t n, struct frame *ret, size_t *ret_used);

/* A COMMIT is written in three parts: begin, its steps, and the numbers known only when it is sent. */
void protocol_commit_begin(struct strbuf *out);
void protocol_commit_add(struct strbuf *out, const struct wire_op *op);
void protocol_commit_seal(struct strbuf *out, const struct wire_commit *numbers);

void protocol_write_empty(struct strbuf *out, enum frame_type type);
void protocol_write_resolve(struct strbuf *out, const uint64_t *ids, uint32_t n);
void protocol_write_hello(struct strbuf *out, const struct wire_hello *m);
void protocol_write_record(struct strbuf *out, const struct store_record *m);
void protocol_write_result(struct strbuf *out, const struct wire_result *m);
void protocol_write_bye(struct strbuf *out, const struct wire_bye *m);

/* 0 or -EBADMSG. Decoded texts live as long as the frame's bytes. A COMMIT is checked to its last step. */
int protocol_read_commit(const struct frame *f, struct wire_commit *ret);
int protocol_next_op(struct wire_commit *c, struct wire_op *ret); /* 1, or 0 at the end, or -EBADMSG */
int protocol_read_resolve(const struct frame *f, uint32_t *ret_n);
uint64_t protocol_resolve_id(const struct frame *f, uint32_t i);
int protocol_read_hello(const struct frame *f, struct wire_hello *ret);
int protocol_read_record(const struct frame *f, struct store_record *ret);
int protocol_read_result(const struct frame *f, struct wire_result *ret);
int protocol_read_bye(const struct frame *f, struct wire_bye *ret);
