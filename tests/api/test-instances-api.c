/* SPDX-License-Identifier: Apache-2.0 */
/* links: testdaemon instances networks storage-pools images profiles projects */
/* Instances over the API without processes: jobs are answered by the test, commits take 50 ms. */
#include "tests/lib/daemon.h"
#include "base/alloc.h"
#include "images/images.h"
#include "instances/instance.h"
#include "instances/instances.h"
#include "networks/networks.h"
#include "profiles/profiles.h"
#include "projects/projects.h"
#include "server/operation.h"
#include "storage-pools/storage-pools.h"

#define FINGERPRINT "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define FROM_IMAGE "\"source\":{\"type\":\"image\",\"alias\":\"busybox\"}"

static void put_image(struct server *s _unused_, struct change *c)
{
        struct image *image = type_new(&image_type);
        struct image_alias *alias = type_new(&image_alias_type);
        image->fingerprint = xstrdup(FINGERPRINT);
        image->architecture = xstrdup("x86_64");
        image->format = xstrdup("squashfs");
        image->layout = xstrdup("split");
        image->may_mount_squashfs = true;
        strmap_set(&image->properties, "os", "Busybox");
        strlist_add(&image->profiles, "default");
        alias->name = xstrdup("busybox");
        alias->target = xstrdup(FINGERPRINT);
        alias->type = xstrdup("container");
        change_put(c, &image_kind, "default", FINGERPRINT, OBJECT_REV_NEW, image);
        change_put(c, &image_alias_kind, "default", "busybox", OBJECT_REV_NEW, alias);
}

static void put_profiles(struct server *s, struct change *c)
{
        profiles_first_start(s, c);
}

static void put_projects(struct server *s, struct change *c)
{
        projects_first_start(s, c);
}

static struct test_daemon *start(void)
{
        struct test_daemon *d = test_daemon_new((family_fn *[]){ projects_register, profiles_register, storage_pools_register,
                                                                 networks_register, images_register, instances_register, NULL });
        router_add(d->server, operation_routes);
        networks_set_fake(true);
        test_daemon_put(d, put_projects);
        test_daemon_put(d, put_profiles);
        test_daemon_put(d, put_image);
        test_job_answers(d, "layer-probe", "{\"idmap\":true,\"squashfs\":true}");
        ASSERT_EQ(api_post(d, "/1.0/storage-pools", "{\"name\":\"default\",\"driver\":\"dir\"}"), 201);
        ASSERT_EQ(api_patch(d, "/1.0/profiles/default",
                            "{\"devices\":{\"root\":{\"type\":\"disk\",\"path\":\"/\",\"pool\":\"default\"}}}"),
                  200);
        return d;
}

/* Sends, then waits for the operation; its status code. */
static int operate(struct test_daemon *d, const char *method, const char *target, const char *body)
{
        int status = api_request(d, method, target, body, NULL);
        if (status != 202)
                return status;
        _cleanup_free_ char *wait = xasprintf("%s/wait", api_string(d, "operation"));
        ASSERT_EQ(api_get(d, wait), 200);
        return (int)strtol(api_string(d, "metadata/status_code"), NULL, 10);
}

TEST(an_instance_is_created_read_changed_renamed_and_deleted)
{
        struct test_daemon *d = start();
        ASSERT_EQ(operate(d, "POST", "/1.0/instances", "{\"name\":\"c1\",\"config\":{\"user.a\":\"1\"}," FROM_IMAGE "}"), 200);
        ASSERT_EQ(api_get(d, "/1.0/instances/c1"), 200);
        ASSERT_STR(api_string(d, "metadata/status"), "Stopped");
        ASSERT_STR(api_string(d, "metadata/profiles"), "[\"default\"]");
        ASSERT_STR(api_string(d, "metadata/expanded_devices/root/pool"), "default");
        ASSERT_STR(api_string(d, "metadata/config/image.os"), "Busybox");
        ASSERT_STR(api_string(d, "metadata/config/volatile.base_image"), FINGERPRINT);
        ASSERT_EQ(operate(d, "PUT", "/1.0/instances/c1", "{\"config\":{\"user.b\":\"2\"},\"profiles\":[\"default\"]}"), 200);
        ASSERT_EQ(api_get(d, "/1.0/instances/c1"), 200);
        ASSERT_STR(api_string(d, "metadata/config/user.a"), NULL);
        ASSERT_STR(api_string(d, "metadata/config/user.b"), "2");
        ASSERT_STR(api_string(d, "metadata/config/volatile.base_image"), FINGERPRINT);
        ASSERT_EQ(api_patch(d, "/1.0/instances/c1", "{\"description\":\"x\"}"), 200);
        ASSERT_EQ(operate(d, "POST", "/1.0/instances/c1", "{\"name\":\"c2\"}"), 200);
        ASSERT_EQ(api_get(d, "/1.0/instances/c1"), 404);
        ASSERT_EQ(api_get(d, "/1.0/instances/c2"), 200);
        ASSERT_STR(api_string(d, "metadata/description"), "x");
        ASSERT_EQ(api_get(d, "/1.0/instances"), 200);
        ASSERT_STR(api_string(d, "metadata"), "[\"/1.0/instances/c2\"]");
        ASSERT_EQ(operate(d, "DELETE", "/1.0/instances/c2", NULL), 200);
        ASSERT_EQ(api_get(d, "/1.0/instances/c2"), 404);
        test_daemon_free(d);
}

TEST(what_cannot_be_made_is_refused_with_a_sentence)
{
        static const struct {
                const char *body;
                int status;
                const char *part;
        } rows[] = {
                { "{\"name\":\"a/b\"," FROM_IMAGE "}", 400, "Invalid instance name" },
                { "{\"name\":\"..\"," FROM_IMAGE "}", 400, "Invalid instance name" },
                { "{\"name\":\"c1\",\"type\":\"virtual-machine\"," FROM_IMAGE "}", 501, "Virtual machines" },
                { "{\"name\":\"c1\",\"type\":\"jail\"," FROM_IMAGE "}", 400, "jail" },
                { "{\"name\":\"c1\",\"source\":{\"type\":\"copy\",\"source\":\"x\"}}", 404, "Instance \\\"x\\\" not found" },
                { "{\"name\":\"c1\",\"source\":{\"type\":\"copy\",\"source\":\"x/snap\"}}", 501, "snapshot" },
                { "{\"name\":\"c1\",\"source\":{\"type\":\"copy\",\"source\":\"x\",\"refresh\":true}}", 501, "Refreshing" },
                { "{\"name\":\"c1\",\"source\":{\"type\":\"copy\",\"source\":\"x\",\"project\":\"p\"}}", 501, "another project" },
                { "{\"name\":\"c1\",\"source\":{\"type\":\"migration\"}}", 501, "migration" },
                { "{\"name\":\"c1\",\"source\":{\"type\":\"magic\"}}", 400, "Unknown source type" },
                { "{\"name\":\"c1\",\"source\":{\"type\":\"image\"}}", 400, "neither" },
                { "{\"name\":\"c1\",\"architecture\":\"pdp11\"," FROM_IMAGE "}", 400, "pdp11" },
                { "{\"name\":\"c1\",\"profiles\":[\"default\",\"default\"]," FROM_IMAGE "}", 400, "named twice" },
                { "{\"name\":\"c1\",\"profiles\":[\"none\"]," FROM_IMAGE "}", 404, "Profile \\\"none\\\" not found" },
                { "{\"name\":\"c1\",\"profiles\":[]," FROM_IMAGE "}", 400, "No root disk" },
                { "{\"name\":\"c1\",\"config\":{\"limits.nonsense\":\"1\"}," FROM_IMAGE "}", 400, "limits.nonsense" },
                { "{\"name\":\"c1\",\"config\":{\"raw.lxc\":\"x\"}," FROM_IMAGE "}", 400, "raw.lxc" },
                { "{\"name\":\"c1\",\"devices\":{\"g\":{\"type\":\"gpu\"}}," FROM_IMAGE "}", 400, "gpu" },
                { "{\"name\":\"c1\",\"devices\":{\"n\":{\"type\":\"nic\",\"nictype\":\"bridged\",\"parent\":\"br77\",\"vlan\":\"1\"}}," FROM_IMAGE "}", 400, "vlan" },
                { "{\"name\":3," FROM_IMAGE "}", 400, "name" },
        };
        struct test_daemon *d = start();
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                int status = operate(d, "POST", "/1.0/instances", rows[i].body);
                const char *answer = json_text(d->answer);
                if (status != rows[i].status || !strstr(answer, rows[i].part))
                        fail_msg("%s: %d %s", rows[i].body, status, answer);
        }
        ASSERT_EQ(api_get(d, "/1.0/instances"), 200);
        ASSERT_STR(api_string(d, "metadata"), "[]");
        test_daemon_free(d);
}

TEST(an_image_that_is_not_there_is_told_at_once_and_frees_the_name)
{
        struct test_daemon *d = start();
        ASSERT_EQ(operate(d, "POST", "/1.0/instances", "{\"name\":\"c1\",\"source\":{\"type\":\"image\",\"alias\":\"nope\"}}"), 404);
        ASSERT_CONTAINS(api_string(d, "error"), "nope");
        ASSERT_EQ(operate(d, "POST", "/1.0/instances", "{\"name\":\"c1\"," FROM_IMAGE "}"), 200);
        test_daemon_free(d);
}

TEST(a_worker_that_fails_leaves_no_instance)
{
        struct test_daemon *d = start();
        test_job_fails(d, "layer-unpack", ERR_NO_SPACE);
        test_job_fails(d, "layer-begin", ERR_NO_SPACE);
        ASSERT_EQ(operate(d, "POST", "/1.0/instances", "{\"name\":\"c1\"," FROM_IMAGE "}"), 400);
        ASSERT_EQ(api_get(d, "/1.0/instances/c1"), 404);
        test_daemon_free(d);
}

TEST(a_start_that_fails_leaves_it_stopped_and_says_why)
{
        struct test_daemon *d = start();
        ASSERT_EQ(operate(d, "POST", "/1.0/instances", "{\"name\":\"c1\"," FROM_IMAGE "}"), 200);
        test_job_fails(d, "start", ERR_NOT_FOUND);
        ASSERT_EQ(operate(d, "PUT", "/1.0/instances/c1/state", "{\"action\":\"start\"}"), 400);
        ASSERT_CONTAINS(api_string(d, "metadata/err"), "c1");
        ASSERT_EQ(api_get(d, "/1.0/instances/c1/state"), 200);
        ASSERT_STR(api_string(d, "metadata/status"), "Stopped");
        test_daemon_free(d);
}

TEST(actions_that_do_not_fit_the_state_are_refused)
{
        static const char *const actions[] = { "stop", "restart", "freeze", "unfreeze", "dance", "" };
        struct test_daemon *d = start();
        ASSERT_EQ(operate(d, "POST", "/1.0/instances", "{\"name\":\"c1\"," FROM_IMAGE "}"), 200);
        for (size_t i = 0; i < ARRAY_SIZE(actions); i++) {
                _cleanup_free_ char *body = xasprintf("{\"action\":\"%s\"}", actions[i]);
                ASSERT_EQ(api_put(d, "/1.0/instances/c1/state", body), 400);
        }
        ASSERT_EQ(api_put(d, "/1.0/instances/c9/state", "{\"action\":\"start\"}"), 404);
        test_daemon_free(d);
}

TEST(an_edit_of_what_has_changed_meanwhile_is_refused)
{
        struct test_daemon *d = start();
        ASSERT_EQ(operate(d, "POST", "/1.0/instances", "{\"name\":\"c1\"," FROM_IMAGE "}"), 200);
        ASSERT_EQ(api_get(d, "/1.0/instances/c1"), 200);
        _cleanup_free_ char *etag = xstrdup(d->etag);
        ASSERT_EQ(api_patch(d, "/1.0/instances/c1", "{\"description\":\"first\"}"), 200);
        ASSERT_EQ(api_request(d, "PUT", "/1.0/instances/c1", "{\"description\":\"second\"}", etag), 412);
        test_daemon_free(d);
}

TEST(two_with_one_name_never_both_succeed)
{
        struct test_daemon *d = start();
        int first = 0;
        api_send(d, "POST", "/1.0/instances", "{\"name\":\"c1\"," FROM_IMAGE "}", &first);
        ASSERT_EQ(operate(d, "POST", "/1.0/instances", "{\"name\":\"c1\"," FROM_IMAGE "}"), 409);
        ASSERT_EQ(first, 202);
        test_daemon_free(d);
}

static struct test_daemon *start_with(const char *body)
{
        struct test_daemon *d = start();
        ASSERT_EQ(operate(d, "POST", "/1.0/instances", body), 200);
        return d;
}

TEST(what_an_edit_leaves_out_stays_or_goes_as_with_lxd)
{
        struct test_daemon *d = start_with("{\"name\":\"c1\",\"devices\":{\"n\":{\"type\":\"nic\",\"nictype\":\"p2p\",\"name\":\"eth9\"}}," FROM_IMAGE "}");
        ASSERT_EQ(api_get(d, "/1.0/instances/c1"), 200);
        _cleanup_free_ char *hwaddr = xstrdup(api_string(d, "metadata/config/volatile.n.hwaddr"));
        ASSERT_TRUE(hwaddr != NULL); /* before the first start: for DHCP servers and inventories */
        ASSERT_EQ(operate(d, "PUT", "/1.0/instances/c1",
                          "{\"devices\":{\"n\":{\"type\":\"nic\",\"nictype\":\"p2p\",\"name\":\"\"}},\"profiles\":[\"default\"]}"),
                  200);
        ASSERT_EQ(api_get(d, "/1.0/instances/c1"), 200);
        ASSERT_STR(api_string(d, "metadata/architecture"), "x86_64");
        ASSERT_STR(api_string(d, "metadata/devices/n"), "{\"nictype\":\"p2p\",\"type\":\"nic\"}");
        ASSERT_STR(api_string(d, "metadata/config/volatile.n.hwaddr"), hwaddr);
        ASSERT_EQ(operate(d, "PUT", "/1.0/instances/c1", "{\"profiles\":[\"default\"]}"), 200);
        ASSERT_EQ(api_get(d, "/1.0/instances/c1"), 200);
        ASSERT_STR(api_string(d, "metadata/config/volatile.n.hwaddr"), NULL);
        ASSERT_EQ(api_put(d, "/1.0/instances/c1", "{\"profiles\":[\"default\",\"default\"]}"), 400);
        test_daemon_free(d);
}

TEST(what_shall_run_after_a_reboot_is_not_for_clients_to_say)
{
        struct test_daemon *d = start_with("{\"name\":\"c1\"," FROM_IMAGE "}");
        ASSERT_EQ(api_patch(d, "/1.0/instances/c1", "{\"config\":{\"volatile.last_state.power\":\"RUNNING\"}}"), 200);
        ASSERT_EQ(api_get(d, "/1.0/instances/c1"), 200);
        ASSERT_STR(api_string(d, "metadata/config/volatile.last_state.power"), NULL);
        test_daemon_free(d);
}

TEST(a_client_that_names_no_profile_gets_those_of_the_image)
{
        struct test_daemon *d = start();
        ASSERT_EQ(api_post(d, "/1.0/profiles", "{\"name\":\"web\"}"), 201);
        ASSERT_EQ(api_put(d, "/1.0/images/" FINGERPRINT, "{\"profiles\":[\"default\",\"nope\"]}"), 404);
        ASSERT_EQ(api_put(d, "/1.0/images/" FINGERPRINT, "{\"profiles\":[\"default\",\"web\"],\"properties\":{\"a\":\"b\",\"c\":\"\"}}"), 200);
        ASSERT_EQ(api_get(d, "/1.0/images/" FINGERPRINT), 200);
        ASSERT_STR(api_string(d, "metadata/properties"), "{\"a\":\"b\"}");
        ASSERT_EQ(operate(d, "POST", "/1.0/instances", "{\"name\":\"c1\",\"profiles\":null," FROM_IMAGE "}"), 200);
        ASSERT_EQ(api_get(d, "/1.0/instances/c1"), 200);
        ASSERT_STR(api_string(d, "metadata/profiles"), "[\"default\",\"web\"]");
        test_daemon_free(d);
}

TEST(lxds_older_names_of_the_tree_lead_to_the_same_instances)
{
        struct test_daemon *d = start_with("{\"name\":\"c1\"," FROM_IMAGE "}");
        ASSERT_EQ(api_get(d, "/1.0/containers"), 200);
        ASSERT_STR(api_string(d, "metadata"), "[\"/1.0/containers/c1\"]");
        ASSERT_EQ(api_get(d, "/1.0/containers/c1/state"), 200);
        ASSERT_EQ(api_get(d, "/1.0/virtual-machines"), 200);
        ASSERT_STR(api_string(d, "metadata"), "[]");
        ASSERT_EQ(api_get(d, "/1.0/virtual-machines/c1"), 404);
        ASSERT_EQ(api_post(d, "/1.0/virtual-machines", "{\"name\":\"v1\"," FROM_IMAGE "}"), 501);
        ASSERT_EQ(api_get(d, "/1.0/instances/c_1"), 404); /* a name nothing can have is not a mistake of reading */
        ASSERT_EQ(operate(d, "POST", "/1.0/containers", "{\"name\":\"c2\"," FROM_IMAGE "}"), 200);
        ASSERT_STR(api_string(d, "metadata/resources"), "{\"instances\":[\"/1.0/instances/c2\"],\"containers\":[\"/1.0/containers/c2\"]}");
        ASSERT_EQ(operate(d, "DELETE", "/1.0/containers/c2", NULL), 200);
        test_daemon_free(d);
}

TEST(one_request_acts_on_all_instances_that_it_fits)
{
        struct test_daemon *d = start_with("{\"name\":\"c1\"," FROM_IMAGE "}");
        ASSERT_EQ(operate(d, "POST", "/1.0/instances", "{\"name\":\"c2\"," FROM_IMAGE "}"), 200);
        ASSERT_EQ(operate(d, "PUT", "/1.0/instances", "{\"state\":{\"action\":\"stop\",\"force\":true}}"), 200);
        ASSERT_STR(api_string(d, "metadata/resources"), NULL); /* neither runs */
        test_job_fails(d, "start", ERR_INTERNAL);
        ASSERT_EQ(operate(d, "PUT", "/1.0/instances", "{\"state\":{\"action\":\"start\"}}"), 400);
        ASSERT_STR(api_string(d, "metadata/resources/instances"), "[\"/1.0/instances/c1\",\"/1.0/instances/c2\"]");
        ASSERT_CONTAINS(api_string(d, "metadata/err"), "2 instances failed, the first so: ");
        ASSERT_EQ(api_put(d, "/1.0/instances", "{}"), 400);
        ASSERT_EQ(api_put(d, "/1.0/instances", "{\"state\":{\"action\":\"dance\"}}"), 400);
        ASSERT_EQ(operate(d, "DELETE", "/1.0/instances/c1", NULL), 200); /* nothing claims it any more */
        test_daemon_free(d);
}

TEST(no_request_reaches_a_member_of_a_cluster)
{
        struct test_daemon *d = start();
        ASSERT_EQ(api_post(d, "/1.0/instances?target=other", "{\"name\":\"c1\"," FROM_IMAGE "}"), 404);
        ASSERT_CONTAINS(api_string(d, "error"), "Cluster member \"other\" not found");
        ASSERT_EQ(api_get(d, "/1.0/instances?target=none"), 200);
        ASSERT_STR(api_string(d, "metadata"), "[]");
        test_daemon_free(d);
}
