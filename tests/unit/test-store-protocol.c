/* SPDX-License-Identifier: Apache-2.0 */
/* links: store */
#include "store/protocol.h"
#include "tests/lib/test.h"

static struct frame only_frame(const struct strbuf *b)
{
        struct frame f;
        size_t used = 0;
        ASSERT_EQ(protocol_next_frame(b->data, b->len, &f, &used), 1);
        ASSERT_EQ(used, b->len);
        return f;
}

static void write_commit(struct strbuf *b)
{
        struct wire_commit numbers = { .id = 7, .acked = 3, .is_urgent = true, .n_ops = 3 };
        protocol_commit_begin(b);
        protocol_commit_add(
                b, &(struct wire_op){ OP_PUT, STORE_REV_NEW, "profile", "default", "web", "{\"a\":1}" });
        protocol_commit_add(b, &(struct wire_op){ OP_DELETE, 12, "profile", "", "old", NULL });
        protocol_commit_add(b, &(struct wire_op){ OP_CHECK, STORE_REV_ANY, "project", "", "default", NULL });
        protocol_commit_seal(b, &numbers);
}

TEST(a_commit_comes_out_as_it_went_in)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        struct wire_commit c;
        struct wire_op op;
        write_commit(&b);
        struct frame f = only_frame(&b);
        ASSERT_EQ(f.type, FRAME_COMMIT);
        ASSERT_OK(protocol_read_commit(&f, &c));
        ASSERT_EQ(c.id, 7);
        ASSERT_EQ(c.acked, 3);
        ASSERT_TRUE(c.is_urgent);
        ASSERT_EQ(protocol_next_op(&c, &op), 1);
        ASSERT_EQ(op.what, OP_PUT);
        ASSERT_STR(op.project, "default");
        ASSERT_STR(op.json, "{\"a\":1}");
        ASSERT_EQ(protocol_next_op(&c, &op), 1);
        ASSERT_EQ(op.expect, 12);
        ASSERT_STR(op.name, "old");
        ASSERT_EQ(protocol_next_op(&c, &op), 1);
        ASSERT_TRUE(op.expect == STORE_REV_ANY);
        ASSERT_EQ(protocol_next_op(&c, &op), 0);
}

TEST(a_frame_is_there_only_when_all_of_it_is)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        struct frame f;
        size_t used;
        write_commit(&b);
        for (size_t n = 0; n < b.len; n++)
                ASSERT_EQ(protocol_next_frame(b.data, n, &f, &used), 0);
}

TEST(a_frame_longer_than_any_is_no_frame)
{
        static const char data[8] = { (char)0xff, (char)0xff, (char)0xff, 0x7f, FRAME_LOAD };
        struct frame f;
        size_t used;
        ASSERT_ERR(protocol_next_frame(data, sizeof data, &f, &used), -EBADMSG);
}

TEST(a_commit_cut_anywhere_is_refused)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        struct wire_commit c;
        write_commit(&b);
        struct frame f = only_frame(&b);
        for (f.n = 0; f.n < b.len - FRAME_HEADER; f.n++)
                ASSERT_ERR(protocol_read_commit(&f, &c), -EBADMSG);
}

TEST(a_text_with_a_nul_inside_is_refused)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        struct wire_commit c;
        write_commit(&b);
        char *name = memmem(b.data, b.len, "web", 3);
        name[1] = '\0';
        struct frame f = only_frame(&b);
        ASSERT_ERR(protocol_read_commit(&f, &c), -EBADMSG);
}

TEST(a_commit_counts_its_steps)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        struct wire_commit c, wrong = { .n_ops = 2 };
        write_commit(&b);
        protocol_commit_seal(&b, &wrong);
        struct frame f = only_frame(&b);
        ASSERT_ERR(protocol_read_commit(&f, &c), -EBADMSG);
}

TEST(a_record_comes_out_as_it_went_in)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        struct store_record in = { "kind", "", "näme", 1234567890123, 3, "{}" }, out;
        protocol_write_record(&b, &in);
        struct frame f = only_frame(&b);
        ASSERT_OK(protocol_read_record(&f, &out));
        ASSERT_STR(out.name, in.name);
        ASSERT_STR(out.project, "");
        ASSERT_EQ(out.rev, in.rev);
        ASSERT_EQ(out.schema, 3);
}

TEST(a_result_keeps_its_errno)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        struct wire_result in = { .id = 9, .result = { .r = -ESTALE, .op = 4 } }, out;
        protocol_write_result(&b, &in);
        struct frame f = only_frame(&b);
        ASSERT_OK(protocol_read_result(&f, &out));
        ASSERT_EQ(out.id, 9);
        ASSERT_EQ(out.result.r, -ESTALE);
        ASSERT_EQ(out.result.op, 4);
}

TEST(the_rest_of_the_frames)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        struct wire_hello hello;
        struct wire_bye bye;
        uint32_t n;
        protocol_write_hello(&b, &(struct wire_hello){ 42, 0xabcde });
        struct frame f = only_frame(&b);
        ASSERT_OK(protocol_read_hello(&f, &hello));
        ASSERT_EQ(hello.did, 0xabcde);
        strbuf_clear(&b);
        protocol_write_bye(&b, &(struct wire_bye){ -EBUSY, "in use", NULL });
        f = only_frame(&b);
        ASSERT_OK(protocol_read_bye(&f, &bye));
        ASSERT_EQ(bye.r, -EBUSY);
        ASSERT_STR(bye.hint, "");
        strbuf_clear(&b);
        protocol_write_resolve(&b, (uint64_t[]){ 5, 6 }, 2);
        f = only_frame(&b);
        ASSERT_OK(protocol_read_resolve(&f, &n));
        ASSERT_EQ(n, 2);
        ASSERT_EQ(protocol_resolve_id(&f, 1), 6);
        f.n--;
        ASSERT_ERR(protocol_read_resolve(&f, &n), -EBADMSG);
}
