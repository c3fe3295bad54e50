/* SPDX-License-Identifier: Apache-2.0 */
/* links: testdaemon images projects */
#include "tests/lib/daemon.h"
#include "base/alloc.h"
#include "base/strbuf.h"
#include "images/images.h"
#include "projects/projects.h"
#include "server/operation.h"

#define FP_A "aaaa000000000000000000000000000000000000000000000000000000000001"
#define FP_B "aabb000000000000000000000000000000000000000000000000000000000002"

#define RECEIVED(fp, files) "{\"fingerprint\":\"" fp "\",\"size\":1234,\"files\":[" files "]}"
#define META "{\"name\":\"meta\",\"size\":1000,\"filename\":\"\"}"
#define ROOTFS "{\"name\":\"rootfs\",\"size\":234,\"filename\":\"disk.squashfs\"}"
#define INSPECTED                                                                                            \
        "{\"architecture\":\"amd64\",\"layout\":\"unified\",\"rootfs_format\":\"tar\",\"metadata\":{"        \
        "\"architecture\":\"amd64\",\"creation_date\":1700000000,\"properties\":{\"os\":\"Test\",\"release\":\"1\"}," \
        "\"templates\":{\"/etc/hostname\":{\"when\":[\"create\"],\"template\":\"hostname.tpl\"}}},"          \
        "\"templates\":{\"hostname.tpl\":\"{{ container.name }}\"}}"


static void operations_register(struct server *s)
{
        router_add(s, operation_routes);
}

static struct test_daemon *start(void)
{
        struct test_daemon *d =
                test_daemon_new((family_fn *[]){ projects_register, operations_register, images_register, NULL });
        test_daemon_put(d, projects_first_start);
        return d;
}

static const char *const plain[] = { "content-type", "application/octet-stream", "x-lxd-filename", "a.tar.xz", NULL };

/* Waits for the end of the operation the last answer names. */
static const char *end_of_operation(struct test_daemon *d)
{
        _cleanup_free_ char *wait = xasprintf("%s/wait", d->location);
        ASSERT_EQ(d->status, 202);
        ASSERT_EQ(api_get(d, wait), 200);
        return api_string(d, "metadata/status");
}

static struct test_daemon *start_with_image(void)
{
        struct test_daemon *d = start();
        test_job_answers(d, "image-receive", RECEIVED(FP_A, META));
        test_job_answers(d, "image-inspect", INSPECTED);
        test_job_answers(d, "image-commit", "{\"meta_ext\":\".tar.xz\",\"meta_size\":1234}");
        ASSERT_EQ(api_upload(d, "/1.0/images", plain, 0), 202);
        ASSERT_STR(end_of_operation(d), "Success");
        return d;
}

TEST(an_upload_becomes_an_image)
{
        struct test_daemon *d = start_with_image();
        ASSERT_STR(api_string(d, "metadata/metadata/fingerprint"), FP_A);
        ASSERT_STR(api_string(d, "metadata/metadata/size"), "1234");
        ASSERT_STR(api_string(d, "metadata/description"), "Downloading image");
        ASSERT_STR(strbuf_str(&d->jobs), "image-begin image-receive image-inspect image-commit ");
        ASSERT_EQ(api_get(d, "/1.0/images/aaaa"), 200);
        ASSERT_STR(api_string(d, "metadata/architecture"), "x86_64");
        ASSERT_STR(api_string(d, "metadata/filename"), "a.tar.xz");
        ASSERT_STR(api_string(d, "metadata/created_at"), "2023-11-14T22:13:20Z");
        ASSERT_STR(api_string(d, "metadata/expires_at"), "0001-01-01T00:00:00Z");
        ASSERT_STR(api_string(d, "metadata/last_used_at"), "0001-01-01T00:00:00Z");
        ASSERT_STR(api_string(d, "metadata/properties/os"), "Test");
        ASSERT_STR(api_string(d, "metadata/profiles"), "[\"default\"]");
        ASSERT_STR(api_string(d, "metadata/aliases"), "[]");
        ASSERT_STR(api_string(d, "metadata/type"), "container");
        ASSERT_TRUE(api_string(d, "metadata/templates") == NULL);
        ASSERT_TRUE(d->etag != NULL);
        test_daemon_free(d);
}

TEST(templates_are_stored_with_their_text)
{
        struct test_daemon *d = start_with_image();
        const struct image *image = object_find(d->server, &image_kind, "default", FP_A)->body;
        struct json_object *t = json_get_object(image->templates, "/etc/hostname");
        ASSERT_STR(json_get_string(t, "text", ""), "{{ container.name }}");
        ASSERT_STR(json_text(json_get_array(t, "when")), "[\"create\"]");
        ASSERT_STR(image->layout, "unified");
        ASSERT_TRUE(image->may_mount_squashfs);
        test_daemon_free(d);
}

TEST(what_an_upload_says_in_headers_wins)
{
        static const char *const headers[] = { "content-type", "application/octet-stream",
                                               "x-lxd-public", "true",
                                               "x-lxd-properties", "os=Mine&a%20b=c%26d",
                                               "x-lxd-profiles", "profile=p1&profile=p2",
                                               "x-lxd-aliases", "alias=one&alias=t%2Fwo",
                                               "x-lxd-fingerprint", FP_A,
                                               NULL };
        struct test_daemon *d = start();
        test_job_answers(d, "image-receive", RECEIVED(FP_A, META));
        test_job_answers(d, "image-inspect", INSPECTED);
        test_job_answers(d, "image-commit", "{\"meta_ext\":\".tar.xz\",\"meta_size\":1234}");
        ASSERT_EQ(api_upload(d, "/1.0/images", headers, 0), 202);
        ASSERT_STR(end_of_operation(d), "Success");
        ASSERT_EQ(api_get(d, "/1.0/images?recursion=1"), 200);
        ASSERT_STR(api_string(d, "metadata/0/public"), "true");
        ASSERT_STR(api_string(d, "metadata/0/properties/os"), "Mine");
        ASSERT_STR(api_string(d, "metadata/0/properties/release"), "1");
        ASSERT_STR(api_string(d, "metadata/0/properties/a b"), "c&d");
        ASSERT_STR(api_string(d, "metadata/0/profiles"), "[\"p1\",\"p2\"]");
        ASSERT_STR(api_string(d, "metadata/0/aliases/1/name"), "t/wo");
        ASSERT_EQ(api_get(d, "/1.0/images/aliases"), 200);
        ASSERT_STR(api_string(d, "metadata/1"), "/1.0/images/aliases/t%2Fwo");
        test_daemon_free(d);
}

TEST(headers_that_say_nonsense_are_refused_before_a_byte_is_read)
{
        static const struct {
                const char *name, *value;
                int status;
        } rows[] = {
                { "x-lxd-fingerprint", "xyz", 400 },        { "x-lxd-fingerprint", "abcd", 400 },
                { "x-lxd-public", "perhaps", 400 },         { "x-lxd-filename", "../../etc/passwd", 400 },
                { "x-lxd-properties", "a=%zz", 400 },       { "x-lxd-properties", "=x", 400 },
                { "x-lxd-profiles", "profile=-x", 400 },    { "x-lxd-secret", "s", 501 },
        };
        struct test_daemon *d = start();
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const char *headers[] = { "content-type", "application/octet-stream", rows[i].name, rows[i].value, NULL };
                ASSERT_EQ(api_upload(d, "/1.0/images", headers, 0), rows[i].status);
        }
        ASSERT_STR(strbuf_str(&d->jobs), "");
        test_daemon_free(d);
}

TEST(another_fingerprint_than_the_one_expected_leaves_nothing)
{
        static const char *const headers[] = { "content-type", "application/octet-stream", "x-lxd-fingerprint", FP_B, NULL };
        struct test_daemon *d = start();
        test_job_answers(d, "image-receive", RECEIVED(FP_A, META));
        ASSERT_EQ(api_upload(d, "/1.0/images", headers, 0), 202);
        ASSERT_STR(end_of_operation(d), "Failure");
        ASSERT_CONTAINS(api_string(d, "metadata/err"), "expected \"" FP_B "\"");
        ASSERT_STR(strbuf_str(&d->jobs), "image-begin image-receive image-remove ");
        ASSERT_EQ(api_get(d, "/1.0/images"), 200);
        ASSERT_STR(api_string(d, "metadata"), "[]");
        test_daemon_free(d);
}

TEST(the_same_image_twice_is_refused)
{
        struct test_daemon *d = start_with_image();
        ASSERT_EQ(api_upload(d, "/1.0/images", plain, 0), 202);
        ASSERT_STR(end_of_operation(d), "Failure");
        ASSERT_STR(api_string(d, "metadata/err"), "Image with same fingerprint already exists");
        ASSERT_EQ(api_get(d, "/1.0/images/" FP_A), 200);
        test_daemon_free(d);
}

TEST(a_broken_upload_removes_its_spool)
{
        struct test_daemon *d = start();
        test_job_answers(d, "image-receive", RECEIVED(FP_A, META));
        ASSERT_EQ(api_upload(d, "/1.0/images", plain, -ECONNRESET), 400);
        ASSERT_CONTAINS(api_string(d, "error"), "broken off");
        ASSERT_STR(strbuf_str(&d->jobs), "image-begin image-receive image-remove ");
        ASSERT_CONTAINS(json_text(d->job_args), "/images/spool/");
        test_daemon_free(d);
}

TEST(what_the_worker_refuses_is_said)
{
        struct test_daemon *d = start();
        test_job_fails(d, "image-receive", ERR_NO_SPACE);
        ASSERT_EQ(api_upload(d, "/1.0/images", plain, -EPIPE), 507);
        ASSERT_STR(api_string(d, "error"), "image-receive failed");
        test_job_answers(d, "image-receive", RECEIVED(FP_A, META));
        test_job_fails(d, "image-inspect", ERR_BAD_REQUEST);
        ASSERT_EQ(api_upload(d, "/1.0/images", plain, 0), 202);
        ASSERT_STR(end_of_operation(d), "Failure");
        ASSERT_STR(api_string(d, "metadata/err"), "image-inspect failed");
        test_daemon_free(d);
}

TEST(an_alias_that_is_taken_takes_the_files_back)
{
        static const char *const headers[] = { "content-type", "application/octet-stream", "x-lxd-aliases", "alias=x", NULL };
        struct test_daemon *d = start_with_image();
        ASSERT_EQ(api_post(d, "/1.0/images/aliases", "{\"name\":\"x\",\"target\":\"" FP_A "\"}"), 201);
        test_job_answers(d, "image-receive", RECEIVED(FP_B, META));
        ASSERT_EQ(api_upload(d, "/1.0/images", headers, 0), 202);
        ASSERT_STR(end_of_operation(d), "Failure");
        ASSERT_STR(api_string(d, "metadata/err"), "Image alias \"x\" already exists");
        ASSERT_CONTAINS(strbuf_str(&d->jobs), "image-commit image-remove image-remove ");
        ASSERT_EQ(api_get(d, "/1.0/images/aabb"), 404);
        test_daemon_free(d);
}

static struct test_daemon *start_with_two(void)
{
        static const char *const split[] = { "content-type", "multipart/form-data; boundary=x", NULL };
        struct test_daemon *d = start_with_image();
        test_job_answers(d, "image-receive", RECEIVED(FP_B, META "," ROOTFS));
        test_job_answers(d, "image-commit", "{\"meta_ext\":\".tar.xz\",\"meta_size\":1000,\"rootfs_ext\":\".squashfs\","
                                            "\"rootfs_size\":234}");
        ASSERT_EQ(api_upload(d, "/1.0/images", split, 0), 202);
        ASSERT_STR(end_of_operation(d), "Success");
        return d;
}

TEST(a_split_image_has_two_files)
{
        struct test_daemon *d = start_with_two();
        struct object *o = object_find(d->server, &image_kind, "default", FP_B);
        _cleanup_free_ char *meta = image_meta_path(d->server, o), *rootfs = image_rootfs_path(d->server, o);
        ASSERT_STR(meta, "/var/lib/lightd-test/images/" FP_B);
        ASSERT_STR(rootfs, "/var/lib/lightd-test/images/" FP_B ".rootfs");
        ASSERT_STR(((const struct image *)o->body)->filename, "disk.squashfs");
        o = object_find(d->server, &image_kind, "default", FP_A);
        ASSERT_TRUE(image_rootfs_path(d->server, o) == NULL);
        test_daemon_free(d);
}

TEST(a_fingerprint_may_be_shortened_while_it_is_one_image)
{
        struct test_daemon *d = start_with_two();
        ASSERT_EQ(api_get(d, "/1.0/images/aaa"), 200);
        ASSERT_EQ(api_get(d, "/1.0/images/aab"), 200);
        ASSERT_EQ(api_get(d, "/1.0/images/a"), 400);
        ASSERT_CONTAINS(api_string(d, "error"), "more than one image");
        ASSERT_EQ(api_get(d, "/1.0/images/b"), 404);
        ASSERT_EQ(api_get(d, "/1.0/images/nothing"), 404);
        ASSERT_EQ(api_get(d, "/1.0/images/aaa?project=other"), 404);
        test_daemon_free(d);
}

TEST(lists_are_filtered)
{
        struct test_daemon *d = start_with_two();
        ASSERT_EQ(api_get(d, "/1.0/images"), 200);
        ASSERT_STR(api_string(d, "metadata/1"), "/1.0/images/" FP_B);
        ASSERT_EQ(api_get(d, "/1.0/images?filter="), 200);
        ASSERT_STR(api_string(d, "metadata/0"), "/1.0/images/" FP_A);
        ASSERT_EQ(api_get(d, "/1.0/images?recursion=1&filter=filename+eq+disk.squashfs"), 200);
        ASSERT_STR(api_string(d, "metadata/0/fingerprint"), FP_B);
        ASSERT_TRUE(api_string(d, "metadata/1") == NULL);
        test_daemon_free(d);
}

TEST(what_may_be_changed_changes)
{
        struct test_daemon *d = start_with_image();
        ASSERT_EQ(api_put(d, "/1.0/images/aaaa", "{\"public\":true,\"properties\":{\"a\":\"b\"},\"fingerprint\":\"x\"}"), 200);
        ASSERT_EQ(api_get(d, "/1.0/images/aaaa"), 200);
        ASSERT_STR(api_string(d, "metadata/properties"), "{\"a\":\"b\"}");
        ASSERT_STR(api_string(d, "metadata/public"), "true");
        ASSERT_STR(api_string(d, "metadata/fingerprint"), FP_A);
        ASSERT_STR(api_string(d, "metadata/profiles"), "[\"default\"]");
        ASSERT_EQ(api_patch(d, "/1.0/images/aaaa", "{\"properties\":{\"c\":\"d\"}}"), 200);
        ASSERT_EQ(api_get(d, "/1.0/images/aaaa"), 200);
        ASSERT_STR(api_string(d, "metadata/properties"), "{\"a\":\"b\",\"c\":\"d\"}");
        ASSERT_EQ(api_request(d, "PUT", "/1.0/images/aaaa", "{}", "r1"), 412);
        ASSERT_EQ(api_put(d, "/1.0/images/aaaa", "{\"auto_update\":true}"), 501);
        ASSERT_EQ(api_put(d, "/1.0/images/aaaa", "{\"properties\":{\"\":\"d\"}}"), 400);
        test_daemon_free(d);
}

TEST(an_image_takes_its_aliases_with_it)
{
        struct test_daemon *d = start_with_two();
        ASSERT_EQ(api_post(d, "/1.0/images/aliases", "{\"name\":\"one\",\"target\":\"" FP_A "\"}"), 201);
        ASSERT_EQ(api_post(d, "/1.0/images/aliases", "{\"name\":\"two\",\"target\":\"aabb\"}"), 201);
        ASSERT_EQ(api_delete(d, "/1.0/images/aaaa"), 202);
        ASSERT_STR(api_string(d, "metadata/resources/images/0"), "/1.0/images/" FP_A);
        ASSERT_STR(end_of_operation(d), "Success");
        ASSERT_EQ(api_get(d, "/1.0/images/aliases/one"), 404);
        ASSERT_EQ(api_get(d, "/1.0/images/aaaa"), 404);
        ASSERT_EQ(api_get(d, "/1.0/images/aliases/two"), 200);
        ASSERT_STR(api_string(d, "metadata/target"), FP_B);
        ASSERT_EQ(api_delete(d, "/1.0/images/aaaa"), 404);
        test_daemon_free(d);
}

/* The second one meets the commit of the first in flight, whichever is first. */
TEST(an_alias_made_while_its_image_is_deleted_does_not_dangle)
{
        struct test_daemon *d = start_with_image();
        int made, gone;
        api_send(d, "POST", "/1.0/images/aliases", "{\"name\":\"one\",\"target\":\"aaaa\"}", &made);
        ASSERT_EQ(api_delete(d, "/1.0/images/aaaa"), 202);
        ASSERT_STR(end_of_operation(d), "Success");
        ASSERT_EQ(made, 201);
        ASSERT_EQ(api_get(d, "/1.0/images/aliases"), 200);
        ASSERT_STR(api_string(d, "metadata"), "[]");
        test_daemon_free(d);

        d = start_with_image();
        api_send(d, "DELETE", "/1.0/images/aaaa", NULL, &gone);
        ASSERT_EQ(api_post(d, "/1.0/images/aliases", "{\"name\":\"one\",\"target\":\"aaaa\"}"), 404);
        ASSERT_EQ(gone, 202);
        ASSERT_EQ(api_get(d, "/1.0/images/aliases"), 200);
        ASSERT_STR(api_string(d, "metadata"), "[]");
        test_daemon_free(d);
}

TEST(aliases_live_their_own_life)
{
        struct test_daemon *d = start_with_two();
        ASSERT_EQ(api_post(d, "/1.0/images/aliases", "{\"name\":\"a/b\",\"target\":\"aaaa\",\"description\":\"D\"}"), 201);
        ASSERT_STR(d->location, "/1.0/images/aliases/a%2Fb");
        ASSERT_EQ(api_get(d, "/1.0/images/aliases/a%2Fb"), 200);
        ASSERT_STR(api_string(d, "metadata"), "{\"name\":\"a/b\",\"description\":\"D\",\"target\":\"" FP_A
                                              "\",\"type\":\"container\"}");
        ASSERT_EQ(api_get(d, "/1.0/images/aliases/a/b"), 200);
        ASSERT_EQ(api_put(d, "/1.0/images/aliases/a%2Fb", "{\"description\":\"E\",\"target\":\"" FP_B "\"}"), 200);
        ASSERT_EQ(api_patch(d, "/1.0/images/aliases/a%2Fb", "{\"description\":\"F\"}"), 200);
        ASSERT_EQ(api_put(d, "/1.0/images/aliases/a%2Fb", "{\"description\":\"E\"}"), 400);
        ASSERT_EQ(api_post(d, "/1.0/images/aliases/a%2Fb", "{\"name\":\"export\"}"), 201);
        ASSERT_EQ(api_get(d, "/1.0/images/aliases/export"), 200);
        ASSERT_STR(api_string(d, "metadata/target"), FP_B);
        ASSERT_STR(api_string(d, "metadata/description"), "F");
        ASSERT_EQ(api_get(d, "/1.0/images/aabb"), 200);
        ASSERT_STR(api_string(d, "metadata/aliases"), "[{\"name\":\"export\",\"description\":\"F\"}]");
        ASSERT_EQ(api_get(d, "/1.0/images/aliases?recursion=1"), 200);
        ASSERT_STR(api_string(d, "metadata/0/name"), "export");
        ASSERT_EQ(api_delete(d, "/1.0/images/aliases/export"), 200);
        ASSERT_EQ(api_get(d, "/1.0/images/aliases/export"), 404);
        test_daemon_free(d);
}

TEST(aliases_are_refused_in_words)
{
        static const char *const names[] = { "", "-x", "/x", "x/", "a//b", "../x", "a\\u0007", "x\\ny", "a;b", "a?b" };
        struct test_daemon *d = start_with_image();
        for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
                _cleanup_free_ char *body = xasprintf("{\"name\":\"%s\",\"target\":\"aaaa\"}", names[i]);
                ASSERT_EQ(api_post(d, "/1.0/images/aliases", body), 400);
                ASSERT_CONTAINS(api_string(d, "error"), "alias");
        }
        ASSERT_EQ(api_post(d, "/1.0/images/aliases", "{\"name\":\"x\"}"), 400);
        ASSERT_EQ(api_post(d, "/1.0/images/aliases", "{\"name\":\"x\",\"target\":\"bbbb\"}"), 404);
        ASSERT_EQ(api_post(d, "/1.0/images/aliases", "{\"name\":\"x\",\"target\":\"aaaa\"}"), 201);
        ASSERT_EQ(api_post(d, "/1.0/images/aliases", "{\"name\":\"x\",\"target\":\"aaaa\"}"), 409);
        ASSERT_EQ(api_post(d, "/1.0/images/aliases", "{\"name\":\"y\",\"target\":\"aaaa\"}"), 201);
        ASSERT_EQ(api_post(d, "/1.0/images/aliases/x", "{\"name\":\"y\"}"), 409);
        ASSERT_EQ(api_post(d, "/1.0/images/aliases/x", "{\"name\":\"-y\"}"), 400);
        test_daemon_free(d);
}

TEST(export_names_its_parts_and_their_sizes)
{
        struct test_daemon *d = start_with_two();
        ASSERT_EQ(api_get(d, "/1.0/images/aaaa/export"), 200);
        ASSERT_STR(json_text(d->job_args),
                   "{\"parts\":[{\"path\":\"/var/lib/lightd-test/images/" FP_A "\",\"size\":1234}]}");
        ASSERT_EQ(api_get(d, "/1.0/images/aabb/export"), 200);
        ASSERT_CONTAINS(json_text(d->job_args), "name=\\\"metadata\\\"; filename=\\\"meta-" FP_B ".tar.xz\\\"");
        ASSERT_CONTAINS(json_text(d->job_args), "name=\\\"rootfs\\\"; filename=\\\"" FP_B ".squashfs\\\"");
        ASSERT_CONTAINS(json_text(d->job_args), FP_B ".rootfs\",\"size\":234}");
        ASSERT_EQ(api_get(d, "/1.0/images/ccc/export"), 404);
        test_daemon_free(d);
}

struct wanted {
        bool is_over;
        int r;
        char *fingerprint;
        enum error_code code;
};

static void on_image(void *data, int r, struct object *image, struct error *err)
{
        struct wanted *w = data;
        w->is_over = true;
        w->r = r;
        w->code = r < 0 ? err->code : ERR_NONE;
        w->fingerprint = image ? xstrdup(image->name) : NULL;
}

static void want(struct test_daemon *d, const char *source, struct wanted *w)
{
        struct json_object *o;
        *w = (struct wanted){ 0 };
        ASSERT_OK(json_parse(source, strlen(source), &o, NULL));
        image_for_instance(d->server, "default", o, NULL, on_image, w);
        json_object_put(o);
        ASSERT_FALSE(w->is_over);
}

static void expect_wanted(struct test_daemon *d, const char *source, const char *fingerprint, enum error_code code)
{
        struct wanted w;
        want(d, source, &w);
        test_daemon_until(d, &w.is_over);
        ASSERT_EQ(w.code, code);
        ASSERT_STR(w.fingerprint, fingerprint);
        free(w.fingerprint);
}

TEST(an_instance_names_its_image_in_any_way)
{
        struct test_daemon *d = start_with_two();
        ASSERT_EQ(api_post(d, "/1.0/images/aliases", "{\"name\":\"b\",\"target\":\"aaaa\"}"), 201);
        expect_wanted(d, "{\"type\":\"image\",\"alias\":\"b\"}", FP_A, ERR_NONE);
        expect_wanted(d, "{\"type\":\"image\",\"fingerprint\":\"b\"}", FP_A, ERR_NONE);
        expect_wanted(d, "{\"type\":\"image\",\"fingerprint\":\"" FP_B "\"}", FP_B, ERR_NONE);
        expect_wanted(d, "{\"type\":\"image\",\"alias\":\"aab\",\"server\":\"\",\"properties\":null}", FP_B, ERR_NONE);
        expect_wanted(d, "{\"type\":\"image\",\"alias\":\"none\"}", NULL, ERR_NOT_FOUND);
        expect_wanted(d, "{\"type\":\"image\"}", NULL, ERR_BAD_REQUEST);
        expect_wanted(d, "{\"type\":\"image\",\"alias\":\"b\",\"server\":\"https://x\",\"protocol\":\"simplestreams\"}", NULL,
                      ERR_UNSUPPORTED);
        expect_wanted(d, "{\"type\":\"image\",\"alias\":\"b\",\"properties\":{\"os\":\"x\"}}", NULL, ERR_UNSUPPORTED);
        ASSERT_EQ(api_get(d, "/1.0/images/aabb"), 200);
        ASSERT_TRUE(!streq(api_string(d, "metadata/last_used_at"), "0001-01-01T00:00:00Z"));
        test_daemon_free(d);
}

#define BUILT RECEIVED(FP_B, META "," ROOTFS)
#define DEBIAN(alias) "{\"type\":\"image\",\"server\":\"debian\",\"protocol\":\"lightvisor-build\",\"alias\":\"" alias "\"}"

TEST(a_build_is_shared_and_kept)
{
        struct test_daemon *d = start();
        struct wanted a, b;
        test_job_answers(d, "image-build", BUILT);
        test_job_answers(d, "image-inspect", INSPECTED);
        test_job_answers(d, "image-commit", "{\"meta_ext\":\".tar\",\"meta_size\":1,\"rootfs_ext\":\".squashfs\",\"rootfs_size\":2}");
        want(d, DEBIAN("12"), &a);
        want(d, DEBIAN("debian/bookworm"), &b);
        test_daemon_until(d, &a.is_over);
        test_daemon_until(d, &b.is_over);
        ASSERT_STR(a.fingerprint, FP_B);
        ASSERT_STR(b.fingerprint, FP_B);
        free(a.fingerprint);
        free(b.fingerprint);
        ASSERT_STR(strbuf_str(&d->jobs), "image-begin image-build image-inspect image-commit ");
        expect_wanted(d, DEBIAN(""), FP_B, ERR_NONE);
        ASSERT_STR(strbuf_str(&d->jobs), "image-begin image-build image-inspect image-commit ");
        ASSERT_EQ(api_get(d, "/1.0/images/aabb"), 200);
        ASSERT_STR(api_string(d, "metadata/cached"), "true");
        ASSERT_STR(api_string(d, "metadata/update_source/alias"), "bookworm");
        ASSERT_STR(api_string(d, "metadata/aliases"), "[]");
        expect_wanted(d, DEBIAN("7"), NULL, ERR_NOT_FOUND);
        test_daemon_free(d);
}

TEST(a_build_that_nobody_waits_for_is_cancelled)
{
        struct test_daemon *d = start();
        struct wanted a, b;
        test_job_fails(d, "image-build", ERR_NO_SPACE);
        want(d, DEBIAN("12"), &a);
        want(d, DEBIAN("12"), &b);
        image_for_instance_cancel(d->server, &a);
        test_daemon_until(d, &b.is_over);
        ASSERT_EQ(a.code, ERR_CANCELLED);
        ASSERT_EQ(b.code, ERR_NO_SPACE);
        ASSERT_STR(strbuf_str(&d->jobs), "image-begin image-build image-remove ");
        want(d, DEBIAN("12"), &a);
        want(d, DEBIAN("12"), &b);
        image_for_instance_cancel(d->server, &a);
        image_for_instance_cancel(d->server, &b);
        test_daemon_until(d, &a.is_over);
        test_daemon_until(d, &b.is_over);
        ASSERT_EQ(a.code, ERR_CANCELLED);
        ASSERT_EQ(b.code, ERR_CANCELLED);
        test_daemon_free(d);
}

TEST(a_pulled_image_stays_with_aliases)
{
        struct test_daemon *d = start();
        test_job_answers(d, "image-build", BUILT);
        test_job_answers(d, "image-inspect", INSPECTED);
        test_job_answers(d, "image-commit", "{\"meta_ext\":\".tar\",\"meta_size\":1,\"rootfs_ext\":\".squashfs\",\"rootfs_size\":2}");
        ASSERT_EQ(api_post(d, "/1.0/images", "{\"source\":" DEBIAN("12") ",\"aliases\":[{\"name\":\"deb\"}],\"public\":true}"), 202);
        ASSERT_STR(end_of_operation(d), "Success");
        ASSERT_STR(api_string(d, "metadata/metadata/fingerprint"), FP_B);
        ASSERT_EQ(api_get(d, "/1.0/images/aabb"), 200);
        ASSERT_STR(api_string(d, "metadata/cached"), "false");
        ASSERT_STR(api_string(d, "metadata/public"), "true");
        ASSERT_STR(api_string(d, "metadata/aliases/0/name"), "deb");
        test_daemon_free(d);
}

#define WITH(packages) "{\"type\":\"image\",\"server\":\"debian\",\"protocol\":\"lightvisor-build\",\"alias\":\"12\"," \
                       "\"packages\":[" packages "]}"

TEST(an_image_with_packages_is_another_image)
{
        struct test_daemon *d = start();
        test_job_answers(d, "image-build", BUILT);
        test_job_answers(d, "image-inspect", INSPECTED);
        test_job_answers(d, "image-commit", "{\"meta_ext\":\".tar\",\"meta_size\":1,\"rootfs_ext\":\".squashfs\",\"rootfs_size\":2}");
        ASSERT_EQ(api_post(d, "/1.0/images", "{\"source\":" WITH("\"nginx\",\"curl\",\"nginx\"") ",\"aliases\":[{\"name\":\"web\"}]}"),
                  202);
        ASSERT_STR(end_of_operation(d), "Success");
        ASSERT_EQ(api_get(d, "/1.0/images/aabb"), 200);
        ASSERT_STR(api_string(d, "metadata/update_source/packages"), "[\"curl\",\"nginx\"]");
        strbuf_clear(&d->jobs);
        expect_wanted(d, WITH("\"curl\",\"nginx\""), FP_B, ERR_NONE);
        ASSERT_STR(strbuf_str(&d->jobs), "");
        test_job_fails(d, "image-build", ERR_NO_SPACE);
        expect_wanted(d, DEBIAN("12"), NULL, ERR_NO_SPACE);
        expect_wanted(d, WITH("\"curl\""), NULL, ERR_NO_SPACE);
        ASSERT_EQ(api_post(d, "/1.0/images", "{\"source\":" DEBIAN("12") ",\"aliases\":[{\"name\":\"web\"}]}"), 409);
        ASSERT_CONTAINS(api_string(d, "error"), "\"web\" already exists");
        ASSERT_EQ(api_post(d, "/1.0/images", "{\"source\":" WITH("\"-oX=y\"") "}"), 400);
        ASSERT_CONTAINS(api_string(d, "error"), "\"-oX=y\" is not the name of a package");
        test_daemon_free(d);
}

TEST(sources_this_release_does_not_have_are_named)
{
        static const struct {
                const char *body;
                int status;
                const char *part;
        } rows[] = {
                { "{\"source\":{\"type\":\"url\",\"url\":\"https://x/y\"}}", 501, "URL" },
                { "{\"source\":{\"type\":\"instance\",\"name\":\"c1\"}}", 501, "instance" },
                { "{\"source\":{\"type\":\"image\",\"server\":\"https://x\",\"protocol\":\"simplestreams\"}}", 501, "https://x" },
                { "{\"source\":{\"type\":\"image\",\"alias\":\"12\"}}", 400, "source.server" },
                { "{}", 400, "source.type" },
                { "{\"source\":" DEBIAN("99") "}", 404, "\"99\"" },
                { "{\"source\":" DEBIAN("12") ",\"auto_update\":true}", 501, "auto_update" },
        };
        struct test_daemon *d = start();
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                ASSERT_EQ(api_post(d, "/1.0/images", rows[i].body), rows[i].status);
                ASSERT_CONTAINS(api_string(d, "error"), rows[i].part);
        }
        test_daemon_free(d);
}

static void on_recovered(struct server *s _unused_, void *data)
{
        *(bool *)data = true;
}

TEST(the_start_keeps_what_images_name)
{
        struct test_daemon *d = start_with_two();
        bool is_over = false;
        images_recover(d->server, on_recovered, &is_over);
        test_daemon_until(d, &is_over);
        ASSERT_STR(json_text(d->job_args), "{\"dir\":\"/var/lib/lightd-test/images\",\"keep\":[\"" FP_A "\",\"" FP_B
                                           "\",\"" FP_B ".rootfs\"]}");
        test_daemon_free(d);
}
