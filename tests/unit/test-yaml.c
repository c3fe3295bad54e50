/* SPDX-License-Identifier: Apache-2.0 */
/* links: lightc-lib */
#include "tests/lib/test.h"
#include "api/yaml.h"

static char *written(const char *json)
{
        _cleanup_json_ struct json_object *o = NULL;
        struct strbuf b = STRBUF_INIT;
        ASSERT_OK(json_parse(json, strlen(json), &o, NULL));
        ASSERT_OK(yaml_write(o, &b, NULL));
        return strbuf_take(&b);
}

TEST(objects_become_blocks_in_their_order)
{
        _cleanup_free_ char *text = written("{\"name\":\"c1\",\"config\":{\"limits.cpu\":\"2\"},\"profiles\":[\"default\"],"
                                            "\"ephemeral\":false,\"size\":-1}");
        ASSERT_STR(text, "name: c1\nconfig:\n  limits.cpu: \"2\"\nprofiles:\n- default\nephemeral: false\nsize: -1\n");
}

TEST(what_is_empty_or_null_is_written_in_one_line)
{
        _cleanup_free_ char *text = written("{\"devices\":{},\"used_by\":[],\"config\":null,\"backups\":null,\"bond\":null,"
                                            "\"description\":\"\"}");
        ASSERT_STR(text, "devices: {}\nused_by: []\nconfig: {}\nbackups: []\nbond: null\ndescription: \"\"\n");
}

TEST(a_string_that_looks_like_something_else_is_quoted)
{
        static const char *const quoted[] = { "1", "1.5", "1e3", "true", "yes", "null", "~", "0x1f", "1:30", "2026-01-02", "off",
                                              "y", ".inf", "-7" };
        static const char *const plain[] = { "c1", "127.0.0.1", "5.0.2", "0b860db0-1b78", "1GiB", "a b", "10.0.0.1/24",
                                             "00:16:3e:87:b7:49", "x86_64" };
        for (size_t i = 0; i < ARRAY_SIZE(quoted); i++) {
                _cleanup_json_ struct json_object *o = json_object_new_object();
                _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
                json_set_string(o, "k", quoted[i]);
                ASSERT_OK(yaml_write(o, &b, NULL));
                if (!strchr(strbuf_str(&b), '"'))
                        fail_msg("%s is not quoted: %s", quoted[i], strbuf_str(&b));
        }
        for (size_t i = 0; i < ARRAY_SIZE(plain); i++) {
                _cleanup_json_ struct json_object *o = json_object_new_object();
                _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
                json_set_string(o, "k", plain[i]);
                ASSERT_OK(yaml_write(o, &b, NULL));
                if (strpbrk(strbuf_str(&b), "\"'"))
                        fail_msg("%s is quoted: %s", plain[i], strbuf_str(&b));
        }
}

TEST(lines_are_kept_and_long_ones_are_not_folded)
{
        _cleanup_free_ char *text = written("{\"a\":\"l1\\nl2\",\"b\":\"word word word word word word word word word word word "
                                            "word word word word word word word word word word\"}");
        ASSERT_CONTAINS(text, "a: |-\n  l1\n  l2\n");
        ASSERT_CONTAINS(text, "b: word word word word word word word word word word word word word word");
}

TEST(a_time_stays_a_time)
{
        _cleanup_free_ char *text = written("{\"created_at\":\"2026-11-22T01:35:15.222867591Z\"}");
        ASSERT_STR(text, "created_at: 2026-11-22T01:35:15.222867591Z\n");
}

static void check_parse(const char *yaml, const char *want)
{
        static const char *const maps[] = { "config", "devices", NULL };
        _cleanup_error_ struct error err = ERROR_INIT;
        _cleanup_json_ struct json_object *o = NULL;
        if (yaml_parse(yaml, strlen(yaml), maps, &o, &err) < 0)
                fail_msg("%s: %s", yaml, error_message(&err));
        ASSERT_STR(o ? json_text(o) : "null", want);
}

TEST(yaml_becomes_typed_values_but_configuration_stays_text)
{
        check_parse("a: 1\nb: true\nc: x\nd: null\ne: 1.5\n", "{\"a\":1,\"b\":true,\"c\":\"x\",\"d\":null,\"e\":1.5}");
        check_parse("config:\n  limits.cpu: 2\n  security.nesting: true\n  user.empty:\n",
                    "{\"config\":{\"limits.cpu\":\"2\",\"security.nesting\":\"true\",\"user.empty\":\"\"}}");
}

TEST(what_was_written_is_read_back)
{
        static const char json[] = "{\"architecture\":\"x86_64\",\"config\":{\"user.a\":\"b: c\",\"user.n\":\"null\",\"user.l\":\"x\\ny\\n\"},"
                                   "\"devices\":{\"root\":{\"path\":\"/\",\"type\":\"disk\"}},\"ephemeral\":false,\"profiles\":[\"default\"],"
                                   "\"description\":\"# no comment\"}";
        _cleanup_free_ char *text = written(json);
        check_parse(text, json);
}

TEST(nothing_at_all_is_nothing)
{
        check_parse("", "null");
        check_parse("# only a comment\n", "null");
}

TEST(mistakes_name_their_line)
{
        static const struct {
                const char *yaml, *says;
        } cases[] = {
                { "a: 1\nb: [1,\n", "line 3" },
                { "a: &x 1\nb: *x\n", "aliases" },
                { "a: 1\n---\nb: 2\n", "one document" },
                { "? [a]\n: 1\n", "key" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_error_ struct error err = ERROR_INIT;
                struct json_object *o = NULL;
                ASSERT_TRUE(yaml_parse(cases[i].yaml, strlen(cases[i].yaml), NULL, &o, &err) < 0);
                ASSERT_CONTAINS(error_message(&err), cases[i].says);
                ASSERT_TRUE(o == NULL);
        }
}
