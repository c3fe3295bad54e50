/* SPDX-License-Identifier: Apache-2.0 */
/* links: networks projects server config api store runtime */
#include "tests/lib/test.h"
#include "base/alloc.h"
#include "networks/dhcp-release.h"
#include "networks/dnsmasq.h"
#include "networks/host-entry.h"
#include "networks/lease.h"
#include "networks/netspace.h"
#include "networks/nic.h"

#include <linux/rtnetlink.h>

static struct network *make(const char *key, const char *value)
{
        struct network *n = type_new(&network_type);
        n->name = xstrdup("br0");
        n->type = xstrdup("bridge");
        strmap_set(&n->config, "ipv4.address", "10.1.16.1/20");
        strmap_set(&n->config, "ipv6.address", "fd42:1:2:3::1/64");
        if (key)
                strmap_set(&n->config, key, value);
        return n;
}

static void refused(const char *key, const char *value, const char *part)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct network *n = make(key, value);
        ASSERT_EQ(network_check(n, &err), -EINVAL);
        ASSERT_CONTAINS(error_message(&err), part);
        type_free(&network_type, n);
}

static void accepted(const char *key, const char *value)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct network *n = make(key, value);
        if (network_check(n, &err) < 0)
                fail_msg("%s=%s: %s", key, value, error_message(&err));
        type_free(&network_type, n);
}

TEST(network_refuses_by_name_what_it_does_not_do)
{
        refused("bridge.driver", "openvswitch", "bridge.driver");
        refused("ipv4.firewall", "true", "ipv4.firewall");
        refused("dns.mode", "dynamic", "dns.mode");
        refused("raw.dnsmasq", "x", "raw.dnsmasq");
}

TEST(network_checks_its_addresses)
{
        accepted("ipv4.address", "auto");
        accepted("ipv6.address", "none");
        refused("ipv4.address", "10.0.0.1", "ipv4.address");
        refused("ipv4.address", "fd42::1/64", "ipv4.address");
        refused("ipv4.address", "10.1.16.0/20", "the network's own");
        refused("ipv4.address", "10.1.31.255/20", "broadcast");
        refused("ipv4.address", "10.1.16.1/31", "8 to 30");
        refused("ipv4.address", "127.0.0.1/8", "not an address a host can have");
        refused("ipv6.address", "fd42::1/80", "length 64");
        refused("ipv6.address", "fe80::1/64", "not an address a host can have");
}

TEST(network_checks_its_ranges)
{
        accepted("ipv4.dhcp.ranges", "10.1.16.5-10.1.16.9, 10.1.20.1-10.1.20.1");
        refused("ipv4.dhcp.ranges", "10.1.16.9-10.1.16.5", "ipv4.dhcp.ranges");
        refused("ipv4.dhcp.ranges", "10.2.16.5-10.2.16.9", "reaches out");
        refused("ipv4.dhcp.ranges", "10.1.16.5", "ipv4.dhcp.ranges");
        refused("ipv4.dhcp.ranges", ",", "ipv4.dhcp.ranges");
}

TEST(network_lets_no_value_become_an_argument)
{
        refused("dns.domain", "light,/etc", "dns.domain");
        refused("dns.domain", "-x", "dns.domain");
        refused("dns.domain", "a\nb", "dns.domain");
        accepted("dns.domain", "lab.example.org");
        refused("bridge.mtu", "1279", "1280");
        refused("bridge.mtu", "70000", "bridge.mtu");
}

TEST(network_is_filled_as_lxd_fills_it)
{
        struct network *n = type_new(&network_type);
        network_fill(n, true);
        ASSERT_STR(strmap_get(&n->config, "ipv4.address"), "auto");
        ASSERT_STR(strmap_get(&n->config, "ipv4.nat"), "true");
        ASSERT_STR(strmap_get(&n->config, "ipv6.nat"), "true");
        ASSERT_TRUE(network_wants_subnet(n));
        type_done(&network_type, n);
        *n = (struct network){ 0 };
        strmap_set(&n->config, "ipv4.address", "10.1.2.1/24");
        network_fill(n, false);
        ASSERT_STR(strmap_get(&n->config, "ipv4.nat"), NULL);
        ASSERT_STR(strmap_get(&n->config, "ipv6.address"), "none");
        type_free(&network_type, n);
}

static char *args_text(const struct network *n)
{
        struct network_plan plan;
        struct strbuf b = STRBUF_INIT;
        network_plan(n, "test", &plan);
        char **argv = dnsmasq_args(&plan, "/run/x", &(struct dnsmasq_user){ "nobody", "nogroup", 65534 });
        for (size_t i = 0; argv && argv[i]; i++)
                strbuf_addf(&b, "%s ", argv[i]);
        dnsmasq_args_free(argv);
        return b.data ? strbuf_take(&b) : NULL;
}

TEST(dnsmasq_serves_all_of_the_network)
{
        struct network *n = make(NULL, NULL);
        _cleanup_free_ char *text = args_text(n);
        ASSERT_CONTAINS(text, "--dhcp-range=10.1.16.2,10.1.31.254,255.255.240.0,1h ");
        ASSERT_CONTAINS(text, "--dhcp-lease-max=4093 ");
        ASSERT_CONTAINS(text, "--interface=br0 ");
        ASSERT_CONTAINS(text, "--domain=light --local=/light/ ");
        ASSERT_CONTAINS(text, "--dhcp-range=::,constructor:br0,ra-stateless,ra-names ");
        ASSERT_CONTAINS(text, "--dhcp-ignore-names ");
        ASSERT_FALSE(strstr(text, "option-force"));
        type_free(&network_type, n);
}

TEST(dnsmasq_is_told_no_more_than_the_network_wants)
{
        struct network *n = make("dns.mode", "none");
        strmap_set(&n->config, "ipv4.dhcp", "false");
        strmap_set(&n->config, "ipv6.dhcp", "false");
        _cleanup_free_ char *text = args_text(n);
        ASSERT_FALSE(strstr(text, "--dhcp-range=10"));
        ASSERT_FALSE(strstr(text, "--domain"));
        ASSERT_CONTAINS(text, "ra-only");
        strmap_set(&n->config, "ipv4.address", "none");
        strmap_set(&n->config, "ipv6.address", "none");
        _cleanup_free_ char *nothing = args_text(n);
        ASSERT_TRUE(nothing == NULL);
        type_free(&network_type, n);
}

TEST(dnsmasq_gets_each_range_and_the_mtu)
{
        struct network *n = make("ipv4.dhcp.ranges", "10.1.16.5-10.1.16.9,10.1.20.1-10.1.20.1");
        strmap_set(&n->config, "bridge.mtu", "1400");
        _cleanup_free_ char *text = args_text(n);
        ASSERT_CONTAINS(text, "--dhcp-range=10.1.16.5,10.1.16.9,255.255.240.0,1h ");
        ASSERT_CONTAINS(text, "--dhcp-range=10.1.20.1,10.1.20.1,255.255.240.0,1h ");
        ASSERT_CONTAINS(text, "--dhcp-lease-max=6 ");
        ASSERT_CONTAINS(text, "--dhcp-option-force=26,1400 ");
        type_free(&network_type, n);
}

TEST(dnsmasq_gets_an_unprivileged_user_and_its_group)
{
        static const char passwd[] = "root:x:0:0:r:/:/bin/sh\nnobody:x:65534:7:n:/:/x\ndnsmasq:x:0:0::/:/x\n";
        struct dnsmasq_user u = { 0 };
        dnsmasq_find_user(passwd, "root:x:0:\nlast:x:7:a,b\n", &u);
        ASSERT_STR(u.user, "nobody");
        ASSERT_STR(u.group, "last");
        ASSERT_EQ(u.gid, 7);
        dnsmasq_find_user("", "", &u);
        ASSERT_STR(u.group, "nogroup");
}

TEST(leases_are_read_and_rubbish_is_passed_over)
{
        const char *text = "1700000000 00:16:3e:01:02:03 10.1.16.5 c1 01:00:16:3e:01:02:03\n"
                           "\n"
                           "duid 00:01:00:01\n"
                           "1700000000 00:16:3e:01:02:04 10.1.16.300 c2 *\n"
                           "0 123456 fd42:1:2:3::5 * 00:01\n"
                           "1700000000 00:16:3e:01:02:05 10.1.16.6 a<b *";
        struct lease l;
        ASSERT_TRUE(lease_next(&text, &l));
        ASSERT_STR(l.hwaddr, "00:16:3e:01:02:03");
        ASSERT_STR(l.hostname, "c1");
        ASSERT_EQ(l.expires, 1700000000);
        ASSERT_EQ(inet4_get(&l.address), 0x0a011005);
        ASSERT_TRUE(lease_next(&text, &l));
        ASSERT_STR(l.hwaddr, "");
        ASSERT_STR(l.hostname, "");
        ASSERT_EQ(l.address.family, AF_INET6);
        ASSERT_TRUE(lease_next(&text, &l));
        ASSERT_STR(l.hostname, "");
        ASSERT_FALSE(lease_next(&text, &l));
}

TEST(host_entries_are_read)
{
        struct host_entry e;
        ASSERT_TRUE(host_entry_parse("00:16:3e:01:02:03,c1\n", &e));
        ASSERT_STR(e.name, "c1");
        ASSERT_TRUE(host_entry_parse("00:16:3e:01:02:03\n", &e));
        ASSERT_STR(e.name, "");
        ASSERT_FALSE(host_entry_parse("c1", &e));
        ASSERT_FALSE(host_entry_parse("00:16:3e:01:02:03x", &e));
}

TEST(dhcp_release_names_lease_and_server)
{
        uint8_t p[DHCP_RELEASE_SIZE], mac[HWADDR_SIZE] = { 0, 0x16, 0x3e, 1, 2, 3 };
        struct inet_prefix address = inet4_make(0x0a011009, 32), server = inet4_make(0x0a011001, 20);
        dhcp_release_build(mac, &address, &server, 1, p);
        ASSERT_EQ(p[0], 1);
        ASSERT_EQ(memcmp(p + 12, (uint8_t[]){ 10, 1, 16, 9 }, 4), 0);
        ASSERT_EQ(memcmp(p + 28, mac, 6), 0);
        ASSERT_EQ(memcmp(p + 236, (uint8_t[]){ 99, 130, 83, 99, 53, 1, 7, 54, 4, 10, 1, 16, 1, 255 }, 14), 0);
}

TEST(host_names_fit_and_differ)
{
        char a[IF_NAMESIZE], b[IF_NAMESIZE];
        nic_host_name("0abc", 7, 3, 0, a);
        ASSERT_STR(a, "lv0abc0000703");
        nic_host_name("0abc", 0xffffff, 1024 + 33, 31, a);
        ASSERT_STR(a, "lv0abcfzzzz11z");
        nic_host_name("0abc", 0xffffff, 34, 31, b);
        ASSERT_FALSE(streq(a, b));
}

/* --- namespaces --- */

static void hear(struct netspace *sp, const struct strbuf *b)
{
        struct netlink_message m;
        const uint8_t *p = (const uint8_t *)b->data;
        size_t n = b->len;
        while (netlink_next(&p, &n, &m))
                netspace_hear(sp, &m);
}

static void hear_link(struct netspace *sp, uint16_t type, int index, const char *name, uint32_t peer)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        netlink_begin(&b, type, 0, &(struct ifinfomsg){ .ifi_index = index, .ifi_flags = IFF_UP | IFF_BROADCAST },
                      sizeof(struct ifinfomsg));
        netlink_attr_str(&b, IFLA_IFNAME, name);
        netlink_attr(&b, IFLA_ADDRESS, (uint8_t[]){ 0, 0x16, 0x3e, 1, 2, 3 }, 6);
        netlink_attr_u32(&b, IFLA_MTU, 1500);
        netlink_attr_u32(&b, IFLA_LINK, peer);
        hear(sp, &b);
}

static void hear_address(struct netspace *sp, uint16_t type, uint32_t index, uint8_t last)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        netlink_begin(&b, type, 0, &(struct ifaddrmsg){ .ifa_family = AF_INET, .ifa_prefixlen = 20, .ifa_index = index },
                      sizeof(struct ifaddrmsg));
        netlink_attr(&b, IFA_LOCAL, (uint8_t[]){ 10, 1, 16, last }, 4);
        hear(sp, &b);
}

static struct json_object *written(struct netspace *sp)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        struct json_writer w = JSON_WRITER(&b);
        struct json_object *o = NULL;
        netspace_write(sp, &w);
        ASSERT_OK(json_parse(b.data, b.len, &o, NULL));
        return o;
}

TEST(namespace_shows_what_it_heard)
{
        struct netspace *sp = netspace_new("c1", 5, -EBADF);
        netspace_add_host_name(sp, "lv0abc0000701", 42);
        hear_link(sp, RTM_NEWLINK, 2, "eth0", 42);
        hear_address(sp, RTM_NEWADDR, 2, 9);
        hear_address(sp, RTM_NEWADDR, 2, 9);
        char counters[] = "Inter-|  Receive\n face |bytes\n  eth0: 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16\n";
        netspace_take_counters(sp, counters);
        _cleanup_json_ struct json_object *o = written(sp);
        struct json_object *eth0 = json_get_object(o, "eth0"), *counted = json_get_object(eth0, "counters");
        ASSERT_STR(json_get_string(eth0, "host_name", NULL), "lv0abc0000701");
        ASSERT_STR(json_get_string(eth0, "hwaddr", NULL), "00:16:3e:01:02:03");
        ASSERT_STR(json_get_string(eth0, "state", NULL), "up");
        ASSERT_EQ(json_object_array_length(json_get_array(eth0, "addresses")), 1);
        ASSERT_EQ(json_get_int(counted, "bytes_received", 0), 1);
        ASSERT_EQ(json_get_int(counted, "packets_sent", 0), 10);
        ASSERT_EQ(json_get_int(counted, "packets_dropped_outbound", 0), 12);
        netspace_free(sp);
}

TEST(namespace_forgets_what_has_gone)
{
        struct netspace *sp = netspace_new("c1", 5, -EBADF);
        struct inet_prefix a[4];
        hear_link(sp, RTM_NEWLINK, 2, "eth0", 0);
        hear_address(sp, RTM_NEWADDR, 2, 9);
        hear_address(sp, RTM_NEWADDR, 2, 10);
        hear_address(sp, RTM_DELADDR, 2, 9);
        ASSERT_EQ(netspace_addresses(sp, a, 4), 1);
        ASSERT_EQ(inet4_get(&a[0]), 0x0a01100a);
        hear_link(sp, RTM_DELLINK, 2, "eth0", 0);
        ASSERT_EQ(netspace_addresses(sp, a, 4), 0);
        _cleanup_json_ struct json_object *o = written(sp);
        ASSERT_EQ(json_object_object_length(o), 0);
        netspace_free(sp);
}

TEST(namespace_bounds_what_a_guest_makes)
{
        struct netspace *sp = netspace_new("c1", 5, -EBADF);
        for (int i = 1; i < 1000; i++) {
                char name[IF_NAMESIZE];
                snprintf(name, sizeof name, "x\"%d", i);
                hear_link(sp, RTM_NEWLINK, i, name, 0);
                hear_address(sp, RTM_NEWADDR, (uint32_t)i, 1);
        }
        ASSERT_EQ(sp->n_links, NETSPACE_LINKS_MAX);
        ASSERT_EQ(sp->n_addresses, NETSPACE_ADDRESSES_MAX);
        _cleanup_json_ struct json_object *o = written(sp);
        ASSERT_EQ(json_object_object_length(o), NETSPACE_LINKS_MAX);
        netspace_free(sp);
}

TEST(namespace_asks_again_when_it_heard_meanwhile)
{
        struct netspace *sp = netspace_new("c1", 5, -EBADF);
        _cleanup_json_ struct json_object *listing = NULL;
        static const char text[] = "{\"nsid\":5,\"links\":[{\"index\":1,\"name\":\"lo\",\"flags\":9,\"mtu\":65536}],"
                                   "\"addresses\":[{\"index\":1,\"address\":\"127.0.0.1/8\"}]}";
        ASSERT_OK(json_parse(text, sizeof text - 1, &listing, NULL));
        netspace_ask(sp);
        hear_link(sp, RTM_NEWLINK, 2, "eth0", 0);
        netspace_take_listing(sp, listing);
        ASSERT_TRUE(sp->wants_listing);
        ASSERT_EQ(sp->n_links, 1);
        netspace_ask(sp);
        netspace_take_listing(sp, listing);
        ASSERT_FALSE(sp->wants_listing);
        _cleanup_json_ struct json_object *o = written(sp);
        ASSERT_TRUE(json_has(o, "lo"));
        ASSERT_FALSE(json_has(o, "eth0"));
        netspace_free(sp);
}
