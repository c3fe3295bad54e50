/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"
#include "base/fd.h"
#include "base/inet.h"
#include "base/netlink.h"

#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

static struct inet_prefix cidr(const char *text)
{
        struct inet_prefix p = { 0 };
        ASSERT_OK(inet_parse_cidr(text, 0, &p));
        return p;
}

TEST(cidr_is_read_and_written)
{
        char buf[INET_TEXT_SIZE];
        struct inet_prefix p = cidr("10.20.30.1/20");
        ASSERT_STR(inet_format_cidr(&p, buf), "10.20.30.1/20");
        p = inet_masked(&p);
        ASSERT_STR(inet_format_cidr(&p, buf), "10.20.16.0/20");
        p = cidr("fd42:1:2:3::1/64");
        ASSERT_STR(inet_format_address(&p, buf), "fd42:1:2:3::1");
}

TEST(cidr_refuses_what_is_not_one)
{
        static const char *const bad[] = { "", "10.0.0.1", "10.0.0.1/33", "10.0.0/8", "fd42::1/129", "10.0.0.1/",
                                           "x/8", "10.0.0.1/8x", "10.0.0.1/-1" };
        struct inet_prefix p;
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                ASSERT_ERR(inet_parse_cidr(bad[i], 0, &p), -EINVAL);
        ASSERT_ERR(inet_parse_cidr("fd42::1/64", AF_INET, &p), -EINVAL);
}

TEST(overlap_looks_at_the_shorter_prefix)
{
        struct inet_prefix a = cidr("10.0.0.0/8"), b = cidr("10.20.30.1/20"), c = cidr("11.0.0.0/8"),
                           all = cidr("0.0.0.0/0"), six = cidr("::/0");
        ASSERT_TRUE(inet_overlaps(&a, &b));
        ASSERT_TRUE(inet_overlaps(&b, &a));
        ASSERT_FALSE(inet_overlaps(&b, &c));
        ASSERT_TRUE(inet_overlaps(&all, &b));
        ASSERT_FALSE(inet_overlaps(&six, &b));
        ASSERT_TRUE(inet_contains(&a, &b));
        ASSERT_FALSE(inet_contains(&b, &a));
}

TEST(hwaddr_and_the_address_derived_from_it)
{
        uint8_t mac[HWADDR_SIZE];
        char buf[INET_TEXT_SIZE];
        struct inet_prefix net = cidr("fd42:1:2:3::1/64");
        ASSERT_OK(hwaddr_parse("00:16:3E:0c:ee:dd", mac));
        ASSERT_STR(hwaddr_format(mac, buf), "00:16:3e:0c:ee:dd");
        struct inet_prefix a = inet6_eui64(&net, mac);
        ASSERT_STR(inet_format_address(&a, buf), "fd42:1:2:3:216:3eff:fe0c:eedd");
        ASSERT_ERR(hwaddr_parse("00:16:3e:0c:ee", mac), -EINVAL);
        ASSERT_ERR(hwaddr_parse("00:16:3e:0c:ee:dg", mac), -EINVAL);
        ASSERT_ERR(hwaddr_parse("00-16-3e-0c-ee-dd", mac), -EINVAL);
}

TEST(netlink_attributes_come_back_as_they_went_in)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        struct netlink_attr a[IFLA_MAX + 1], info[IFLA_INFO_MAX + 1];
        struct netlink_message m;
        char text[16];
        netlink_begin(&b, RTM_NEWLINK, 0, &(struct ifinfomsg){ .ifi_index = 7 }, sizeof(struct ifinfomsg));
        netlink_attr_str(&b, IFLA_IFNAME, "br0");
        size_t nest = netlink_nest(&b, IFLA_LINKINFO);
        netlink_attr_str(&b, IFLA_INFO_KIND, "bridge");
        netlink_nest_end(&b, nest);
        netlink_attr_u32(&b, IFLA_MTU, 1500);

        const uint8_t *p = (const uint8_t *)b.data;
        size_t n = b.len;
        ASSERT_TRUE(netlink_next(&p, &n, &m));
        ASSERT_EQ(n, 0);
        netlink_parse(m.payload, m.n, sizeof(struct ifinfomsg), a, ARRAY_SIZE(a));
        ASSERT_TRUE(netlink_get_str(&a[IFLA_IFNAME], text, sizeof text));
        ASSERT_STR(text, "br0");
        ASSERT_EQ(netlink_get_u32(&a[IFLA_MTU], 0), 1500);
        ASSERT_FALSE(a[IFLA_ADDRESS].data);
        netlink_parse(a[IFLA_LINKINFO].data, a[IFLA_LINKINFO].n, 0, info, ARRAY_SIZE(info));
        ASSERT_TRUE(netlink_get_str(&info[IFLA_INFO_KIND], text, sizeof text));
        ASSERT_STR(text, "bridge");
}

TEST(netlink_stops_at_a_length_that_lies)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        struct netlink_attr a[IFLA_MAX + 1];
        struct netlink_message m;
        uint32_t lie = 4000;
        netlink_begin(&b, RTM_NEWLINK, 0, &(struct ifinfomsg){ 0 }, sizeof(struct ifinfomsg));
        netlink_attr_u32(&b, IFLA_MTU, 1500);
        size_t attr = NLMSG_HDRLEN + sizeof(struct ifinfomsg);
        memcpy(b.data + attr, &lie, 2);
        netlink_parse(b.data + NLMSG_HDRLEN, b.len - NLMSG_HDRLEN, sizeof(struct ifinfomsg), a, ARRAY_SIZE(a));
        ASSERT_FALSE(a[IFLA_MTU].data);
        memcpy(b.data, &lie, 4);
        const uint8_t *p = (const uint8_t *)b.data;
        size_t n = b.len;
        ASSERT_FALSE(netlink_next(&p, &n, &m));
}

static int see_loopback(const struct netlink_message *m, void *data)
{
        struct ifinfomsg i;
        memcpy(&i, m->payload, MIN(m->n, sizeof i));
        if (m->n >= sizeof i && i.ifi_flags & IFF_LOOPBACK)
                *(bool *)data = true;
        return 0;
}

TEST(netlink_talks_to_the_kernel)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        _cleanup_close_ int fd = netlink_open(NETLINK_ROUTE, 0);
        bool has_loopback = false;
        ASSERT_OK(fd);
        netlink_begin(&b, RTM_GETLINK, NLM_F_DUMP, &(struct ifinfomsg){ 0 }, sizeof(struct ifinfomsg));
        ASSERT_OK(netlink_call(fd, &b, see_loopback, &has_loopback));
        ASSERT_TRUE(has_loopback);
        netlink_begin(&b, RTM_GETLINK, 0, &(struct ifinfomsg){ 0 }, sizeof(struct ifinfomsg));
        netlink_attr_str(&b, IFLA_IFNAME, "no-such-link");
        ASSERT_ERR(netlink_call(fd, &b, NULL, NULL), -ENODEV);
}
