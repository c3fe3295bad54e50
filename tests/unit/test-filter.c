/* SPDX-License-Identifier: Apache-2.0 */
/* links: api */
#include "tests/lib/test.h"
#include "base/alloc.h"
#include "api/filter.h"
#include "api/pattern.h"

static const char object[] =
        "{\"name\":\"my container\",\"status\":\"Running\",\"ephemeral\":false,\"size\":42,\"none\":null,"
        "\"config\":{\"image.os\":\"ubuntu\",\"image\":{\"os\":\"nested\",\"x\":\"y\"},\"user.a\":\"(\"},"
        "\"profiles\":[\"default\",\"web\"],\"aliases\":[{\"name\":\"bb\"}],"
        "\"devices\":{\"eth0\":{\"nictype\":\"bridged\"},\"my.disk\":{\"path\":\"/srv\"}}}";

static int matches(const char *text)
{
        _cleanup_json_ struct json_object *o = NULL;
        _cleanup_filter_ struct filter *f = NULL;
        _cleanup_error_ struct error err = ERROR_INIT;
        ASSERT_OK(json_parse(object, strlen(object), &o, NULL));
        if (filter_parse(text, &f, &err) < 0) {
                ASSERT_EQ(err.code, ERR_BAD_REQUEST);
                ASSERT_CONTAINS(err.message, "Invalid filter: ");
                return -1;
        }
        return filter_matches(f, o);
}

TEST(an_empty_filter_lets_everything_through)
{
        ASSERT_EQ(matches(NULL), 1);
        ASSERT_EQ(matches(""), 1);
        ASSERT_EQ(matches(" \t"), 1);
}

TEST(values_compare_without_case_and_as_expressions)
{
        ASSERT_EQ(matches("status eq running"), 1);
        ASSERT_EQ(matches("status eq run"), 0);
        ASSERT_EQ(matches("status eq run.*"), 1);
        ASSERT_EQ(matches("status eq ^run"), 1);
        ASSERT_EQ(matches("status eq ing$"), 1);
        ASSERT_EQ(matches("status ne stopped|running"), 0);
        ASSERT_EQ(matches("config.user.a eq ("), 1);
        ASSERT_EQ(matches("name eq \"my container\""), 1);
        ASSERT_EQ(matches("name eq \"my\""), 0);
        ASSERT_EQ(matches("status eq \"Running\""), 1);
}

TEST(other_types_compare_with_their_text)
{
        ASSERT_EQ(matches("ephemeral eq false"), 1);
        ASSERT_EQ(matches("size eq 42"), 1);
        ASSERT_EQ(matches("profiles eq web"), 1);
        ASSERT_EQ(matches("profiles ne web"), 0);
        ASSERT_EQ(matches("aliases.name eq bb"), 1);
        ASSERT_EQ(matches("none eq null"), 0);
        ASSERT_EQ(matches("config eq x"), 0);
}

TEST(dotted_fields_find_keys_that_hold_dots)
{
        ASSERT_EQ(matches("config.image.os eq ubuntu"), 1);
        ASSERT_EQ(matches("config.image.os eq nested"), 1);
        ASSERT_EQ(matches("config.image.x eq y"), 1);
        ASSERT_EQ(matches("devices.eth0.nictype eq bridged"), 1);
        ASSERT_EQ(matches("devices.my.disk.path eq /srv"), 1);
        ASSERT_EQ(matches("devices.my.disk. eq /srv"), 0);
        ASSERT_EQ(matches("nosuch eq 1"), 0);
        ASSERT_EQ(matches("nosuch ne 1"), 1);
        ASSERT_EQ(matches("Status eq running"), 0);
}

TEST(clauses_join_from_the_left)
{
        ASSERT_EQ(matches("status eq running and not size eq 41"), 1);
        ASSERT_EQ(matches("status eq running or size eq 42 and size eq 41"), 0);
        ASSERT_EQ(matches("size eq 41 and size eq 42 or status EQ running"), 1);
        ASSERT_EQ(matches("not status ne running"), 1);
}

TEST(bad_filters_say_what_is_wrong)
{
        static const char *const bad[] = { "status",        "status eq",
                                           "status is x",   "status eq x and",
                                           "status eq x y", "status eq x xor a eq b",
                                           "not",           "not not status eq x",
                                           "a eq \"b",      "a eq \"b\"c",
                                           "a eq b and not" };
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                ASSERT_EQ(matches(bad[i]), -1);
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        strbuf_adds(&b, "a eq b");
        for (int i = 0; i < 31; i++)
                strbuf_adds(&b, " or a eq b");
        ASSERT_EQ(matches(b.data), 0);
        strbuf_adds(&b, " or a eq b");
        ASSERT_EQ(matches(b.data), -1);
        ASSERT_EQ(matches("a eq ((x{99}){99}){99}"), -1);
}

static int search(const char *expression, const char *text, unsigned flags)
{
        _cleanup_pattern_ struct pattern *p = NULL;
        int r = pattern_new(expression, flags, &p);
        return r < 0 ? r : pattern_matches(p, text);
}

TEST(patterns_match_what_they_say)
{
        static const struct {
                const char *expression, *yes, *no;
        } cases[] = {
                { "abc", "abc", "ab" },
                { "a.c", "axc", "ac" },
                { "ab*c", "abbbc", "abb" },
                { "ab+c", "abc", "ac" },
                { "ab?c", "ac", "abbc" },
                { "a|b|cd", "cd", "c" },
                { "(a|b)*c", "ababc", "abd" },
                { "(?:ab){2}", "abab", "ab" },
                { "a{2,3}", "aaa", "aaaa" },
                { "a{2,}", "aaaaa", "a" },
                { "[a-c]x", "bx", "dx" },
                { "[^a-c]x", "dx", "bx" },
                { "[]a]", "]", "b" },
                { "[a-]", "-", "b" },
                { "\\d+", "123", "12a" },
                { "[\\w.]+", "a_1.", "a b" },
                { "\\.", ".", "a" },
                { "\\S", "a", " " },
                { "(a*)*b", "aab", "aa" },
                { "(a|)+b", "b", "c" },
                { "", "", "a" },
                { "a{0}b", "b", "ab" },
                { "(^a|b$)", "a", "c" },
                { "a|", "", "b" },
                { "web-[0-9]+", "web-12", "web-" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                ASSERT_EQ(search(cases[i].expression, cases[i].yes, PATTERN_WHOLE), 1);
                ASSERT_EQ(search(cases[i].expression, cases[i].no, PATTERN_WHOLE), 0);
        }
        ASSERT_EQ(search("b+", "aabb", 0), 1);
        ASSERT_EQ(search("^b", "ab", 0), 0);
        ASSERT_EQ(search("a$", "ab", 0), 0);
        ASSERT_EQ(search("[a-c]B", "Ab", PATTERN_CASE_BLIND), 1);
        ASSERT_EQ(search("[^a]", "A", PATTERN_CASE_BLIND), 0);
        ASSERT_EQ(search("x|y", "axb", PATTERN_WHOLE), 0);
}

TEST(patterns_that_are_none_or_too_much_are_refused)
{
        static const char *const bad[] = { "(",  ")",    "a)",     "[",   "[a",    "[b-a]",
                                           "*",  "+a",   "a|*",    "\\",  "\\b",   "(?=a)",
                                           "a{", "a{x}", "a{2,1}", "[\\", "{2}x|+" };
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                ASSERT_ERR(search(bad[i], "a", 0), -EINVAL);
        ASSERT_ERR(search("((a{99}){99}){99}", "a", 0), -E2BIG);
        ASSERT_ERR(search("a{256}", "a", 0), -E2BIG);
}

TEST(a_pattern_made_to_explode_does_not)
{
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        for (int i = 0; i < 2000; i++)
                strbuf_addc(&text, 'a');
        ASSERT_EQ(search("(a*)*(a|aa)+(a?){99}b", text.data, 0), 0);
}
