/* SPDX-License-Identifier: Apache-2.0 */
/* links: lightc-lib */
#include "tests/lib/test.h"
#include "lightc/debug.h"
#include "base/nearest.h"

static void assert_body(const char *body, const char *shown)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        debug_add_body(&b, body, strlen(body));
        ASSERT_STR(strbuf_str(&b), shown);
}

TEST(secrets_are_masked_wherever_they_stand)
{
        assert_body("{\"metadata\":{\"metadata\":{\"fds\":{\"0\":\"abc\",\"control\":\"def\"},\"command\":[\"sh\"]}}}",
                    "{\"metadata\":{\"metadata\":{\"fds\":{\"0\":\"***\",\"control\":\"***\"},\"command\":[\"sh\"]}}}");
        assert_body("[{\"password\":\"p\",\"config\":{\"core.trust_password\":\"q\",\"user.a\":\"b\"}}]",
                    "[{\"password\":\"***\",\"config\":{\"core.trust_password\":\"***\",\"user.a\":\"b\"}}]");
        assert_body("{\"secret\":\"\",\"n\":null}", "{\"secret\":\"\",\"n\":null}");
}

TEST(what_is_no_json_is_not_shown)
{
        assert_body("\x01secret file", "(12 bytes that are no JSON)");
        assert_body("", "(0 bytes that are no JSON)");
}

TEST(secrets_in_addresses_are_masked)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        debug_add_url(&b, "/1.0/operations/x/websocket?secret=abc&a=1&secret=d");
        ASSERT_STR(strbuf_str(&b), "/1.0/operations/x/websocket?secret=***&a=1&secret=***");
}

static const char *guess(const char *word)
{
        struct nearest near = nearest_to(word);
        nearest_offer(&near, "web1");
        nearest_offer(&near, "database");
        nearest_offer(&near, "db");
        return near.best;
}

TEST(the_nearest_name_is_at_most_two_edits_away)
{
        ASSERT_STR(guess("wbe1"), "web1");
        ASSERT_STR(guess("databaes"), "database");
        ASSERT_STR(guess("dp"), "db");
        ASSERT_FALSE(guess("x"));
        ASSERT_FALSE(guess("storage"));
        ASSERT_FALSE(guess("webserver"));
}
