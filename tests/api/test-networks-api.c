/* SPDX-License-Identifier: Apache-2.0 */
/* links: testdaemon networks profiles projects server config api store runtime */
#include "tests/lib/daemon.h"
#include "networks/networks.h"
#include "networks/nic.h"
#include "profiles/profiles.h"
#include "projects/projects.h"

static struct test_daemon *begin(void)
{
        networks_set_fake(true);
        struct test_daemon *d =
                test_daemon_new((family_fn *[]){ projects_register, profiles_register, networks_register, NULL });
        test_daemon_put(d, projects_first_start);
        test_daemon_put(d, profiles_first_start);
        test_job_answers(d, "subnet-find", "{\"ipv4\":\"10.9.16.1/20\",\"ipv6\":\"fd42:9:9:9::1/64\"}");
        return d;
}

static void end(struct test_daemon *d)
{
        networks_free(d->server);
        test_daemon_free(d);
}

static void make_bridge(struct test_daemon *d, const char *name)
{
        char body[256];
        snprintf(body, sizeof body, "{\"name\":\"%s\",\"config\":{\"ipv4.address\":\"none\",\"ipv6.address\":\"none\"}}",
                 name);
        ASSERT_EQ(api_post(d, "/1.0/networks", body), 201);
}

TEST(network_is_created_with_free_subnets)
{
        struct test_daemon *d = begin();
        ASSERT_EQ(api_post(d, "/1.0/networks", "{\"name\":\"br0\",\"description\":\"mine\"}"), 201);
        ASSERT_STR(d->location, "/1.0/networks/br0");
        ASSERT_STR(d->jobs.data, "subnet-find bridge-up ");
        ASSERT_STR(json_get_string(d->job_args, "ipv4", NULL), "10.9.16.1/20");
        ASSERT_STR(json_get_string(d->job_args, "alias", NULL), "lightd_test");
        ASSERT_TRUE(json_get_bool(d->job_args, "ipv4_nat", false));
        ASSERT_EQ(api_get(d, "/1.0/networks/br0"), 200);
        ASSERT_TRUE(d->etag != NULL);
        ASSERT_STR(api_string(d, "metadata/config/ipv4.address"), "10.9.16.1/20");
        ASSERT_STR(api_string(d, "metadata/config/ipv4.nat"), "true");
        ASSERT_STR(api_string(d, "metadata/config/ipv6.address"), "fd42:9:9:9::1/64");
        ASSERT_STR(api_string(d, "metadata/type"), "bridge");
        ASSERT_STR(api_string(d, "metadata/status"), "Created");
        ASSERT_STR(api_string(d, "metadata/managed"), "true");
        ASSERT_STR(api_string(d, "metadata/locations/0"), "none");
        ASSERT_STR(api_string(d, "metadata/description"), "mine");
        end(d);
}

TEST(networks_list_has_the_hosts_interfaces_too)
{
        struct test_daemon *d = begin();
        make_bridge(d, "br0");
        ASSERT_EQ(api_get(d, "/1.0/networks"), 200);
        ASSERT_STR(api_string(d, "metadata/0"), "/1.0/networks/br0");
        ASSERT_STR(api_string(d, "metadata/1"), "/1.0/networks/lo");
        ASSERT_EQ(api_get(d, "/1.0/networks?recursion=1"), 200);
        ASSERT_STR(api_string(d, "metadata/1/name"), "lo");
        ASSERT_STR(api_string(d, "metadata/1/type"), "loopback");
        ASSERT_STR(api_string(d, "metadata/1/managed"), "false");
        ASSERT_EQ(api_get(d, "/1.0/networks/lo"), 200);
        ASSERT_EQ(api_get(d, "/1.0/networks/lo/state"), 200);
        ASSERT_STR(api_string(d, "metadata/type"), "loopback");
        ASSERT_STR(api_string(d, "metadata/bridge"), NULL);
        ASSERT_EQ(api_get(d, "/1.0/networks/none"), 404);
        end(d);
}

TEST(network_that_cannot_run_is_not_left_behind)
{
        struct test_daemon *d = begin();
        test_job_fails(d, "bridge-up", ERR_UNSUPPORTED);
        ASSERT_EQ(api_post(d, "/1.0/networks", "{\"name\":\"br0\"}"), 501);
        ASSERT_STR(api_string(d, "error"), "bridge-up failed");
        ASSERT_STR(d->jobs.data, "subnet-find bridge-up bridge-down ");
        ASSERT_EQ(api_get(d, "/1.0/networks/br0"), 404);
        end(d);
}

TEST(network_names_and_keys_are_checked_at_the_door)
{
        struct test_daemon *d = begin();
        static const char *const bad[] = {
                "{}", "{\"name\":\"a/b\"}", "{\"name\":\"-x\"}", "{\"name\":\"sixteencharacter\"}",
                "{\"name\":\"br0\",\"type\":\"ovn\"}", "{\"name\":\"br0\",\"config\":{\"bridge.driver\":\"native\"}}",
                "{\"name\":\"br0\",\"config\":{\"ipv4.address\":\"10.0.0.300/8\"}}",
        };
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                ASSERT_EQ(api_post(d, "/1.0/networks", bad[i]), 400);
        ASSERT_EQ(api_post(d, "/1.0/networks", "{\"name\":\"lo\"}"), 409);
        ASSERT_CONTAINS(api_string(d, "error"), "exists already on this host");
        ASSERT_EQ(d->jobs.len, 0);
        make_bridge(d, "br0");
        ASSERT_EQ(api_post(d, "/1.0/networks", "{\"name\":\"br0\"}"), 409);
        end(d);
}

TEST(networks_do_not_overlap)
{
        struct test_daemon *d = begin();
        ASSERT_EQ(api_post(d, "/1.0/networks", "{\"name\":\"br0\"}"), 201);
        ASSERT_EQ(api_post(d, "/1.0/networks", "{\"name\":\"br1\",\"config\":{\"ipv4.address\":\"10.9.17.1/24\"}}"), 409);
        ASSERT_CONTAINS(api_string(d, "error"), "overlaps");
        end(d);
}

TEST(network_update_applies_and_checks_the_etag)
{
        struct test_daemon *d = begin();
        make_bridge(d, "br0");
        ASSERT_EQ(api_request(d, "PATCH", "/1.0/networks/br0", "{\"config\":{\"user.x\":\"1\"}}", "wrong"), 412);
        ASSERT_EQ(api_patch(d, "/1.0/networks/br0", "{\"config\":{\"bridge.mtu\":\"1400\"}}"), 200);
        ASSERT_EQ(json_get_int(d->job_args, "mtu", 0), 1400);
        ASSERT_EQ(api_get(d, "/1.0/networks/br0"), 200);
        ASSERT_STR(api_string(d, "metadata/config/bridge.mtu"), "1400");
        ASSERT_STR(api_string(d, "metadata/config/ipv4.address"), "none");
        ASSERT_EQ(api_put(d, "/1.0/networks/br0", "{\"description\":\"new\",\"config\":{\"ipv4.address\":\"auto\"}}"), 200);
        ASSERT_EQ(api_get(d, "/1.0/networks/br0"), 200);
        ASSERT_STR(api_string(d, "metadata/config/ipv4.address"), "10.9.16.1/20");
        ASSERT_STR(api_string(d, "metadata/config/bridge.mtu"), NULL);
        ASSERT_STR(api_string(d, "metadata/description"), "new");
        end(d);
}

TEST(network_update_that_fails_is_taken_back)
{
        struct test_daemon *d = begin();
        make_bridge(d, "br0");
        test_job_fails(d, "bridge-up", ERR_INTERNAL);
        ASSERT_EQ(api_patch(d, "/1.0/networks/br0", "{\"config\":{\"bridge.mtu\":\"1400\"}}"), 500);
        ASSERT_EQ(api_get(d, "/1.0/networks/br0"), 200);
        ASSERT_STR(api_string(d, "metadata/config/bridge.mtu"), NULL);
        ASSERT_STR(api_string(d, "metadata/status"), "Unavailable");
        end(d);
}

TEST(two_updates_at_once_both_count)
{
        struct test_daemon *d = begin();
        int first = 0;
        make_bridge(d, "br0");
        api_send(d, "PATCH", "/1.0/networks/br0", "{\"config\":{\"user.a\":\"1\"}}", &first);
        ASSERT_EQ(api_patch(d, "/1.0/networks/br0", "{\"config\":{\"user.b\":\"2\"}}"), 200);
        ASSERT_EQ(first, 200);
        ASSERT_EQ(api_get(d, "/1.0/networks/br0"), 200);
        ASSERT_STR(api_string(d, "metadata/config/user.a"), "1");
        ASSERT_STR(api_string(d, "metadata/config/user.b"), "2");
        end(d);
}

TEST(network_in_use_is_not_deleted)
{
        struct test_daemon *d = begin();
        make_bridge(d, "br0");
        ASSERT_EQ(api_patch(d, "/1.0/profiles/default",
                            "{\"devices\":{\"eth0\":{\"type\":\"nic\",\"network\":\"br0\"}}}"), 200);
        ASSERT_EQ(api_get(d, "/1.0/networks/br0"), 200);
        ASSERT_STR(api_string(d, "metadata/used_by/0"), "/1.0/profiles/default");
        ASSERT_EQ(api_delete(d, "/1.0/networks/br0"), 400);
        ASSERT_CONTAINS(api_string(d, "error"), "profiles/default");
        ASSERT_EQ(api_patch(d, "/1.0/profiles/default", "{\"devices\":{\"eth0\":{\"type\":\"none\"}}}"), 200);
        ASSERT_EQ(api_delete(d, "/1.0/networks/br0"), 200);
        ASSERT_TRUE(json_get_bool(d->job_args, "is_last", false));
        ASSERT_EQ(api_get(d, "/1.0/networks/br0"), 404);
        ASSERT_EQ(api_delete(d, "/1.0/networks/lo"), 400);
        end(d);
}

TEST(leases_begin_with_the_gateways)
{
        struct test_daemon *d = begin();
        ASSERT_EQ(api_post(d, "/1.0/networks", "{\"name\":\"br0\"}"), 201);
        ASSERT_EQ(api_get(d, "/1.0/networks/br0/leases"), 200);
        ASSERT_STR(api_string(d, "metadata/0/hostname"), "br0.gw");
        ASSERT_STR(api_string(d, "metadata/0/address"), "10.9.16.1");
        ASSERT_STR(api_string(d, "metadata/0/type"), "gateway");
        ASSERT_STR(api_string(d, "metadata/1/address"), "fd42:9:9:9::1");
        end(d);
}

static void set_done(void *data)
{
        *(bool *)data = true;
}

TEST(start_brings_networks_up_and_survives_one_that_fails)
{
        struct test_daemon *d = begin();
        bool is_done = false;
        make_bridge(d, "br0");
        networks_free(d->server);
        strbuf_clear(&d->jobs);
        test_job_fails(d, "bridge-up", ERR_UNSUPPORTED);
        networks_start(d->server);
        networks_on_started(d->server, set_done, &is_done);
        test_daemon_until(d, &is_done);
        ASSERT_STR(d->jobs.data, "bridge-sweep bridge-up ");
        ASSERT_EQ(api_get(d, "/1.0/networks/br0"), 200);
        ASSERT_STR(api_string(d, "metadata/status"), "Unavailable");
        end(d);
}

/* --- nics --- */

struct nic_case {
        struct strmap keys, volatile_keys;
        struct nic_plan plan;
        struct error err;
};

static int plan(struct test_daemon *d, struct nic_case *c)
{
        struct nic_request nic = { .project = "default", .instance = "c1", .device = "eth0", .keys = &c->keys,
                                   .volatile_config = &c->volatile_keys, .num = 7, .gen = 3 };
        strmap_set(&c->keys, "type", "nic");
        return nic_plan(d->server, &nic, &c->plan, &c->err);
}

static void nic_done(struct nic_case *c)
{
        strmap_done(&c->keys);
        strmap_done(&c->volatile_keys);
        error_done(&c->err);
        *c = (struct nic_case){ 0 };
}

TEST(nic_of_a_managed_network_is_planned)
{
        struct test_daemon *d = begin();
        struct nic_case c = { 0 };
        make_bridge(d, "br0");
        strmap_set(&c.keys, "network", "br0");
        ASSERT_OK(plan(d, &c));
        ASSERT_STR(c.plan.bridge, "br0");
        ASSERT_STR(c.plan.network, "br0");
        ASSERT_STR(c.plan.name, "eth0");
        ASSERT_STR(c.plan.host_name, "lvtest0000703");
        ASSERT_EQ(c.plan.mtu, 1500);
        ASSERT_TRUE(c.plan.is_new_hwaddr);
        strmap_set(&c.volatile_keys, "volatile.eth0.hwaddr", "00:16:3e:01:02:03");
        ASSERT_OK(plan(d, &c));
        ASSERT_FALSE(c.plan.is_new_hwaddr);
        _cleanup_json_ struct json_object *o = nic_plan_json(&c.plan);
        ASSERT_STR(json_get_string(o, "hwaddr", NULL), "00:16:3e:01:02:03");
        ASSERT_STR(json_get_string(o, "type", NULL), "bridged");
        nic_done(&c);
        end(d);
}

TEST(nic_p2p_has_no_bridge)
{
        struct test_daemon *d = begin();
        struct nic_case c = { 0 };
        strmap_set(&c.keys, "nictype", "p2p");
        strmap_set(&c.keys, "name", "net0");
        strmap_set(&c.keys, "mtu", "1400");
        ASSERT_OK(plan(d, &c));
        ASSERT_STR(c.plan.bridge, "");
        ASSERT_STR(c.plan.name, "net0");
        ASSERT_EQ(c.plan.mtu, 1400);
        nic_done(&c);
        end(d);
}

static void nic_refused(struct test_daemon *d, const char *const *pairs, const char *part)
{
        struct nic_case c = { 0 };
        for (; *pairs; pairs += 2)
                strmap_set(&c.keys, pairs[0], pairs[1]);
        /* As for a device of an instance: first the rows of its keys, then what they come to. */
        ASSERT_TRUE(config_validate(nic_tables, &c.keys, ON_DEVICE, &c.err) < 0 || plan(d, &c) < 0);
        ASSERT_CONTAINS(error_message(&c.err), part);
        nic_done(&c);
}

TEST(nic_refuses_by_name)
{
        struct test_daemon *d = begin();
        make_bridge(d, "br0");
        nic_refused(d, (const char *[]){ NULL }, "needs \"network\" or \"nictype\"");
        nic_refused(d, (const char *[]){ "network", "none", NULL }, "network \"none\" not found");
        nic_refused(d, (const char *[]){ "nictype", "bridged", NULL }, "needs \"parent\"");
        nic_refused(d, (const char *[]){ "nictype", "bridged", "parent", "nobr", NULL },
                    "parent bridge \"nobr\" does not exist");
        nic_refused(d, (const char *[]){ "nictype", "bridged", "parent", "lo", NULL }, "parent \"lo\" is not a bridge");
        nic_refused(d, (const char *[]){ "nictype", "macvlan", "parent", "lo", NULL }, "nictype");
        nic_refused(d, (const char *[]){ "network", "br0", "parent", "br0", NULL }, "\"parent\"");
        nic_refused(d, (const char *[]){ "network", "br0", "ipv4.address", "10.0.0.2", NULL }, "ipv4.address");
        nic_refused(d, (const char *[]){ "network", "br0", "name", "a/b", NULL }, "name");
        nic_refused(d, (const char *[]){ "nictype", "p2p", "host_name", "lo", NULL }, "exists already");
        end(d);
}

TEST(nic_waits_for_no_network_that_does_not_run)
{
        struct test_daemon *d = begin();
        make_bridge(d, "br0");
        test_job_fails(d, "bridge-up", ERR_UNSUPPORTED);
        ASSERT_EQ(api_patch(d, "/1.0/networks/br0", "{\"config\":{\"user.x\":\"1\"}}"), 501);
        nic_refused(d, (const char *[]){ "network", "br0", NULL }, "is not available: bridge-up failed");
        end(d);
}
