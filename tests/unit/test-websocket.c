/* SPDX-License-Identifier: Apache-2.0 */
/* links: api */
#include "tests/lib/test.h"
#include "base/alloc.h"
#include "api/utf8.h"
#include "api/websocket.h"

/* "t(abc", then ")" at a frame's end, "." at a message's; "P<..>", "p<..>", "C1000<..>", "!1002". */
static void describe(const struct websocket_parser *p, enum websocket_event event, bool *is_open,
                     struct strbuf *out)
{
        if (event == WEBSOCKET_BAD) {
                strbuf_addf(out, "!%d", p->code);
        } else if (event != WEBSOCKET_DATA) {
                const char *sign = event == WEBSOCKET_PING ? "P" : event == WEBSOCKET_PONG ? "p" : "C";
                strbuf_addf(out, "%s", sign);
                if (event == WEBSOCKET_CLOSE)
                        strbuf_addf(out, "%d", p->code);
                strbuf_addf(out, "<%.*s>", (int)p->len, p->payload);
        } else {
                if (!*is_open)
                        strbuf_adds(out, p->opcode == WEBSOCKET_TEXT ? "t(" : "b(");
                strbuf_add(out, p->payload, p->len);
                if (p->is_frame_end)
                        strbuf_adds(out, p->is_message_end ? ")." : ")");
                *is_open = !p->is_frame_end;
        }
}

static const char *parse(bool is_server, uint64_t max, const void *data, size_t n, size_t step)
{
        static struct strbuf out;
        struct websocket_parser p;
        bool is_open = false;
        enum websocket_event event = WEBSOCKET_MORE;
        _cleanup_free_ char *copy = xmemdup(data, n);
        strbuf_clear(&out);
        websocket_parser_init(&p, is_server, max);
        for (size_t at = 0; at < n && event != WEBSOCKET_BAD; at += step) {
                char *in = copy + at;
                size_t left = MIN(step, n - at);
                while ((event = websocket_parser_next(&p, &in, &left)) != WEBSOCKET_MORE) {
                        describe(&p, event, &is_open, &out);
                        if (event == WEBSOCKET_BAD)
                                break;
                }
        }
        return strbuf_str(&out);
}

static void expect(bool is_server, const struct strbuf *in, const char *want)
{
        for (size_t step = 1; step < in->len + 8; step += step < 8 ? 1 : in->len / 2 + 1)
                ASSERT_STR(parse(is_server, 100, in->data, in->len, step), want);
}

#define EXPECT_CLIENT(bytes, want)                                                                           \
        do {                                                                                                 \
                _cleanup_strbuf_ struct strbuf _b = STRBUF_INIT;                                             \
                strbuf_add(&_b, bytes, sizeof(bytes) - 1);                                                   \
                expect(false, &_b, want);                                                                    \
        } while (0)

TEST(frames_without_a_mask_are_read_by_a_client)
{
        EXPECT_CLIENT("\x81\x05Hello", "t(Hello).");
        EXPECT_CLIENT("\x01\x03Hel\x80\x02lo", "t(Hel)t(lo).");
        EXPECT_CLIENT("\x82\x00", "b().");
        EXPECT_CLIENT("\x81\x00\x81\x01x", "t().t(x).");
        EXPECT_CLIENT("\x89\x02hi\x8a\x00", "P<hi>p<>");
        EXPECT_CLIENT("\x01\x01"
                      "a\x89\x01p\x00\x01"
                      "b\x80\x00",
                      "t(a)P<p>t(b)t().");
}

TEST(the_rfcs_masked_example_is_read_by_a_server)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        strbuf_add(&b, "\x81\x85\x37\xfa\x21\x3d\x7f\x9f\x4d\x51\x58", 11);
        expect(true, &b, "t(Hello).");
}

TEST(broken_frames_fail_the_connection)
{
        EXPECT_CLIENT("\xc1\x00", "!1002"); /* RSV1 */
        EXPECT_CLIENT("\xa1\x00", "!1002");
        EXPECT_CLIENT("\x91\x00", "!1002");
        EXPECT_CLIENT("\x83\x00", "!1002"); /* opcode 3 */
        EXPECT_CLIENT("\x8b\x00", "!1002");
        EXPECT_CLIENT("\x81\x80", "!1002");            /* masked by a server */
        EXPECT_CLIENT("\x09\x00", "!1002");            /* fragmented ping */
        EXPECT_CLIENT("\x89\x7e", "!1002");            /* long ping */
        EXPECT_CLIENT("\x80\x00", "!1002");            /* nothing to continue */
        EXPECT_CLIENT("\x01\x00\x81\x00", "t()!1002"); /* message in message */
        EXPECT_CLIENT("\x82\x7e\x00\x7d", "!1002");    /* not the shortest length */
        EXPECT_CLIENT("\x82\x7f\x00\x00\x00\x00\x00\x00\xff\xff", "!1002");
        EXPECT_CLIENT("\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00", "!1002");
        EXPECT_CLIENT("\x82\x65", "!1009"); /* 101 bytes where 100 are allowed */
        EXPECT_CLIENT("\x02\x02xx\x80\x63", "b(xx)!1009");
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        strbuf_add(&b, "\x81\x05Hello", 7);
        expect(true, &b, "!1002");
}

TEST(close_frames_are_checked)
{
        EXPECT_CLIENT("\x88\x00rest is dropped", "C1005<>");
        EXPECT_CLIENT("\x88\x02\x03\xe8", "C1000<>");
        EXPECT_CLIENT("\x88\x05\x03\xe9"
                      "bye\x88\x00",
                      "C1001<bye>");
        EXPECT_CLIENT("\x88\x01\x03", "!1002");
        EXPECT_CLIENT("\x88\x02\x03\xed", "!1002"); /* 1005 is never sent */
        EXPECT_CLIENT("\x88\x02\x03\xee", "!1002");
        EXPECT_CLIENT("\x88\x02\x00\x00", "!1002");
        EXPECT_CLIENT("\x88\x02\x0b\xb8", "C3000<>");
        EXPECT_CLIENT("\x88\x02\x13\x88", "!1002");
        EXPECT_CLIENT("\x88\x03\x03\xe8\xff", "!1007");
}

TEST(text_must_be_utf8_across_pieces)
{
        EXPECT_CLIENT("\x81\x02\xc3\xa4", "t(\xc3\xa4).");
        EXPECT_CLIENT("\x01\x01\xc3\x80\x01\xa4", "t(\xc3)t(\xa4).");
        EXPECT_CLIENT("\x01\x01\xc3\x80\x00", "t(\xc3)!1007");
        EXPECT_CLIENT("\x81\x01\xff", "!1007");
        EXPECT_CLIENT("\x82\x01\xff", "b(\xff).");
        EXPECT_CLIENT("\x81\x01\xc3", "!1007");
}

TEST(utf8_refuses_what_is_not_a_character)
{
        static const char *const bad[] = {
                "\x80",         "\xc0\x80",         "\xc1\xbf",         "\xe0\x9f\xbf",
                "\xed\xa0\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
                "\xe2\x82",     "\xe2\x28\xa1",     "abcdefgh\xff"
        };
        static const char *const good[] = { "",
                                            "abc",
                                            "\xc2\x80",
                                            "\xdf\xbf",
                                            "\xe0\xa0\x80",
                                            "\xed\x9f\xbf",
                                            "\xee\x80\x80",
                                            "\xef\xbf\xbf",
                                            "\xf0\x90\x80\x80",
                                            "\xf4\x8f\xbf\xbf",
                                            "0123456789\xe2\x82\xac!" };
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                ASSERT_FALSE(utf8_is_valid(bad[i], strlen(bad[i])));
        for (size_t i = 0; i < ARRAY_SIZE(good); i++)
                ASSERT_TRUE(utf8_is_valid(good[i], strlen(good[i])));
}

TEST(masking_is_the_same_at_every_place_and_length)
{
        const uint8_t key[4] = { 1, 0x80, 0x33, 0xfe };
        for (size_t place = 0; place < 8; place++)
                for (size_t n = 0; n < 100; n++) {
                        uint8_t data[108] = { 0 };
                        websocket_mask(data + place, n, key, place);
                        for (size_t i = 0; i < sizeof data; i++)
                                ASSERT_EQ(data[i], i >= place && i < place + n ? key[i & 3] : 0);
                }
}

TEST(what_is_written_is_read_by_the_other_side)
{
        static const size_t sizes[] = { 0, 1, 125, 126, 127, 65535, 65536, 100000 };
        struct websocket_keys keys = { 0 };
        for (size_t i = 0; i < 2 * ARRAY_SIZE(sizes); i++) {
                bool is_client = i % 2;
                size_t n = sizes[i / 2];
                _cleanup_free_ char *data = xcalloc(1, n + 1), *want = NULL;
                _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
                memset(data, 'x', n);
                want = xasprintf("b(%s).C1000<bye>", data);
                websocket_write_frame(&b, WEBSOCKET_BINARY, data, n, is_client ? &keys : NULL);
                websocket_write_close(&b, WEBSOCKET_CODE_NORMAL, "bye", is_client ? &keys : NULL);
                ASSERT_STR(parse(is_client, 0, b.data, b.len, b.len), want);
                ASSERT_STR(parse(is_client, 0, b.data, b.len, 1000), want);
        }
}

TEST(mask_keys_differ)
{
        struct websocket_keys keys = { 0 };
        uint8_t first[4], key[4], n_equal = 0;
        websocket_keys_next(&keys, first);
        for (int i = 0; i < 200; i++) {
                websocket_keys_next(&keys, key);
                n_equal += memcmp(first, key, 4) == 0;
        }
        ASSERT_TRUE(n_equal < 3);
}

TEST(a_long_reason_is_cut_between_characters)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT, reason = STRBUF_INIT;
        for (int i = 0; i < 100; i++)
                strbuf_adds(&reason, "\xc3\xa4");
        websocket_write_close(&b, WEBSOCKET_CODE_INTERNAL, reason.data, NULL);
        ASSERT_EQ(b.len, 2 + 2 + 122);
        ASSERT_CONTAINS(parse(false, 0, b.data, b.len, b.len), "C1011<");
        strbuf_clear(&b);
        websocket_write_close(&b, WEBSOCKET_CODE_NONE, "x", NULL);
        ASSERT_EQ(b.len, 2);
}
