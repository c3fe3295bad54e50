/* SPDX-License-Identifier: Apache-2.0 */
/* links: testdaemon instances networks storage-pools images profiles projects */
/* /1.0/instances/{name}/metadata and …/metadata/templates. */
#include "tests/lib/daemon.h"
#include "base/alloc.h"
#include "images/images.h"
#include "instances/instances.h"
#include "networks/networks.h"
#include "profiles/profiles.h"
#include "projects/projects.h"
#include "storage-pools/storage-pools.h"

#define FINGERPRINT "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define METADATA "/1.0/instances/c1/metadata"
#define TEMPLATES METADATA "/templates"

static struct json_object *tree(const char *text)
{
        struct json_object *o = NULL;
        ASSERT_OK(json_parse(text, strlen(text), &o, NULL));
        return o;
}

static void put_image(struct server *s _unused_, struct change *c)
{
        struct image *image = type_new(&image_type);
        image->fingerprint = xstrdup(FINGERPRINT);
        image->architecture = xstrdup("x86_64");
        image->format = xstrdup("squashfs");
        image->layout = xstrdup("split");
        image->may_mount_squashfs = true;
        image->created_at = 1620655439LL * 1000000000;
        strmap_set(&image->properties, "os", "Busybox");
        strlist_add(&image->profiles, "default");
        image->metadata = tree("{\"templates\":{\"/etc/hostname\":{\"template\":\"hostname.tpl\",\"when\":[\"create\"]}}}");
        image->templates = tree("{\"/etc/hostname\":{\"when\":[\"create\"],\"create_only\":false,"
                                "\"properties\":{\"default\":\"x\"},\"text\":\"{{ container.name }}\"}}");
        change_put(c, &image_kind, "default", FINGERPRINT, OBJECT_REV_NEW, image);
}

static void put_basics(struct server *s, struct change *c)
{
        projects_first_start(s, c);
        profiles_first_start(s, c);
}

/* A daemon with an instance c1. */
static struct test_daemon *start(void)
{
        struct test_daemon *d = test_daemon_new((family_fn *[]){ projects_register, profiles_register, storage_pools_register,
                                                                 networks_register, images_register, instances_register, NULL });
        router_add(d->server, operation_routes);
        networks_set_fake(true);
        test_daemon_put(d, put_basics);
        test_daemon_put(d, put_image);
        test_job_answers(d, "layer-probe", "{\"idmap\":true,\"squashfs\":true}");
        ASSERT_EQ(api_post(d, "/1.0/storage-pools", "{\"name\":\"default\",\"driver\":\"dir\"}"), 201);
        ASSERT_EQ(api_post(d, "/1.0/instances",
                           "{\"name\":\"c1\",\"devices\":{\"root\":{\"type\":\"disk\",\"path\":\"/\",\"pool\":\"default\"}},"
                           "\"source\":{\"type\":\"image\",\"fingerprint\":\"" FINGERPRINT "\"}}"),
                  202);
        _cleanup_free_ char *wait = xasprintf("%s/wait", api_string(d, "operation"));
        ASSERT_EQ(api_get(d, wait), 200);
        ASSERT_STR(api_string(d, "metadata/status_code"), "200");
        return d;
}

static struct json_object *row_of(struct test_daemon *d, const char *path)
{
        ASSERT_EQ(api_get(d, METADATA), 200);
        return json_get_object(json_get_object(json_get_object(d->answer, "metadata"), "templates"), path);
}

TEST(an_instance_has_the_metadata_and_templates_of_its_image)
{
        struct test_daemon *d = start();
        ASSERT_STR(json_text(row_of(d, "/etc/hostname")), "{\"when\":[\"create\"],\"create_only\":false,"
                                                          "\"template\":\"hostname.tpl\",\"properties\":{\"default\":\"x\"}}");
        ASSERT_STR(api_string(d, "metadata/architecture"), "x86_64");
        ASSERT_STR(api_string(d, "metadata/creation_date"), "1620655439");
        ASSERT_STR(api_string(d, "metadata/expiry_date"), "0");
        ASSERT_STR(api_string(d, "metadata/properties"), "{\"os\":\"Busybox\"}");
        ASSERT_EQ(api_get(d, TEMPLATES), 200);
        ASSERT_STR(api_string(d, "metadata"), "[\"hostname.tpl\"]");
        ASSERT_EQ(api_get(d, TEMPLATES "?path=hostname.tpl"), 200);
        ASSERT_STR(strbuf_str(&d->text), "{{ container.name }}");
        ASSERT_EQ(api_get(d, "/1.0/instances/c2/metadata"), 404);
        ASSERT_EQ(api_get(d, "/1.0/instances/c2/metadata/templates"), 404);
        test_daemon_free(d);
}

TEST(put_replaces_and_patch_merges)
{
        struct test_daemon *d = start();
        ASSERT_EQ(api_patch(d, METADATA, "{\"properties\":{\"a\":\"b\"},\"templates\":{\"/etc/motd\":{\"template\":\"m.tpl\"}}}"), 200);
        ASSERT_STR(json_text(row_of(d, "/etc/motd")),
                   "{\"when\":[],\"create_only\":false,\"template\":\"m.tpl\",\"properties\":{}}");
        ASSERT_STR(api_string(d, "metadata/properties"), "{\"a\":\"b\",\"os\":\"Busybox\"}");
        ASSERT_TRUE(row_of(d, "/etc/hostname") != NULL);
        ASSERT_EQ(api_patch(d, METADATA, "{\"templates\":{\"/etc/motd\":null}}"), 200);
        ASSERT_TRUE(row_of(d, "/etc/motd") == NULL && row_of(d, "/etc/hostname") != NULL);
        ASSERT_EQ(api_put(d, METADATA, "{\"architecture\":\"i686\"}"), 200);
        ASSERT_TRUE(row_of(d, "/etc/hostname") == NULL);
        ASSERT_STR(api_string(d, "metadata"), "{\"architecture\":\"i686\",\"creation_date\":0,\"expiry_date\":0,"
                                              "\"properties\":{},\"templates\":{}}");
        ASSERT_EQ(api_patch(d, "/1.0/instances/c1", "{\"description\":\"x\"}"), 200);
        ASSERT_EQ(api_get(d, METADATA), 200);
        ASSERT_STR(api_string(d, "metadata/architecture"), "i686");
        test_daemon_free(d);
}

TEST(a_change_that_was_read_before_another_one_is_refused)
{
        struct test_daemon *d = start();
        ASSERT_EQ(api_get(d, METADATA), 200);
        _cleanup_free_ char *etag = xstrdup(d->etag);
        ASSERT_EQ(api_request(d, "PUT", METADATA, "{\"architecture\":\"i686\"}", etag), 200);
        ASSERT_EQ(api_request(d, "PUT", METADATA, "{\"architecture\":\"x86_64\"}", etag), 412);
        ASSERT_EQ(api_request(d, "PATCH", METADATA, "{\"architecture\":\"x86_64\"}", etag), 412);
        test_daemon_free(d);
}

TEST(metadata_that_makes_no_sense_is_refused_with_a_sentence)
{
        static const struct {
                const char *templates, *part;
        } rows[] = {
                { "[]", "a map of paths" },
                { "{\"etc/x\":{\"template\":\"a\"}}", "etc/x" },
                { "{\"/x\":1}", "no map" },
                { "{\"/x\":{}}", "name of a template is missing" },
                { "{\"/x\":{\"template\":\"../a\"}}", "no name of a template" },
                { "{\"/x\":{\"template\":\"a\",\"when\":\"create\"}}", "no list" },
                { "{\"/x\":{\"template\":\"a\",\"when\":[\"sometimes\"]}}", "none of create" },
                { "{\"/x\":{\"template\":\"a\",\"properties\":{\"b\":{}}}}", "is no text" },
        };
        struct test_daemon *d = start();
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_free_ char *body = xasprintf("{\"templates\":%s}", rows[i].templates);
                if (api_patch(d, METADATA, body) != 400 || !strstr(json_text(d->answer), rows[i].part))
                        fail_msg("%s: %s", body, json_text(d->answer));
        }
        test_daemon_free(d);
}

TEST(templates_are_written_overwritten_and_deleted)
{
        struct test_daemon *d = start();
        ASSERT_EQ(api_upload_text(d, TEMPLATES "?path=a%20b.tpl", "one\n"), 200);
        ASSERT_EQ(api_upload_text(d, TEMPLATES "?path=a%20b.tpl", "two\n"), 200);
        ASSERT_EQ(api_upload_text(d, TEMPLATES "?path=empty", ""), 200);
        ASSERT_EQ(api_get(d, TEMPLATES), 200);
        ASSERT_STR(api_string(d, "metadata"), "[\"hostname.tpl\",\"a b.tpl\",\"empty\"]");
        ASSERT_EQ(api_get(d, TEMPLATES "?path=a%20b.tpl"), 200);
        ASSERT_STR(strbuf_str(&d->text), "two\n");
        ASSERT_EQ(api_delete(d, TEMPLATES "?path=a%20b.tpl"), 200);
        ASSERT_EQ(api_get(d, TEMPLATES "?path=a%20b.tpl"), 404);
        ASSERT_CONTAINS(api_string(d, "error"), "a b.tpl");
        ASSERT_EQ(api_delete(d, TEMPLATES "?path=a%20b.tpl"), 404);
        test_daemon_free(d);
}

TEST(a_template_that_cannot_be_is_refused)
{
        static const char *const targets[] = { TEMPLATES, TEMPLATES "?path=", TEMPLATES "?path=a%2fb", TEMPLATES "?path=.x" };
        struct test_daemon *d = start();
        for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
                ASSERT_EQ(api_upload_text(d, targets[i], "x"), 400);
                ASSERT_EQ(api_delete(d, targets[i]), 400);
        }
        ASSERT_EQ(api_upload_text(d, TEMPLATES "?path=x", "\xff\xfe"), 400);
        ASSERT_CONTAINS(api_string(d, "error"), "UTF-8");
        ASSERT_EQ(api_upload(d, TEMPLATES "?path=x", (const char *const[]){ NULL }, -ECONNRESET), 500);
        ASSERT_EQ(api_get(d, TEMPLATES), 200);
        ASSERT_STR(api_string(d, "metadata"), "[\"hostname.tpl\"]");
        test_daemon_free(d);
}
