/* SPDX-License-Identifier: Apache-2.0 */
/* links: runtime */
#include "runtime/monitor-protocol.h"
#include "base/alloc.h"
#include "tests/lib/test.h"

static void encode(struct strbuf *out, enum monitor_type type, const char *body)
{
        struct monitor_message m = { .type = type, .id = 7, .is_reply = true };
        ASSERT_OK(json_parse(body, strlen(body), &m.body, NULL));
        ASSERT_OK(monitor_message_encode(&m, out));
        monitor_message_done(&m);
}

static int decode(const void *data, size_t n)
{
        _cleanup_monitor_message_ struct monitor_message m = { 0 };
        return monitor_message_decode(data, n, &m, NULL);
}

TEST(a_message_survives_encoding_and_decoding)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        _cleanup_monitor_message_ struct monitor_message m = { 0 };
        encode(&b, MONITOR_SIGNAL, "{\"signal\":15}");
        ASSERT_OK(monitor_message_decode(b.data, b.len, &m, NULL));
        ASSERT_EQ(m.type, MONITOR_SIGNAL);
        ASSERT_EQ(m.id, 7);
        ASSERT_TRUE(m.is_reply);
        ASSERT_EQ(json_get_int(m.body, "signal", 0), 15);
}

TEST(a_message_cut_at_any_byte_is_refused)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        encode(&b, MONITOR_HELLO, "{\"name\":\"c1\"}");
        for (size_t n = 0; n < b.len; n++)
                ASSERT_ERR(decode(b.data, n), -EPROTO);
}

TEST(wrong_version_type_and_body_are_refused)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT, c = STRBUF_INIT;
        encode(&b, MONITOR_HELLO, "{}");
        b.data[0] = 9;
        ASSERT_ERR(decode(b.data, b.len), -EPROTO);
        b.data[0] = 1;
        b.data[2] = 99;
        ASSERT_ERR(decode(b.data, b.len), -EPROTO);
        encode(&c, MONITOR_HELLO, "[1]");
        ASSERT_ERR(decode(c.data, c.len), -EPROTO);
}

TEST(a_body_too_large_for_a_packet_is_not_encoded)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        _cleanup_free_ char *text = xcalloc(1, MONITOR_MESSAGE_MAX);
        memset(text, 'x', MONITOR_MESSAGE_MAX - 1);
        struct monitor_message m = { .type = MONITOR_STATUS, .body = json_object_new_object() };
        json_set_string(m.body, "text", text);
        ASSERT_ERR(monitor_message_encode(&m, &b), -EMSGSIZE);
        monitor_message_done(&m);
}

TEST(an_exit_survives_as_json)
{
        struct monitor_exit in = { .signal = 1, .is_reboot = true, .at_ns = 1700000000000000000 }, out;
        _cleanup_json_ struct json_object *o = monitor_exit_to_json(&in);
        ASSERT_OK(monitor_exit_from_json(o, &out));
        ASSERT_EQ(out.signal, 1);
        ASSERT_TRUE(out.is_reboot);
        ASSERT_EQ(out.at_ns, in.at_ns);
        ASSERT_ERR(monitor_exit_from_json(NULL, &out), -EINVAL);
}
