/* SPDX-License-Identifier: Apache-2.0 */
/* links: runtime */
#include "tests/lib/test.h"
#include "base/json.h"
#include "runtime/net-message.h"
#include "runtime/net-rules.h"
#include "runtime/net-subnet.h"

#include <linux/rtnetlink.h>

static struct inet_prefix cidr(const char *text)
{
        struct inet_prefix p = { 0 };
        ASSERT_OK(inet_parse_cidr(text, 0, &p));
        return p;
}

static uint32_t counting(void *data)
{
        return (*(uint32_t *)data)++;
}

TEST(subnet_avoids_what_is_taken)
{
        struct inet_prefix taken[] = { cidr("10.0.0.5/20"), cidr("10.0.16.0/24"), cidr("10.0.32.1/32") }, p;
        uint32_t next = 0;
        char text[INET_TEXT_SIZE];
        ASSERT_OK(subnet_choose_ipv4(taken, ARRAY_SIZE(taken), counting, &next, &p));
        ASSERT_STR(inet_format_cidr(&p, text), "10.0.48.1/20");
}

static uint32_t always_the_same(void *data _unused_)
{
        return 7;
}

TEST(subnet_is_found_when_chance_does_not_help)
{
        struct inet_prefix taken[] = { cidr("10.0.112.0/20") }, p;
        char text[INET_TEXT_SIZE];
        ASSERT_OK(subnet_choose_ipv4(taken, 1, always_the_same, NULL, &p));
        ASSERT_STR(inet_format_cidr(&p, text), "10.0.128.1/20");
}

TEST(subnet_moves_to_another_private_net_and_gives_up_at_last)
{
        struct inet_prefix taken[] = { cidr("10.0.0.0/8"), cidr("172.16.0.0/12"), cidr("192.168.0.0/16") }, p;
        uint32_t next = 0;
        char text[INET_TEXT_SIZE];
        ASSERT_OK(subnet_choose_ipv4(taken, 1, counting, &next, &p));
        ASSERT_CONTAINS(inet_format_cidr(&p, text), "172.");
        ASSERT_OK(subnet_choose_ipv4(taken, 2, counting, &next, &p));
        ASSERT_CONTAINS(inet_format_cidr(&p, text), "192.168.");
        ASSERT_ERR(subnet_choose_ipv4(taken, 3, counting, &next, &p), -EADDRINUSE);
}

TEST(subnet_ipv6_is_a_private_64)
{
        uint32_t next = 0x01020304;
        char text[INET_TEXT_SIZE];
        struct inet_prefix p, taken = cidr("fc00::/7");
        ASSERT_OK(subnet_choose_ipv6(NULL, 0, counting, &next, &p));
        ASSERT_TRUE(str_starts(inet_format_cidr(&p, text), "fd42:"));
        ASSERT_TRUE(str_ends(text, "::1/64"));
        ASSERT_ERR(subnet_choose_ipv6(&taken, 1, counting, &next, &p), -EADDRINUSE);
}

static struct json_object *rules(const struct net_rules *n)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        struct json_object *o = NULL;
        net_rules_build(n, RULES_FOR_ALL, &b);
        ASSERT_OK(json_parse(b.data, b.len, &o, NULL));
        return o;
}

static size_t count(const char *text, const char *part)
{
        size_t n = 0;
        for (const char *p = text; (p = strstr(p, part)); p += strlen(part))
                n++;
        return n;
}

TEST(rules_replace_the_chains_of_one_network)
{
        struct net_rules n = { .table = "lightd_test", .bridge = "br0", .ipv4 = cidr("10.1.16.1/20"),
                               .ipv6 = cidr("fd42:1:2:3::1/64"), .has_ipv4_nat = true, .has_ipv6_nat = true,
                               .has_ipv4_dhcp = true, .has_ipv6_dhcp = true };
        _cleanup_json_ struct json_object *o = rules(&n);
        const char *text = json_text(o);
        ASSERT_EQ(count(text, "\"flush\""), 4);
        ASSERT_EQ(count(text, "\"masquerade\":null"), 2);
        ASSERT_EQ(count(text, "\"addr\":\"10.1.16.0\",\"len\":20"), 2);
        ASSERT_EQ(count(text, "\"chain\":\"fwd.br0\""), 4);
        ASSERT_CONTAINS(text, "\"right\":67");
        ASSERT_CONTAINS(text, "\"right\":547");
}

TEST(rules_say_no_more_than_the_network_wants)
{
        struct net_rules n = { .table = "lightd_test", .bridge = "br0", .ipv4 = cidr("10.1.16.1/20") };
        _cleanup_json_ struct json_object *o = rules(&n);
        const char *text = json_text(o);
        ASSERT_EQ(count(text, "masquerade"), 0);
        ASSERT_EQ(count(text, "ipv6"), 0);
        ASSERT_EQ(count(text, "\"right\":67"), 0);
        ASSERT_EQ(count(text, "mangle"), 0);
        ASSERT_EQ(count(text, "\"right\":53"), 2);
}

TEST(rules_address_what_guests_ask_of_all_to_the_bridge)
{
        struct net_rules n = { .table = "lightd_test", .bridge = "br0", .ipv4 = cidr("10.1.16.1/20"),
                               .ipv6 = cidr("fd42:1:2:3::1/64"), .has_ipv4_dhcp = true, .has_ipv6_dhcp = true,
                               .hwaddr = { 0, 0x16, 0x3e, 1, 2, 3 }, .group = net_port_group(7) };
        _cleanup_json_ struct json_object *o = rules(&n);
        const char *text = json_text(o);
        ASSERT_EQ(count(text, "\"value\":\"00:16:3e:01:02:03\""), 3);
        ASSERT_EQ(count(text, "\"chain\":\"pre.br0\""), 3);
        ASSERT_EQ(count(text, "\"key\":\"iifgroup\"}},\"right\":1280704519"), 3);
        ASSERT_TRUE(net_port_group(7) != net_port_group(8));
}

TEST(rules_do_without_the_bridge_family)
{
        struct net_rules n = { .table = "lightd_test", .bridge = "br0", .ipv4 = cidr("10.1.16.1/20"),
                               .has_ipv4_dhcp = true };
        _cleanup_strbuf_ struct strbuf up = STRBUF_INIT, down = STRBUF_INIT;
        net_rules_build(&n, RULES_FOR_INET, &up);
        net_rules_build_removal("lightd_test", "br0", true, RULES_FOR_INET, &down);
        ASSERT_EQ(count(up.data, "\"family\":\"bridge\""), 0);
        ASSERT_EQ(count(up.data, "\"flush\""), 3);
        ASSERT_EQ(count(down.data, "\"family\":\"bridge\""), 0);
        ASSERT_EQ(count(down.data, "\"delete\":{\"table\""), 1);
}

TEST(rules_removal_takes_the_tables_only_with_the_last)
{
        _cleanup_strbuf_ struct strbuf some = STRBUF_INIT, all = STRBUF_INIT;
        net_rules_build_removal("lightd_test", "br0", false, RULES_FOR_ALL, &some);
        net_rules_build_removal("lightd_test", "br0", true, RULES_FOR_ALL, &all);
        ASSERT_EQ(count(some.data, "\"delete\":{\"chain\""), 4);
        ASSERT_EQ(count(some.data, "\"delete\":{\"table\""), 0);
        ASSERT_EQ(count(all.data, "\"delete\":{\"table\""), 2);
}

TEST(links_and_addresses_survive_the_way_to_the_daemon)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        _cleanup_json_ struct json_object *o = NULL;
        struct json_writer w = JSON_WRITER(&b);
        struct net_link l = { .index = 3, .name = "eth0", .hwaddr = { 0, 0x16, 0x3e, 1, 2, 3 }, .has_hwaddr = true,
                              .mtu = 1500, .flags = IFF_UP, .peer = 9 }, back;
        net_link_write(&l, &w);
        ASSERT_OK(json_parse(b.data, b.len, &o, NULL));
        ASSERT_TRUE(net_link_read(o, &back));
        ASSERT_EQ(memcmp(&l, &back, sizeof l), 0);
        ASSERT_FALSE(net_link_read(NULL, &back));
}

TEST(messages_that_are_cut_short_are_nothing)
{
        uint8_t bytes[sizeof(struct ifinfomsg) - 1] = { 0 };
        struct netlink_message m = { .header.nlmsg_type = RTM_NEWLINK, .payload = bytes, .n = sizeof bytes };
        struct net_link l;
        struct net_address a;
        ASSERT_FALSE(net_link_parse(&m, &l));
        m.header.nlmsg_type = RTM_NEWADDR;
        m.n = 3;
        ASSERT_FALSE(net_address_parse(&m, &a));
}
