/* SPDX-License-Identifier: Apache-2.0 */
/* links: testdaemon storage-pools profiles projects config */
#include "tests/lib/daemon.h"
#include "base/alloc.h"
#include "profiles/profiles.h"
#include "projects/projects.h"
#include "projects/used-by.h"
#include "storage-pools/driver.h"
#include "storage-pools/internal.h"
#include "storage-pools/storage-pools.h"

#define FP "5f31a2c5f31a2c5f31a2c5f31a2c5f31a2c5f31a2c5f31a2c5f31a2c5f31a2c0"

static bool has_volume;
static const char *const layers_of_volume[] = { FP };

static void each_volume(struct server *s _unused_, volume_visit_fn visit, void *data)
{
        const struct volume_info v = { .pool = "default", .project = "default", .instance = "c1", .num = 7,
                                       .description = "d", .layers = layers_of_volume, .n_layers = 1,
                                       .created_at = 1000000000 };
        if (has_volume)
                visit(data, &v);
}

/* instances/ adds this. */
static void users_of_pool(struct server *s _unused_, const struct object *o, struct strlist *urls)
{
        if (has_volume && streq(o->name, "default"))
                strlist_add(urls, "/1.0/instances/c1");
}

static struct test_daemon *start(void)
{
        struct test_daemon *d = test_daemon_new(
                (family_fn *[]){ projects_register, profiles_register, storage_pools_register, NULL });
        has_volume = false;
        volumes_set_source(each_volume);
        used_by_add("storage-pool", users_of_pool);
        layers_set_image_check(NULL);
        layers_set_mountable(true);
        test_daemon_put(d, projects_first_start);
        test_daemon_put(d, profiles_first_start);
        return d;
}

static struct test_daemon *start_with_pool(void)
{
        struct test_daemon *d = start();
        ASSERT_EQ(api_post(d, "/1.0/storage-pools", "{\"name\":\"default\",\"driver\":\"overlay\"}"), 201);
        strbuf_clear(&d->jobs);
        return d;
}

TEST(a_pool_is_created_and_read_back)
{
        struct test_daemon *d = start();
        ASSERT_EQ(api_post(d, "/1.0/storage-pools", "{\"name\":\"p1\",\"driver\":\"overlay\",\"description\":\"x\","
                                                    "\"config\":{\"user.a\":\"b\"}}"), 201);
        ASSERT_STR(d->location, "/1.0/storage-pools/p1");
        ASSERT_STR(d->jobs.data, "pool-create ");
        ASSERT_STR(json_get_string(d->job_args, "path", ""), "/var/lib/lightd-test/storage-pools/p1");
        ASSERT_TRUE(json_get_bool(d->job_args, "overlay", false));
        ASSERT_EQ(api_get(d, "/1.0/storage-pools/p1"), 200);
        ASSERT_STR(api_string(d, "metadata/driver"), "overlay");
        ASSERT_STR(api_string(d, "metadata/status"), "Created");
        ASSERT_STR(api_string(d, "metadata/locations"), "[\"none\"]");
        ASSERT_STR(api_string(d, "metadata/config/source"), "/var/lib/lightd-test/storage-pools/p1");
        ASSERT_STR(api_string(d, "metadata/used_by"), "[]");
        ASSERT_TRUE(d->etag != NULL);
        ASSERT_EQ(api_get(d, "/1.0/storage-pools"), 200);
        ASSERT_STR(api_string(d, "metadata"), "[\"/1.0/storage-pools/p1\"]");
        ASSERT_EQ(api_get(d, "/1.0/storage-pools?recursion=1"), 200);
        ASSERT_STR(api_string(d, "metadata/0/name"), "p1");
        ASSERT_EQ(api_post(d, "/1.0/storage-pools", "{\"name\":\"p1\",\"driver\":\"dir\"}"), 409);
        test_daemon_free(d);
}

TEST(bad_pools_are_refused_with_a_sentence)
{
        struct test_daemon *d = start_with_pool();
        static const struct {
                const char *body, *sentence;
        } cases[] = {
                { "{\"driver\":\"dir\"}", "Invalid storage pool name \"\"" },
                { "{\"name\":\"..\",\"driver\":\"dir\"}", "Invalid storage pool name" },
                { "{\"name\":\"p\",\"driver\":\"zfs\"}", "Unknown storage driver \"zfs\"" },
                { "{\"name\":\"p\",\"driver\":\"dir\",\"config\":{\"size\":\"1GiB\"}}", "Unknown config key \"size\"" },
                { "{\"name\":\"p\",\"driver\":\"dir\",\"config\":{\"source\":\"srv\"}}", "an absolute path" },
                { "{\"name\":\"p\",\"driver\":\"dir\",\"config\":{\"source\":\"/srv/../etc\"}}", "an absolute path" },
                { "{\"name\":\"p\",\"driver\":\"dir\",\"config\":{\"source\":\"/var/lib/lightd-test/database\"}}",
                  "overlaps with the daemon's directory" },
                { "{\"name\":\"p\",\"driver\":\"dir\",\"config\":{\"source\":\"/var/lib\"}}",
                  "overlaps with the daemon's directory" },
                { "{\"name\":\"p\",\"driver\":\"dir\",\"config\":{\"source\":"
                  "\"/var/lib/lightd-test/storage-pools/default/layers\"}}", "overlaps with another pool's" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                ASSERT_EQ(api_post(d, "/1.0/storage-pools", cases[i].body), 400);
                if (!strstr(api_string(d, "error"), cases[i].sentence))
                        fail_msg("\"%s\" lacks \"%s\"", api_string(d, "error"), cases[i].sentence);
        }
        ASSERT_EQ(d->jobs.len, 0);
        test_daemon_free(d);
}

TEST(a_pool_that_cannot_be_made_leaves_nothing)
{
        struct test_daemon *d = start();
        test_job_fails(d, "pool-create", ERR_NO_SPACE);
        ASSERT_EQ(api_post(d, "/1.0/storage-pools", "{\"name\":\"p1\",\"driver\":\"dir\"}"), 507);
        ASSERT_STR(api_string(d, "error"), "Creating storage pool \"p1\": pool-create failed");
        ASSERT_EQ(api_get(d, "/1.0/storage-pools/p1"), 404);
        test_daemon_free(d);
}

TEST(only_what_may_change_changes)
{
        struct test_daemon *d = start_with_pool();
        ASSERT_EQ(api_get(d, "/1.0/storage-pools/default"), 200);
        _cleanup_free_ char *etag = xstrdup(d->etag);
        ASSERT_EQ(api_patch(d, "/1.0/storage-pools/default", "{\"config\":{\"user.a\":\"b\"}}"), 200);
        ASSERT_EQ(api_request(d, "PATCH", "/1.0/storage-pools/default", "{\"description\":\"x\"}", etag), 412);
        ASSERT_EQ(api_patch(d, "/1.0/storage-pools/default", "{\"config\":{\"source\":\"/srv\"}}"), 400);
        ASSERT_STR(api_string(d, "error"), "Config key \"source\" cannot be changed afterwards");
        ASSERT_EQ(api_put(d, "/1.0/storage-pools/default", "{\"config\":{}}"), 400);
        ASSERT_EQ(api_put(d, "/1.0/storage-pools/default",
                          "{\"name\":\"x\",\"driver\":\"dir\",\"status\":\"Errored\",\"description\":\"new\",\"config\":"
                          "{\"source\":\"/var/lib/lightd-test/storage-pools/default\"}}"), 200);
        ASSERT_EQ(api_get(d, "/1.0/storage-pools/default"), 200);
        ASSERT_STR(api_string(d, "metadata/name"), "default");
        ASSERT_STR(api_string(d, "metadata/driver"), "overlay");
        ASSERT_STR(api_string(d, "metadata/status"), "Created");
        ASSERT_STR(api_string(d, "metadata/description"), "new");
        ASSERT_TRUE(api_string(d, "metadata/config/user.a") == NULL);
        test_daemon_free(d);
}

TEST(a_pool_in_use_cannot_be_deleted)
{
        struct test_daemon *d = start_with_pool();
        has_volume = true;
        ASSERT_EQ(api_patch(d, "/1.0/profiles/default",
                            "{\"devices\":{\"root\":{\"type\":\"disk\",\"pool\":\"default\",\"path\":\"/\"}}}"), 200);
        ASSERT_EQ(api_get(d, "/1.0/storage-pools/default"), 200);
        ASSERT_STR(api_string(d, "metadata/used_by"), "[\"/1.0/profiles/default\",\"/1.0/instances/c1\"]");
        ASSERT_EQ(api_delete(d, "/1.0/storage-pools/default"), 400);
        ASSERT_STR(api_string(d, "error"),
                   "Storage pool \"default\" is in use by \"profiles/default\", \"instances/c1\"");
        ASSERT_STR(api_string(d, "metadata/reason"), "in-use");
        test_daemon_free(d);
}

TEST(a_pool_is_deleted)
{
        struct test_daemon *d = start_with_pool();
        ASSERT_EQ(api_delete(d, "/1.0/storage-pools/default"), 200);
        ASSERT_STR(d->jobs.data, "pool-delete ");
        ASSERT_TRUE(json_get_bool(d->job_args, "remove_root", false));
        ASSERT_EQ(api_get(d, "/1.0/storage-pools/default"), 404);
        ASSERT_EQ(api_delete(d, "/1.0/storage-pools/default"), 404);
        ASSERT_EQ(api_post(d, "/1.0/storage-pools", "{\"name\":\"s\",\"config\":{\"source\":\"//srv//s/\"}}"), 201);
        ASSERT_EQ(api_get(d, "/1.0/storage-pools/s"), 200);
        ASSERT_STR(api_string(d, "metadata/driver"), "overlay");
        ASSERT_STR(api_string(d, "metadata/config/volatile.initial_source"), "/srv/s");
        ASSERT_EQ(api_delete(d, "/1.0/storage-pools/s"), 200);
        ASSERT_FALSE(json_get_bool(d->job_args, "remove_root", true));
        test_daemon_free(d);
}

TEST(a_pool_that_cannot_be_deleted_says_so_and_may_be_deleted_again)
{
        struct test_daemon *d = start_with_pool();
        struct object *o;
        test_job_fails(d, "pool-delete", ERR_IN_USE);
        ASSERT_EQ(api_delete(d, "/1.0/storage-pools/default"), 400);
        ASSERT_EQ(api_get(d, "/1.0/storage-pools/default"), 200);
        ASSERT_STR(api_string(d, "metadata/status"), "Errored");
        ASSERT_TRUE(storage_pool_get_usable(d->server, "default", &o, NULL) < 0);
        test_job_answers(d, "pool-delete", "{}");
        ASSERT_EQ(api_delete(d, "/1.0/storage-pools/default"), 200);
        test_daemon_free(d);
}

TEST(volumes_are_listed_by_type_and_project)
{
        struct test_daemon *d = start_with_pool();
        has_volume = true;
        ASSERT_EQ(api_get(d, "/1.0/storage-pools/default/volumes"), 200);
        ASSERT_STR(api_string(d, "metadata"), "[\"/1.0/storage-pools/default/volumes/container/c1\"]");
        ASSERT_EQ(api_get(d, "/1.0/storage-pools/default/volumes/container?recursion=1"), 200);
        ASSERT_STR(api_string(d, "metadata/0/name"), "c1");
        ASSERT_STR(api_string(d, "metadata/0/type"), "container");
        ASSERT_STR(api_string(d, "metadata/0/content_type"), "filesystem");
        ASSERT_STR(api_string(d, "metadata/0/used_by/0"), "/1.0/instances/c1");
        ASSERT_EQ(api_get(d, "/1.0/storage-pools/default/volumes/custom?recursion=1"), 200);
        ASSERT_STR(api_string(d, "metadata"), "[]");
        ASSERT_EQ(api_get(d, "/1.0/storage-pools/default/volumes?filter=name+eq+c2"), 200);
        ASSERT_STR(api_string(d, "metadata"), "[]");
        ASSERT_EQ(api_get(d, "/1.0/storage-pools/default/volumes/strange"), 400);
        ASSERT_EQ(api_get(d, "/1.0/storage-pools/none/volumes"), 404);
        ASSERT_EQ(api_get(d, "/1.0/storage-pools/default/volumes?project=none"), 404);
        test_daemon_free(d);
}

TEST(resources_are_the_file_systems)
{
        struct test_daemon *d = start();
        ASSERT_EQ(api_post(d, "/1.0/storage-pools", "{\"name\":\"t\",\"config\":{\"source\":\"/tmp\"}}"), 201);
        ASSERT_EQ(api_get(d, "/1.0/storage-pools/t/resources"), 200);
        ASSERT_TRUE(strtoull(api_string(d, "metadata/space/total"), NULL, 10) >
                    strtoull(api_string(d, "metadata/space/used"), NULL, 10));
        ASSERT_TRUE(api_string(d, "metadata/inodes/total") != NULL);
        test_daemon_free(d);
}

/* ---- what instances call ---- */

struct wait {
        bool is_over;
        int r;
        enum error_code code;
};

static void on_done(void *data, int r, struct error *err)
{
        struct wait *w = data;
        ASSERT_FALSE(w->is_over);
        *w = (struct wait){ true, r, err->code };
}

static const struct image_files squashfs = { FP, "/img/meta", "/img/rootfs", "squashfs", true };
static const struct image_files tarball = { FP, "/img/meta", "", "tar", false };

static struct object *pool_of(struct test_daemon *d)
{
        struct object *o;
        ASSERT_OK(storage_pool_get_usable(d->server, "default", &o, NULL));
        return o;
}

TEST(one_layer_is_made_once_for_all_who_ask)
{
        struct test_daemon *d = start_with_pool();
        struct wait a = { 0 }, b = { 0 }, c = { 0 };
        layer_ensure(d->server, pool_of(d), &squashfs, NULL, on_done, &a);
        layer_ensure(d->server, pool_of(d), &squashfs, NULL, on_done, &b);
        ASSERT_FALSE(a.is_over);
        test_daemon_until(d, &b.is_over);
        ASSERT_OK(a.r);
        ASSERT_OK(b.r);
        ASSERT_STR(d->jobs.data, "layer-import ");
        ASSERT_STR(json_get_string(d->job_args, "target", ""),
                   "/var/lib/lightd-test/storage-pools/default/layers/" FP ".squashfs");
        layer_ensure(d->server, pool_of(d), &squashfs, NULL, on_done, &c);
        test_daemon_until(d, &c.is_over);
        ASSERT_STR(d->jobs.data, "layer-import ");
        ASSERT_EQ(api_get(d, "/1.0/storage-pools/default/volumes?recursion=1"), 200);
        ASSERT_STR(api_string(d, "metadata/0/type"), "image");
        ASSERT_STR(api_string(d, "metadata/0/name"), FP);
        test_daemon_free(d);
}

TEST(a_stranger_or_an_old_kernel_gets_an_unpacked_layer)
{
        struct test_daemon *d = start_with_pool();
        struct wait a = { 0 };
        struct image_files untrusted = squashfs;
        untrusted.may_mount_squashfs = false;
        layer_ensure(d->server, pool_of(d), &untrusted, NULL, on_done, &a);
        test_daemon_until(d, &a.is_over);
        ASSERT_OK(a.r);
        ASSERT_STR(d->jobs.data, "layer-begin layer-unpack layer-commit ");
        _cleanup_free_ char *path = layer_path(d->server, "default", FP);
        ASSERT_STR(path, "/var/lib/lightd-test/storage-pools/default/layers/" FP);
        test_daemon_free(d);
}

TEST(a_layer_that_fails_fails_for_all_and_leaves_no_object)
{
        struct test_daemon *d = start_with_pool();
        struct wait a = { 0 }, b = { 0 };
        test_job_fails(d, "layer-unpack", ERR_NO_SPACE);
        layer_ensure(d->server, pool_of(d), &tarball, NULL, on_done, &a);
        layer_ensure(d->server, pool_of(d), &tarball, NULL, on_done, &b);
        test_daemon_until(d, &b.is_over);
        ASSERT_EQ(a.code, ERR_NO_SPACE);
        ASSERT_EQ(b.code, ERR_NO_SPACE);
        ASSERT_STR(d->jobs.data, "layer-begin layer-unpack volume-delete ");
        ASSERT_FALSE(layer_exists(d->server, "default", FP));
        test_daemon_free(d);
}

TEST(a_leftover_without_object_is_moved_away_once)
{
        struct test_daemon *d = start_with_pool();
        struct wait a = { 0 };
        test_job_fails(d, "layer-import", ERR_EXISTS);
        layer_ensure(d->server, pool_of(d), &squashfs, NULL, on_done, &a);
        test_daemon_until(d, &a.is_over);
        ASSERT_EQ(a.code, ERR_EXISTS);
        ASSERT_STR(d->jobs.data, "layer-import volume-trash layer-import ");
        test_daemon_free(d);
}

TEST(a_cancelled_request_ends_and_the_others_go_on)
{
        struct test_daemon *d = start_with_pool();
        struct wait a = { 0 }, b = { 0 };
        layer_ensure(d->server, pool_of(d), &squashfs, NULL, on_done, &a);
        layer_ensure(d->server, pool_of(d), &squashfs, NULL, on_done, &b);
        layer_cancel(d->server, &a);
        layer_cancel(d->server, &d);
        test_daemon_until(d, &b.is_over);
        ASSERT_EQ(a.code, ERR_CANCELLED);
        ASSERT_OK(b.r);
        test_daemon_free(d);
}

TEST(a_pool_is_not_deleted_while_a_layer_is_made)
{
        struct test_daemon *d = start_with_pool();
        struct wait a = { 0 };
        int status;
        /* Nobody uses it yet when the deletion is asked for; when its mark is on disk, somebody does. */
        api_send(d, "DELETE", "/1.0/storage-pools/default", NULL, &status);
        layer_ensure(d->server, pool_of(d), &squashfs, NULL, on_done, &a);
        ASSERT_EQ(api_delete(d, "/1.0/storage-pools/default"), 400);
        test_daemon_until(d, &a.is_over);
        while (!status)
                uv_run(&d->loop, UV_RUN_ONCE);
        ASSERT_EQ(status, 400);
        ASSERT_OK(a.r);
        ASSERT_EQ(api_get(d, "/1.0/storage-pools/default"), 200);
        ASSERT_STR(api_string(d, "metadata/status"), "Created");
        test_daemon_free(d);
}

static void make_layer(struct test_daemon *d, const struct image_files *image)
{
        struct wait a = { 0 };
        layer_ensure(d->server, pool_of(d), image, NULL, on_done, &a);
        test_daemon_until(d, &a.is_over);
        ASSERT_OK(a.r);
        strbuf_clear(&d->jobs);
}

TEST(a_layer_is_mounted_once_and_stays_while_it_is_used)
{
        struct test_daemon *d = start_with_pool();
        struct wait a = { 0 }, b = { 0 }, c = { 0 };
        make_layer(d, &squashfs);
        layer_mount(d->server, "default", FP, on_done, &a);
        layer_mount(d->server, "default", FP, on_done, &b);
        test_daemon_until(d, &b.is_over);
        ASSERT_OK(a.r);
        ASSERT_STR(d->jobs.data, "layer-mount ");
        ASSERT_STR(json_get_string(d->job_args, "target", ""), "/run/lightd-test/layers/default/" FP);
        _cleanup_free_ char *path = layer_path(d->server, "default", FP);
        ASSERT_STR(path, "/run/lightd-test/layers/default/" FP);
        ASSERT_EQ(layer_users("default", FP), 2);
        layer_unuse(d->server, "default", FP);
        layers_collect(d->server);
        ASSERT_TRUE(layer_exists(d->server, "default", FP));
        layer_unuse(d->server, "default", FP);
        layer_mount_drop(d->server, "default", FP, on_done, &c);
        test_daemon_until(d, &c.is_over);
        ASSERT_STR(d->jobs.data, "layer-mount layer-unmount ");
        test_daemon_free(d);
}

TEST(a_mount_that_fails_counts_nobody)
{
        struct test_daemon *d = start_with_pool();
        struct wait a = { 0 }, b = { 0 }, c = { 0 };
        make_layer(d, &squashfs);
        test_job_fails(d, "layer-mount", ERR_NO_SPACE);
        layer_mount(d->server, "default", FP, on_done, &a);
        test_daemon_until(d, &a.is_over);
        ASSERT_EQ(a.code, ERR_NO_SPACE);
        ASSERT_EQ(layer_users("default", FP), 0);
        test_job_answers(d, "layer-mount", "{}");
        layer_mount(d->server, "default", FP, on_done, &b);
        test_daemon_until(d, &b.is_over);
        ASSERT_OK(b.r);
        layer_mount(d->server, "default", "ffff", on_done, &c);
        test_daemon_until(d, &c.is_over);
        ASSERT_EQ(c.code, ERR_NOT_FOUND);
        test_daemon_free(d);
}

static bool has_image;
static bool image_exists(struct server *s _unused_, const char *fingerprint)
{
        return has_image && streq(fingerprint, FP);
}

TEST(a_layer_leaves_with_the_last_who_needs_it)
{
        struct test_daemon *d = start_with_pool();
        struct wait a = { 0 };
        make_layer(d, &squashfs);
        layers_set_image_check(image_exists);
        has_image = true;
        layers_collect(d->server);
        has_image = false;
        has_volume = true;
        layers_collect(d->server);
        ASSERT_FALSE(layer_is_busy("default"));
        has_volume = false;
        layers_collect(d->server);
        layers_collect(d->server);
        ASSERT_TRUE(layer_is_busy("default"));
        /* Asked for while it leaves: it comes back. */
        layer_ensure(d->server, pool_of(d), &squashfs, NULL, on_done, &a);
        test_daemon_until(d, &a.is_over);
        ASSERT_OK(a.r);
        ASSERT_TRUE(layer_exists(d->server, "default", FP));
        ASSERT_STR(d->jobs.data, "volume-trash trash-empty layer-import ");
        test_daemon_free(d);
}

static void volume_appears(void *data _unused_, int r, struct error *err _unused_)
{
        ASSERT_OK(r);
        has_volume = true;
}

/* An instance's commit was on its way when the last use of the layer or the pool was looked for. */
TEST(a_layer_and_a_pool_stay_for_an_instance_that_comes_late)
{
        struct test_daemon *d = start_with_pool();
        int status;
        make_layer(d, &squashfs);
        struct change *c = change_new(d->server);
        struct profile *p = type_new(&profile_type);
        p->name = xstrdup("late");
        change_put(c, &profile_kind, "default", "late", OBJECT_REV_NEW, p);
        change_commit(c, volume_appears, NULL);
        layers_collect(d->server);
        api_send(d, "DELETE", "/1.0/storage-pools/default", NULL, &status);
        ASSERT_EQ(status, 400); /* the removal of the layer is under way */
        while (layer_is_busy("default"))
                uv_run(&d->loop, UV_RUN_ONCE);
        ASSERT_TRUE(layer_exists(d->server, "default", FP));
        ASSERT_EQ(d->jobs.len, 0);

        has_volume = false;
        api_send(d, "DELETE", "/1.0/storage-pools/default", NULL, &status);
        c = change_new(d->server);
        change_delete(c, &profile_kind, "default", "late", OBJECT_REV_ANY);
        change_commit(c, volume_appears, NULL);
        while (!status)
                uv_run(&d->loop, UV_RUN_ONCE);
        ASSERT_EQ(status, 400);
        ASSERT_EQ(d->jobs.len, 0);
        test_daemon_free(d);
}

TEST(a_volume_of_a_dir_pool_is_the_image_unpacked)
{
        struct test_daemon *d = start();
        struct wait a = { 0 }, b = { 0 };
        struct object *pool;
        ASSERT_EQ(api_post(d, "/1.0/storage-pools", "{\"name\":\"dir\",\"driver\":\"dir\"}"), 201);
        ASSERT_OK(storage_pool_get_usable(d->server, "dir", &pool, NULL));
        strbuf_clear(&d->jobs);
        volume_create(d->server, pool, 9, &tarball, NULL, on_done, &a);
        test_daemon_until(d, &a.is_over);
        ASSERT_OK(a.r);
        ASSERT_STR(d->jobs.data, "layer-begin layer-unpack layer-commit ");
        ASSERT_STR(json_get_string(d->job_args, "to", ""), "/var/lib/lightd-test/storage-pools/dir/instances/9");
        struct json_object *rootfs = volume_rootfs_json(pool, 9, NULL, 0, true);
        ASSERT_STR(json_text(rootfs), "{\"type\":\"dir\",\"volume\":\"/var/lib/lightd-test/storage-pools/dir/instances/9\","
                                      "\"create\":false}");
        json_object_put(rootfs);
        strbuf_clear(&d->jobs);
        volume_delete(d->server, pool, 9, on_done, &b);
        test_daemon_until(d, &b.is_over);
        ASSERT_OK(b.r);
        ASSERT_STR(d->jobs.data, "volume-trash volume-delete ");
        test_daemon_free(d);
}

static void on_usage(void *data, int r, uint64_t bytes, struct error *err _unused_)
{
        ASSERT_OK(r);
        ASSERT_EQ(bytes, 4096);
        *(bool *)data = true;
}

TEST(a_volume_of_an_overlay_pool_lies_on_its_layer)
{
        struct test_daemon *d = start_with_pool();
        struct wait a = { 0 };
        bool is_measured = false;
        volume_create(d->server, pool_of(d), 7, &squashfs, NULL, on_done, &a);
        test_daemon_until(d, &a.is_over);
        ASSERT_OK(a.r);
        const char *lower = "/run/x";
        struct json_object *rootfs = volume_rootfs_json(pool_of(d), 7, &lower, 1, true);
        ASSERT_STR(json_text(rootfs), "{\"type\":\"overlay\",\"lowers\":[\"/run/x\"],\"volume\":"
                                      "\"/var/lib/lightd-test/storage-pools/default/instances/7\",\"create\":true}");
        json_object_put(rootfs);
        test_job_answers(d, "volume-usage", "{\"bytes\":4096}");
        volume_usage(d->server, pool_of(d), 7, on_usage, &is_measured);
        test_daemon_until(d, &is_measured);
        ASSERT_STR(json_get_string(d->job_args, "path", ""),
                   "/var/lib/lightd-test/storage-pools/default/instances/7/upper");
        test_daemon_free(d);
}

TEST(start_up_keeps_what_objects_name_and_takes_back_the_rest)
{
        struct test_daemon *d = start_with_pool();
        struct wait a = { 0 };
        make_layer(d, &tarball);
        has_volume = true;
        test_job_answers(d, "layer-probe", "{\"squashfs\":true}");
        storage_pools_start(d->server, on_done, &a);
        ASSERT_STR(d->jobs.data, "pool-sweep layer-probe ");
        test_daemon_until(d, &a.is_over);
        ASSERT_OK(a.r);
        ASSERT_STR(d->jobs.data, "pool-sweep layer-probe trash-empty ");
        test_daemon_free(d);
}

static void mark_pending(struct server *s, struct change *c)
{
        struct object *o = object_find(s, &storage_pool_kind, "", "default");
        struct storage_pool *p = type_copy(&storage_pool_type, o->body);
        free(p->status);
        p->status = xstrdup(POOL_PENDING);
        change_put(c, &storage_pool_kind, "", "default", o->rev, p);
}

TEST(start_up_removes_a_half_made_pool)
{
        struct test_daemon *d = start_with_pool();
        struct wait a = { 0 };
        test_daemon_put(d, mark_pending);
        storage_pools_start(d->server, on_done, &a);
        test_daemon_until(d, &a.is_over);
        ASSERT_EQ(api_get(d, "/1.0/storage-pools/default"), 404);
        ASSERT_STR(d->jobs.data, "pool-delete layer-probe ");
        test_daemon_free(d);
}

TEST(start_up_forgets_a_layer_whose_files_are_gone)
{
        struct test_daemon *d = start_with_pool();
        struct wait a = { 0 };
        make_layer(d, &squashfs);
        test_job_answers(d, "pool-sweep", "{\"moved\":0,\"missing\":[\"" FP ".squashfs\"]}");
        storage_pools_start(d->server, on_done, &a);
        test_daemon_until(d, &a.is_over);
        make_layer(d, &squashfs);
        ASSERT_TRUE(layer_exists(d->server, "default", FP));
        test_daemon_free(d);
}
