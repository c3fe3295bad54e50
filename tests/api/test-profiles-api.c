/* SPDX-License-Identifier: Apache-2.0 */
/* links: testdaemon profiles projects */
#include "tests/lib/daemon.h"
#include "base/alloc.h"
#include "profiles/profiles.h"
#include "projects/projects.h"
#include "projects/used-by.h"

static bool is_web_used;

static void fake_instance(struct server *s _unused_, const struct object *o, struct strlist *urls)
{
        if (is_web_used && streq(o->name, "web"))
                strlist_add(urls, "/1.0/instances/c1");
}

static struct test_daemon *start(void)
{
        struct test_daemon *d = test_daemon_new((family_fn *[]){ projects_register, profiles_register, NULL });
        is_web_used = false;
        profiles_set_hooks(&(struct profile_hooks){ 0 });
        used_by_add("profile", fake_instance);
        test_daemon_put(d, projects_first_start);
        test_daemon_put(d, profiles_first_start);
        return d;
}

#define WEB "{\"name\":\"web\",\"description\":\"Front\",\"config\":{\"user.x\":\"y\",\"security.nesting\":\"true\"}," \
            "\"devices\":{\"root\":{\"type\":\"disk\",\"path\":\"/\",\"pool\":\"default\"}}}"

static struct test_daemon *start_with_web(void)
{
        struct test_daemon *d = start();
        ASSERT_EQ(api_post(d, "/1.0/profiles", WEB), 201);
        return d;
}

TEST(the_default_objects_are_real)
{
        struct test_daemon *d = start();
        ASSERT_EQ(api_get(d, "/1.0/projects/default"), 200);
        ASSERT_STR(api_string(d, "metadata/config/features.profiles"), "true");
        ASSERT_STR(api_string(d, "metadata/used_by/0"), "/1.0/profiles/default");
        ASSERT_TRUE(d->etag != NULL);
        ASSERT_EQ(api_get(d, "/1.0/projects"), 200);
        ASSERT_STR(api_string(d, "metadata"), "[\"/1.0/projects/default\"]");
        ASSERT_EQ(api_get(d, "/1.0/projects?recursion=1"), 200);
        ASSERT_STR(api_string(d, "metadata/0/name"), "default");
        ASSERT_EQ(api_get(d, "/1.0/projects/other"), 404);
        ASSERT_EQ(api_get(d, "/1.0/profiles"), 200);
        ASSERT_STR(api_string(d, "metadata"), "[\"/1.0/profiles/default\"]");
        ASSERT_EQ(api_get(d, "/1.0/profiles/default"), 200);
        ASSERT_STR(api_string(d, "metadata/devices"), "{}");
        ASSERT_STR(api_string(d, "metadata/used_by"), "[]");
        test_daemon_free(d);
}

TEST(a_profile_is_created_and_read_back)
{
        struct test_daemon *d = start();
        ASSERT_EQ(api_post(d, "/1.0/profiles", WEB), 201);
        ASSERT_STR(d->location, "/1.0/profiles/web");
        ASSERT_EQ(api_get(d, "/1.0/profiles/web"), 200);
        ASSERT_STR(api_string(d, "metadata/description"), "Front");
        ASSERT_STR(api_string(d, "metadata/config/user.x"), "y");
        ASSERT_STR(api_string(d, "metadata/devices/root/pool"), "default");
        ASSERT_EQ(api_get(d, "/1.0/profiles?recursion=1"), 200);
        ASSERT_STR(api_string(d, "metadata/1/name"), "web");
        ASSERT_EQ(api_post(d, "/1.0/profiles", WEB), 409);
        ASSERT_STR(api_string(d, "error"), "Profile \"web\" already exists");
        ASSERT_STR(api_string(d, "metadata/reason"), "already-exists");
        test_daemon_free(d);
}

TEST(bad_profiles_are_refused_with_a_sentence)
{
        struct test_daemon *d = start();
        static const struct {
                const char *body, *sentence;
        } cases[] = {
                { "{}", "Invalid profile name \"\"" },
                { "{\"name\":\"a/b\"}", "Invalid profile name \"a/b\"" },
                { "{\"name\":\"-x\"}", "must not begin with" },
                { "{\"name\":\"p\",\"config\":{\"limits.cpu\":\"2\"}}", "Unknown config key \"limits.cpu\"" },
                { "{\"name\":\"p\",\"config\":{\"raw.lxc\":\"x\"}}", "Unknown config key \"raw.lxc\"" },
                { "{\"name\":\"p\",\"config\":{\"volatile.uuid\":\"x\"}}", "Unknown config key \"volatile.uuid\"" },
                { "{\"name\":\"p\",\"config\":{\"security.nesting\":\"maybe\"}}", "true or false is expected" },
                { "{\"name\":\"p\",\"config\":{\"environment.A\":\"b\\nc\"}}", "one line of text is expected" },
                { "{\"name\":\"p\",\"config\":7}", "profile.config: an object is expected" },
                { "{\"name\":\"p\",\"devices\":{\"eth0\":{\"name\":\"x\"}}}", "Device \"eth0\" has no type" },
                { "{\"name\":\"p\",\"devices\":{\"../x\":{\"type\":\"disk\"}}}", "Invalid device name" },
                { NULL, "a JSON object is expected" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                ASSERT_EQ(api_post(d, "/1.0/profiles", cases[i].body), 400);
                if (!strstr(api_string(d, "error"), cases[i].sentence))
                        fail_msg("\"%s\" lacks \"%s\"", api_string(d, "error"), cases[i].sentence);
        }
        ASSERT_EQ(api_post(d, "/1.0/profiles?project=none", WEB), 404);
        ASSERT_STR(api_string(d, "error"), "Project \"none\" not found");
        test_daemon_free(d);
}

TEST(put_replaces_and_patch_merges)
{
        struct test_daemon *d = start_with_web();
        ASSERT_EQ(api_patch(d, "/1.0/profiles/web", "{\"config\":{\"user.z\":\"1\",\"user.x\":\"\"}}"), 200);
        ASSERT_EQ(api_get(d, "/1.0/profiles/web"), 200);
        ASSERT_STR(api_string(d, "metadata/config"), "{\"security.nesting\":\"true\",\"user.z\":\"1\"}");
        ASSERT_STR(api_string(d, "metadata/description"), "Front");
        /* The whole envelope comes back from some clients, with a name that says something else. */
        ASSERT_EQ(api_put(d, "/1.0/profiles/web", "{\"name\":\"other\",\"used_by\":[],\"config\":{\"user.a\":\"b\"}}"), 200);
        ASSERT_EQ(api_get(d, "/1.0/profiles/web"), 200);
        ASSERT_STR(api_string(d, "metadata/name"), "web");
        ASSERT_STR(api_string(d, "metadata/config"), "{\"user.a\":\"b\"}");
        ASSERT_STR(api_string(d, "metadata/devices"), "{}");
        ASSERT_STR(api_string(d, "metadata/description"), "");
        ASSERT_EQ(api_put(d, "/1.0/profiles/none", "{}"), 404);
        test_daemon_free(d);
}

TEST(an_old_etag_is_refused)
{
        struct test_daemon *d = start_with_web();
        ASSERT_EQ(api_get(d, "/1.0/profiles/web"), 200);
        _cleanup_free_ char *etag = xstrdup(d->etag);
        ASSERT_EQ(api_request(d, "PUT", "/1.0/profiles/web", "{\"description\":\"a\"}", etag), 200);
        ASSERT_EQ(api_request(d, "PUT", "/1.0/profiles/web", "{\"description\":\"b\"}", etag), 412);
        ASSERT_EQ(api_request(d, "PATCH", "/1.0/profiles/web", "{\"description\":\"b\"}", etag), 412);
        ASSERT_EQ(api_request(d, "DELETE", "/1.0/profiles/web", NULL, etag), 412);
        ASSERT_EQ(api_get(d, "/1.0/profiles/web"), 200);
        ASSERT_STR(api_string(d, "metadata/description"), "a");
        test_daemon_free(d);
}

TEST(writers_at_the_same_time_all_succeed)
{
        struct test_daemon *d = start_with_web();
        int status[3];
        api_send(d, "PATCH", "/1.0/profiles/web", "{\"config\":{\"user.1\":\"a\"}}", &status[0]);
        api_send(d, "PATCH", "/1.0/profiles/web", "{\"config\":{\"user.2\":\"a\"}}", &status[1]);
        api_send(d, "PATCH", "/1.0/profiles/web", "{\"config\":{\"user.3\":\"a\"}}", &status[2]);
        ASSERT_EQ(api_patch(d, "/1.0/profiles/web", "{\"config\":{\"user.4\":\"a\"}}"), 200);
        for (size_t i = 0; i < 3; i++)
                ASSERT_EQ(status[i], 200);
        ASSERT_EQ(api_get(d, "/1.0/profiles/web"), 200);
        for (int i = 1; i <= 4; i++) {
                _cleanup_free_ char *path = xasprintf("metadata/config/user.%d", i);
                ASSERT_STR(api_string(d, path), "a");
        }
        test_daemon_free(d);
}

TEST(a_put_does_not_bring_a_deleted_profile_back)
{
        struct test_daemon *d = start_with_web();
        int status;
        api_send(d, "DELETE", "/1.0/profiles/web", NULL, &status);
        ASSERT_EQ(api_put(d, "/1.0/profiles/web", "{\"description\":\"a\"}"), 404);
        ASSERT_EQ(status, 200);
        ASSERT_EQ(api_get(d, "/1.0/profiles/web"), 404);
        test_daemon_free(d);
}

static void rename_instances(struct server *s _unused_, struct change *c _unused_, const struct object *profile,
                             const char *new_name)
{
        ASSERT_STR(profile->name, "web");
        ASSERT_STR(new_name, "www");
        is_web_used = false;
}

TEST(a_profile_in_use_can_be_renamed_and_not_deleted)
{
        struct test_daemon *d = start_with_web();
        is_web_used = true;
        profiles_set_hooks(&(struct profile_hooks){ .rename_in_users = rename_instances });
        ASSERT_EQ(api_get(d, "/1.0/profiles/web"), 200);
        ASSERT_STR(api_string(d, "metadata/used_by/0"), "/1.0/instances/c1");
        ASSERT_EQ(api_delete(d, "/1.0/profiles/web"), 400);
        ASSERT_STR(api_string(d, "error"), "Profile \"web\" is in use by \"instances/c1\"");
        ASSERT_EQ(api_post(d, "/1.0/profiles/web", "{\"name\":\"default\"}"), 409);
        ASSERT_EQ(api_post(d, "/1.0/profiles/web", "{\"name\":\"a b\"}"), 400);
        ASSERT_EQ(api_post(d, "/1.0/profiles/web", "{\"name\":\"www\"}"), 201);
        ASSERT_STR(d->location, "/1.0/profiles/www");
        ASSERT_FALSE(is_web_used);
        ASSERT_EQ(api_get(d, "/1.0/profiles/web"), 404);
        ASSERT_EQ(api_get(d, "/1.0/profiles/www"), 200);
        ASSERT_STR(api_string(d, "metadata/name"), "www");
        ASSERT_EQ(api_delete(d, "/1.0/profiles/www"), 200);
        ASSERT_EQ(api_get(d, "/1.0/profiles/www"), 404);
        ASSERT_STR(api_string(d, "error"), "Profile \"www\" not found");
        test_daemon_free(d);
}

TEST(the_default_profile_stays)
{
        struct test_daemon *d = start();
        ASSERT_EQ(api_delete(d, "/1.0/profiles/default"), 403);
        ASSERT_EQ(api_post(d, "/1.0/profiles/default", "{\"name\":\"x\"}"), 403);
        ASSERT_EQ(api_put(d, "/1.0/profiles/default", "{\"description\":\"mine\"}"), 200);
        test_daemon_free(d);
}

static int refuse_devices(struct server *s _unused_, const char *project _unused_, const struct devices *devices,
                          struct error *err)
{
        return devices->n ? error_set(err, ERR_BAD_REQUEST, "no devices today") : 0;
}

static int refuse_change(struct server *s _unused_, const struct object *o, const struct profile *next _unused_,
                         struct error *err)
{
        return error_set(err, ERR_BAD_REQUEST, "users of %s object", o->name);
}

TEST(hooks_have_a_say)
{
        struct test_daemon *d = start_with_web();
        profiles_set_hooks(&(struct profile_hooks){ .check_devices = refuse_devices, .check_users = refuse_change });
        ASSERT_EQ(api_put(d, "/1.0/profiles/web", WEB), 400);
        ASSERT_STR(api_string(d, "error"), "no devices today");
        ASSERT_EQ(api_put(d, "/1.0/profiles/web", "{}"), 400);
        ASSERT_STR(api_string(d, "error"), "users of web object");
        test_daemon_free(d);
}

TEST(the_only_project_is_shown_counted_and_described)
{
        struct test_daemon *d = start_with_web();
        ASSERT_EQ(api_get(d, "/1.0/projects/default/state"), 200);
        ASSERT_STR(api_string(d, "metadata/resources/instances"), "{\"Limit\":-1,\"Usage\":0}");
        ASSERT_STR(api_string(d, "metadata/resources/virtual-machines/Usage"), "0");
        ASSERT_EQ(api_get(d, "/1.0/projects/other/state"), 404);
        ASSERT_EQ(api_patch(d, "/1.0/projects/default", "{\"description\":\"Ours\",\"config\":{\"user.a\":\"b\"}}"), 200);
        ASSERT_EQ(api_get(d, "/1.0/projects/default"), 200);
        ASSERT_STR(api_string(d, "metadata/description"), "Ours");
        ASSERT_STR(api_string(d, "metadata/config/user.a"), "b");
        ASSERT_STR(api_string(d, "metadata/config/features.images"), "true");
        ASSERT_EQ(api_request(d, "PATCH", "/1.0/projects/default", "{\"description\":\"x\"}", "stale"), 412);
        test_daemon_free(d);
}

TEST(what_projects_cannot_do_yet_is_refused_in_words)
{
        static const struct {
                const char *method, *target, *body;
                int status;
                const char *sentence;
        } rows[] = {
                { "POST", "/1.0/projects", "{\"name\":\"new\"}", 501, "this release has the project \"default\" only" },
                { "POST", "/1.0/projects", "{\"name\":\"default\"}", 409, "already exists" },
                { "POST", "/1.0/projects", "{\"name\":\"a/b\"}", 400, "Invalid project name" },
                { "POST", "/1.0/projects", "{}", 400, "Invalid project name" },
                { "PUT", "/1.0/projects/default", "{}", 400, "\"features.images\" of project \"default\" cannot be changed" },
                { "PATCH", "/1.0/projects/default", "{\"config\":{\"features.profiles\":\"false\"}}", 400, "cannot be changed" },
                { "PATCH", "/1.0/projects/default", "{\"config\":{\"limits.cpu\":\"2\"}}", 400, "Unknown config key" },
                { "POST", "/1.0/projects/default", "{\"name\":\"x\"}", 403, "cannot be renamed" },
                { "DELETE", "/1.0/projects/default", NULL, 403, "cannot be deleted" },
                { "DELETE", "/1.0/projects/other", NULL, 404, "Project \"other\" not found" },
        };
        struct test_daemon *d = start();
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                ASSERT_EQ(api_request(d, rows[i].method, rows[i].target, rows[i].body, NULL), rows[i].status);
                ASSERT_CONTAINS(api_string(d, "error"), rows[i].sentence);
        }
        test_daemon_free(d);
}
