/* SPDX-License-Identifier: Apache-2.0 */
/* links: unpack */
#include "base/alloc.h"
#include "images/worker/archive.h"
#include "images/worker/build-apt.h"
#include "images/worker/build-sources.h"
#include "images/worker/metadata.h"
#include "images/worker/squashfs.h"
#include "images/worker/text.h"
#include "tests/lib/test.h"

static char *yaml(const char *text)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        _cleanup_json_ struct json_object *o = NULL;
        int r = metadata_from_yaml(text, strlen(text), &o, &err);
        return xstrdup(r < 0 ? error_message(&err) : json_text(o));
}

TEST(yaml_becomes_json_with_properties_as_text)
{
        _cleanup_free_ char *got = yaml(
                "architecture: x86_64\ncreation_date: 1700000000\nexpiry_date: -1\n"
                "properties:\n  release: 22.10\n  serial: 20240101\n  on: true\n  none:\n"
                "templates:\n  /etc/hostname: {when: [create, copy], create_only: false, template: h.tpl,\n"
                "    properties: {default: 08}}\n");
        ASSERT_STR(got,
                   "{\"architecture\":\"x86_64\",\"creation_date\":1700000000,\"expiry_date\":-1,"
                   "\"properties\":{\"release\":\"22.10\",\"serial\":\"20240101\",\"on\":\"true\",\"none\":"
                   "\"\"},"
                   "\"templates\":{\"/etc/hostname\":{\"when\":[\"create\",\"copy\"],\"create_only\":false,"
                   "\"template\":\"h.tpl\",\"properties\":{\"default\":\"08\"}}}}");
}

TEST(yaml_that_does_more_than_describe_is_refused)
{
        static const struct {
                const char *text, *says;
        } rows[] = {
                { "", "it is empty" },
                { "- a\n", "it is not a mapping" },
                { "a: &x [1]\nb: *x\n", "anchors and tags" },
                { "a: !!binary xx\n", "anchors and tags" },
                { "a: *x\n", "alias" },
                { "a: 1\n---\nb: 2\n", "more than one document" },
                { "a: 1\na: 2\n", "twice" },
                { "[a]: 1\n", "a key is not a word" },
                { "a: [[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]\n", "nested too deeply" },
                { "a: \"\\xff\\0\"\n", "not text" },
                { "a: \xff\n", "not UTF-8" },
                { "a: [\n", "metadata.yaml is refused" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_free_ char *got = yaml(rows[i].text);
                ASSERT_CONTAINS(got, rows[i].says);
        }
}

static void check_says(const char *text, const char *says)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        _cleanup_json_ struct json_object *o = NULL;
        ASSERT_OK(metadata_from_yaml(text, strlen(text), &o, &err));
        ASSERT_ERR(metadata_check(o, &err), -EINVAL);
        ASSERT_CONTAINS(error_message(&err), says);
}

TEST(metadata_has_the_shape_the_rest_relies_on)
{
        check_says("a: 1", "names no architecture");
        check_says("architecture: x86_64", "no creation_date");
        check_says("architecture: x86_64\ncreation_date: 1\nproperties: [1]", "\"properties\"");
        check_says("architecture: x86_64\ncreation_date: 1\ntemplates: {etc: {template: a}}", "not absolute");
        check_says("architecture: x86_64\ncreation_date: 1\ntemplates: {/etc/x: {template: ../a}}",
                   "does not name a file");
        check_says("architecture: x86_64\ncreation_date: 1\ntemplates: {/etc/x: 1}", "does not name a file");
}

TEST(entry_names_have_one_form_or_none)
{
        static const struct {
                const char *name, *clean, *says;
        } rows[] = {
                { "./a//b/./c/", "a/b/c", NULL },
                { "./", "", NULL },
                { "a..b/...", "a..b/...", NULL },
                { "/etc/passwd", NULL, "absolute" },
                { "a/../b", NULL, "\"..\"" },
                { "..", NULL, "\"..\"" },
                { "", NULL, "without a readable name" },
                { NULL, NULL, "without a readable name" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_error_ struct error err = ERROR_INIT;
                _cleanup_free_ char *clean = NULL;
                int r = archive_clean_name(rows[i].name, &clean, &err);
                ASSERT_EQ(r, rows[i].clean ? 0 : -EINVAL);
                ASSERT_STR(clean, rows[i].clean);
                if (rows[i].says)
                        ASSERT_CONTAINS(error_message(&err), rows[i].says);
        }
}

TEST(long_and_deep_names_are_refused)
{
        _cleanup_free_ char *name = xcalloc(1, 5001), *clean = NULL;
        memset(name, 'a', 256);
        ASSERT_ERR(archive_clean_name(name, &clean, NULL), -EINVAL);
        for (int i = 0; i < 2000; i++)
                name[i] = i % 2 ? '/' : 'a';
        ASSERT_ERR(archive_clean_name(name, &clean, NULL), -EINVAL);
        memset(name, 'a', 5000);
        ASSERT_ERR(archive_clean_name(name, &clean, NULL), -EINVAL);
}

TEST(utf8_is_strict)
{
        ASSERT_TRUE(text_is_utf8("aé€😀", strlen("aé€😀")));
        ASSERT_FALSE(text_is_utf8("\xc0\x80", 2));
        ASSERT_FALSE(text_is_utf8("\xed\xa0\x80", 3));
        ASSERT_FALSE(text_is_utf8("\xf4\x90\x80\x80", 4));
        ASSERT_FALSE(text_is_utf8("\xe2\x82", 2));
        ASSERT_FALSE(text_is_utf8("a\0b", 3));
}

TEST(squashfs_headers_are_judged)
{
        unsigned char h[SQUASHFS_HEADER_SIZE] = "hsqs";
        struct squashfs_header header;
        h[4] = 7;   /* inodes */
        h[20] = 6;  /* zstd */
        h[28] = 4;  /* version */
        h[41] = 16; /* 4096 bytes used */
        ASSERT_OK(squashfs_parse_header(h, sizeof h, 4096, &header, NULL));
        ASSERT_EQ(header.inodes, 7);
        ASSERT_EQ(header.bytes_used, 4096);
        ASSERT_ERR(squashfs_parse_header(h, sizeof h, 4095, &header, NULL), -EINVAL);
        ASSERT_ERR(squashfs_parse_header(h, 95, 4096, &header, NULL), -EINVAL);
        h[20] = 9;
        ASSERT_ERR(squashfs_parse_header(h, sizeof h, 4096, &header, NULL), -ENOTSUP);
        h[20] = 1;
        h[7] = 0xff;
        ASSERT_ERR(squashfs_parse_header(h, sizeof h, 4096, &header, NULL), -EFBIG);
}

TEST(squashfs_listings_are_counted)
{
        struct squashfs_listed e;
        ASSERT_TRUE(squashfs_parse_listing(
                "-rwsr-xr-x 0/0               59704 2024-01-01 00:00 squashfs-root/bin/su", &e));
        ASSERT_EQ(e.size, 59704);
        ASSERT_TRUE(squashfs_parse_listing(
                "crw-rw-rw- 0/0                   1,  3 2024-01-01 00:00 squashfs-root/dev/null", &e));
        ASSERT_EQ(e.type, 'c');
        ASSERT_FALSE(squashfs_parse_listing("Parallel unsquashfs: Using 2 processors", &e));
        ASSERT_FALSE(squashfs_parse_listing("-rw-r--r--", &e));
        ASSERT_FALSE(
                squashfs_parse_listing("-rw-r--r-- 0/0 99999999999999999999999999999999999999999 x", &e));
}

static char *sources(const char *text, bool is_list, const char *release)
{
        struct strbuf out = STRBUF_INIT;
        if (is_list)
                build_sources_from_list(text, build_release_find(release), &out);
        else
                build_sources_from_deb822(text, build_release_find(release), &out);
        return out.len ? strbuf_take(&out) : xstrdup("");
}

TEST(the_hosts_sources_become_those_of_another_release)
{
        _cleanup_free_ char *a = sources(
                "# a comment\nTypes: deb deb-src\nURIs: http://m.test/debian\n"
                "Suites: bookworm bookworm-updates\nComponents: main contrib\nSigned-By: /usr/k.gpg\n\n"
                "Types: deb\nURIs: http://x.test/node\nSuites: nodistro\nComponents: main\n\n"
                "Types: deb\nEnabled: no\nURIs: http://m.test/d\nSuites: bookworm\nComponents: main\n",
                false, "13");
        ASSERT_STR(a, "deb [signed-by=/usr/k.gpg] http://m.test/debian trixie main\n"
                      "deb [signed-by=/usr/k.gpg] http://m.test/debian trixie-updates main\n");
        _cleanup_free_ char *b = sources(
                "deb http://m.test/debian bookworm main non-free\n"
                "deb [arch=amd64 signed-by=/k.gpg] http://s.test bookworm-security main\n"
                "deb-src http://m.test/debian bookworm main\n#deb http://c.test bookworm main\n"
                "deb http://m.test/debian bookworm-backports main\ndeb cdrom:[Debian] bookworm main\n",
                true, "bookworm");
        ASSERT_STR(b, "deb http://m.test/debian bookworm main\ndeb [signed-by=/k.gpg] http://s.test "
                      "bookworm-security main\n");
}

TEST(package_names_are_names)
{
        static const char *const bad[] = { "",   "a",   "-y", "--foo", "a b", "a,b",
                                           "A1", "a/b", "+a", "a;b",   "a=1", "a\n" };
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                ASSERT_ERR(build_package_check(bad[i], NULL), -EINVAL);
        ASSERT_OK(build_package_check("g++", NULL));
        ASSERT_OK(build_package_check("libc6.1-dev", NULL));
}

static void failure_says(const char *const *lines, enum error_code code, const char *says)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct build_watch w = { 0 };
        for (; *lines; lines++)
                build_watch_line(&w, *lines);
        build_watch_failed(&w, "bookworm", &err);
        build_watch_done(&w);
        ASSERT_EQ(err.code, code);
        ASSERT_CONTAINS(error_message(&err), says);
}

TEST(a_builds_failure_is_one_sentence)
{
        failure_says((const char *const[]){ "Err:1 http://m.test bookworm InRelease",
                                            "  Temporary failure resolving 'm.test'",
                                            "E: apt-get update failed", NULL },
                     ERR_UNAVAILABLE, "mirror cannot be reached");
        failure_says(
                (const char *const[]){ "E: Unable to locate package nonsense", "E: apt-get failed", NULL },
                ERR_NOT_FOUND, "there is no package \"nonsense\" in it");
        failure_says((const char *const[]){ "E: Package 'gone' has no installation candidate", NULL },
                     ERR_NOT_FOUND, "there is no package \"gone\" in it");
        failure_says((const char *const[]){ "E: The repository 'http://m.test/debian bookworm-updates Release' does not have "
                                            "a Release file.", NULL },
                     ERR_NOT_FOUND, "the mirror \"http://m.test/debian\" does not carry \"bookworm-updates\"");
        failure_says((const char *const[]){ "dpkg: error processing archive x: No space left on device",
                                            "E: run_chroot", NULL },
                     ERR_NO_SPACE, "No space left");
        failure_says((const char *const[]){ "I: fine", NULL }, ERR_INTERNAL, "without saying why");
}

TEST(a_builds_stages_are_recognised)
{
        struct build_watch w = { 0 };
        build_watch_line(&w, "I: downloading packages with apt...");
        build_watch_line(&w, "0 upgraded, 4 newly installed, 0 to remove and 0 not upgraded.");
        build_watch_line(&w, "Get:1 http://m.test x");
        ASSERT_EQ(w.stage, BUILD_DOWNLOAD);
        ASSERT_EQ(build_watch_percent(&w), 25);
        build_watch_done(&w);
}
