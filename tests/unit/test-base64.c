/* SPDX-License-Identifier: Apache-2.0 */
/* links: api */
#include "tests/lib/test.h"
#include "api/base64.h"
#include "api/sha1.h"

TEST(base64_goes_there_and_back)
{
        static const char *const pairs[][2] = { { "", "" },
                                                { "f", "Zg==" },
                                                { "fo", "Zm8=" },
                                                { "foo", "Zm9v" },
                                                { "foob", "Zm9vYg==" },
                                                { "fooba", "Zm9vYmE=" },
                                                { "foobar", "Zm9vYmFy" },
                                                { "\xff\xfe\xfb", "//77" } };
        for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
                _cleanup_strbuf_ struct strbuf text = STRBUF_INIT, back = STRBUF_INIT;
                base64_encode(&text, pairs[i][0], strlen(pairs[i][0]));
                ASSERT_STR(strbuf_str(&text), pairs[i][1]);
                ASSERT_OK(base64_decode(&back, strbuf_str(&text), text.len));
                ASSERT_STR(strbuf_str(&back), pairs[i][0]);
        }
}

TEST(base64_is_strict_and_leaves_the_buffer_alone_on_error)
{
        static const char *const bad[] = { "Z",    "Zg",       "Zg=",  "Zg=x", "Zh==",
                                           "Zm9=", "Zg==Zg==", "Zm 9", "====", "Z===" };
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        strbuf_adds(&b, "kept");
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                ASSERT_ERR(base64_decode(&b, bad[i], strlen(bad[i])), -EINVAL);
        ASSERT_ERR(base64_decode(&b, "Zm9v!m9v", 8), -EINVAL);
        ASSERT_STR(b.data, "kept");
}

static void expect_sha1(const char *text, size_t n, const char *want)
{
        uint8_t digest[SHA1_SIZE];
        _cleanup_strbuf_ struct strbuf hex = STRBUF_INIT;
        sha1(text, n, digest);
        for (size_t i = 0; i < sizeof digest; i++)
                strbuf_addf(&hex, "%02x", digest[i]);
        ASSERT_STR(hex.data, want);
}

TEST(sha1_knows_the_standards_examples)
{
        char million[1000];
        memset(million, 'a', sizeof million);
        expect_sha1("", 0, "da39a3ee5e6b4b0d3255bfef95601890afd80709");
        expect_sha1("abc", 3, "a9993e364706816aba3e25717850c26c9cd0d89d");
        expect_sha1("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
                    "84983e441c3bd26ebaae4aa1f95129e5e54670f1");
        expect_sha1(million, sizeof million, "291e9a6c66994949b57ba5e650361e98fc36b1ba");
}
