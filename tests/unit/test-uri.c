/* SPDX-License-Identifier: Apache-2.0 */
/* links: api */
#include "tests/lib/test.h"
#include "api/uri.h"

static const char *show(const char *target)
{
        static struct strbuf out;
        _cleanup_uri_ struct uri u = URI_INIT;
        _cleanup_error_ struct error err = ERROR_INIT;
        strbuf_clear(&out);
        if (uri_parse(target, &u, &err) < 0) {
                ASSERT_EQ(err.code, ERR_BAD_REQUEST);
                return "bad";
        }
        for (size_t i = 0; i < u.n_segments; i++)
                strbuf_addf(&out, "[%s]", u.segments[i]);
        strbuf_adds(&out, u.has_trailing_slash ? "/" : "");
        for (size_t i = 0; i < u.n_pairs; i++)
                strbuf_addf(&out, " %s=%s", u.pairs[i].key, u.pairs[i].value);
        return strbuf_str(&out);
}

TEST(a_target_is_cut_and_decoded_once)
{
        ASSERT_STR(show("/"), "");
        ASSERT_STR(show("/1.0"), "[1.0]");
        ASSERT_STR(show("/1.0/"), "[1.0]/");
        ASSERT_STR(show("/1.0/images/aliases/a%2Fb"), "[1.0][images][aliases][a/b]");
        ASSERT_STR(show("/1.0/images/aliases/a%252Fb"), "[1.0][images][aliases][a%2Fb]");
        ASSERT_STR(show("/1.0/x+y%20z"), "[1.0][x+y z]");
        ASSERT_STR(show("/%C3%a4"), "[\xc3\xa4]");
}

TEST(a_query_is_decoded_with_plus_as_space)
{
        ASSERT_STR(show("/1.0/instances?filter=status+eq+running&recursion=1"),
                   "[1.0][instances] filter=status eq running recursion=1");
        ASSERT_STR(show("/?path=etc%2Fhosts"), " path=etc/hosts");
        ASSERT_STR(show("/?filter=&a&&b=c=d&%61=x/y?z"), " filter= a= b=c=d a=x/y?z");
        ASSERT_STR(show("/?"), "");
        ASSERT_STR(show("/a/?b=1"), "[a]/ b=1");
}

TEST(the_first_value_of_a_key_counts)
{
        _cleanup_uri_ struct uri u = URI_INIT;
        ASSERT_OK(uri_parse("/1.0?a=1&a=2&b", &u, NULL));
        ASSERT_STR(uri_query(&u, "a"), "1");
        ASSERT_STR(uri_query(&u, "b"), "");
        ASSERT_TRUE(uri_query(&u, "c") == NULL);
}

TEST(bad_targets_are_refused)
{
        static const char *const bad[] = {
                "",       "*",       "1.0",   "http://x/1.0",
                "//",     "/1.0//x", "/..",   "/1.0/%2e%2E/x",
                "/./x",   "/%2",     "/%",    "/%zz",
                "/%00",   "/a%0a",   "/a%7f", "/?a=%",
                "/?%0=1", "/?a=%00", "/a#b",  "/1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17",
        };
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                ASSERT_STR(show(bad[i]), "bad");
}

TEST(a_query_has_at_most_64_parameters)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        strbuf_adds(&b, "/");
        for (int i = 0; i < 64; i++)
                uri_add_query(&b, "k", "v");
        ASSERT_CONTAINS(show(b.data), "k=v");
        uri_add_query(&b, "k", "v");
        ASSERT_STR(show(b.data), "bad");
}

TEST(what_is_encoded_decodes_to_itself)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        strbuf_adds(&b, "/1.0");
        ASSERT_OK(uri_add_segment(&b, "a/b %+?#\xc3\xa4~"));
        ASSERT_ERR(uri_add_segment(&b, ".."), -EINVAL);
        ASSERT_ERR(uri_add_segment(&b, ""), -EINVAL);
        uri_add_query(&b, "project", "a&b=c d");
        uri_add_query(&b, "x", "1+1");
        ASSERT_STR(b.data, "/1.0/a%2Fb%20%25%2B%3F%23%C3%A4~?project=a%26b%3Dc%20d&x=1%2B1");
        ASSERT_STR(show(b.data), "[1.0][a/b %+?#\xc3\xa4~] project=a&b=c d x=1+1");
}
