/* SPDX-License-Identifier: Apache-2.0 */
/* links: store */
/* Any bytes as frames between the daemon and its store child; a commit that is understood is written again
 * alike. */
#include "store/protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void again(const struct frame *f)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        struct wire_commit c, walk;
        struct wire_op op;
        if (protocol_read_commit(f, &c) < 0)
                return;
        protocol_commit_begin(&b);
        for (walk = c; protocol_next_op(&walk, &op) > 0;)
                protocol_commit_add(&b, &op);
        protocol_commit_seal(&b, &c);
        if (b.len != f->n + FRAME_HEADER || memcmp(b.data + b.len - c.n, c.ops, c.n) != 0)
                abort();
}

static void read_as_everything(const struct frame *f)
{
        struct store_record record;
        struct wire_hello hello;
        struct wire_result result;
        struct wire_bye bye;
        uint32_t count;
        again(f);
        (void)protocol_read_hello(f, &hello);
        (void)protocol_read_result(f, &result);
        if (protocol_read_record(f, &record) == 0 && strlen(record.json) > STORE_JSON_MAX)
                abort();
        if (protocol_read_bye(f, &bye) == 0 && bye.r > 0)
                abort();
        if (protocol_read_resolve(f, &count) == 0)
                for (uint32_t i = 0; i < count; i++)
                        (void)protocol_resolve_id(f, i);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
        const char *p = (const char *)data;
        struct frame f;
        size_t used;
        while (protocol_next_frame(p, n, &f, &used) > 0) {
                read_as_everything(&f);
                p += used;
                n -= used;
        }
        return 0;
}
