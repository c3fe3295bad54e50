/* SPDX-License-Identifier: Apache-2.0 */
/* links: unpack */
#include "base/alloc.h"
#include "images/worker/multipart.h"
#include "tests/lib/test.h"

static const char type[] = "multipart/form-data; boundary=XX";

/* "name/filename=data;" for each part */
static int on_begin(void *ctx, const char *name, const char *filename, struct error *err _unused_)
{
        strbuf_addf(ctx, "%s/%s=", name, filename);
        return 0;
}
static int on_data(void *ctx, const void *data, size_t n, struct error *err _unused_)
{
        strbuf_add(ctx, data, n);
        return 0;
}
static int on_end(void *ctx, struct error *err _unused_)
{
        strbuf_addc(ctx, ';');
        return 0;
}
static const struct multipart_events events = { on_begin, on_data, on_end };

/* Feeds text in pieces of the given size; what came out, or the error's sentence. */
static char *parse(const char *text, size_t piece)
{
        struct strbuf out = STRBUF_INIT;
        _cleanup_error_ struct error err = ERROR_INIT;
        struct multipart m;
        int r = multipart_init(&m, type, &events, &out, &err);
        for (size_t n = strlen(text), i = 0; r == 0 && i < n; i += piece)
                r = multipart_feed(&m, text + i, MIN(piece, n - i), &err);
        if (r == 0)
                r = multipart_finish(&m, &err);
        multipart_done(&m);
        if (r == 0)
                return strbuf_take(&out);
        strbuf_done(&out);
        return xstrdup(error_message(&err));
}

static const char two_parts[] =
        "--XX\r\n"
        "Content-Disposition: form-data; name=\"metadata\"; filename=\"a b.tar.xz\"\r\n"
        "Content-Type: application/octet-stream\r\n"
        "\r\n"
        "one\r\n--X\r\n-two\r\n"
        "--XX\r\n"
        "content-disposition:form-data;name=rootfs\r\n"
        "\r\n"
        "\r\n"
        "--XX--\r\nepilogue";

TEST(parts_come_out_whole_whatever_the_pieces)
{
        for (size_t piece = 1; piece < sizeof two_parts; piece++) {
                _cleanup_free_ char *got = parse(two_parts, piece);
                ASSERT_STR(got, "metadata/a b.tar.xz=one\r\n--X\r\n-two;rootfs/=;");
        }
}

TEST(a_preamble_and_spaces_behind_a_delimiter_are_allowed)
{
        _cleanup_free_ char *got =
                parse("ignored\r\n--XX  \t\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--XX--", 3);
        ASSERT_STR(got, "a/=x;");
}

TEST(broken_uploads_are_told_apart)
{
        static const struct {
                const char *text, *says;
        } rows[] = {
                { "", "ends before its closing delimiter" },
                { "--XX\r\nContent-Disposition: form-data; name=a\r\n\r\nx",
                  "ends before its closing delimiter" },
                { "--XX\r\n\r\nx\r\n--XX--", "a part has no name" },
                { "--XX\r\nContent-Disposition: form-data\r\n\r\nx\r\n--XX--", "a part has no name" },
                { "--XX\r\nContent-Disposition: attachment; name=a\r\n\r\nx\r\n--XX--", "not form-data" },
                { "--XXY\r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--XX--",
                  "does not end its line" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_free_ char *got = parse(rows[i].text, 4);
                ASSERT_CONTAINS(got, rows[i].says);
        }
}

TEST(an_endless_header_is_refused)
{
        struct strbuf b = STRBUF_INIT;
        strbuf_adds(&b, "--XX\r\n");
        for (int i = 0; i < 20000; i++)
                strbuf_addc(&b, 'h');
        _cleanup_free_ char *got = parse(b.data, 1000);
        ASSERT_CONTAINS(got, "header is too long");
        strbuf_done(&b);
}

TEST(boundaries_are_checked)
{
        static const char *const bad[] = {
                "multipart/form-data",
                "multipart/form-data; boundary=", "multipart/form-data; boundary=\"a\x01\"",
                "multipart/form-data; boundary="
                "0123456789012345678901234567890123456789012345678901234567890123456789x"
        };
        struct multipart m;
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
                ASSERT_ERR(multipart_init(&m, bad[i], &events, NULL, NULL), -EINVAL);
                multipart_done(&m);
        }
        ASSERT_TRUE(multipart_is_type("Multipart/Form-Data; boundary=x"));
        ASSERT_FALSE(multipart_is_type("multipart/form-datax"));
}

TEST(parameters_are_unquoted)
{
        _cleanup_free_ char *a = multipart_parameter("form-data; name=\"a\\\"b;c\"; filename=plain", "name");
        _cleanup_free_ char *b =
                multipart_parameter("form-data; name=\"a;filename=no\" ; FileName = plain ", "filename");
        ASSERT_STR(a, "a\"b;c");
        ASSERT_STR(b, "plain");
        ASSERT_TRUE(multipart_parameter("form-data; names=x; =y;;", "name") == NULL);
}
