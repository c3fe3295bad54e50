/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/netlink.h"
#include "runtime/net-rules.h"
#include "base/fd.h"
#include "base/path.h"

#include <fcntl.h>
#include <linux/if_link.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX 1024
#define BRIDGE_FULL_PORTS "1,023"

struct request {
        union {
                struct nlmsghdr header;
                char bytes[REQUEST_MAX];
        };
};

static void *append(struct request *q, size_t n)
{
        void *at = q->bytes + q->header.nlmsg_len;
        assert(q->header.nlmsg_len + NLMSG_ALIGN(n) <= sizeof q->bytes);
        memset(at, 0, NLMSG_ALIGN(n));
        q->header.nlmsg_len += (uint32_t)NLMSG_ALIGN(n);
        return at;
}

static struct ifinfomsg *begin(struct request *q, uint16_t type, uint16_t flags)
{
        *q = (struct request){ .header = { .nlmsg_len = NLMSG_HDRLEN,
                                           .nlmsg_type = type,
                                           .nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags),
                                           .nlmsg_seq = 1 } };
        return append(q, sizeof(struct ifinfomsg));
}

static struct rtattr *attribute(struct request *q, uint16_t type, const void *data, size_t n)
{
        struct rtattr *a = append(q, RTA_LENGTH(n));
        a->rta_type = type;
        a->rta_len = (uint16_t)RTA_LENGTH(n);
        if (n)
                memcpy(RTA_DATA(a), data, n);
        return a;
}

static void attribute_text(struct request *q, uint16_t type, const char *text)
{
        attribute(q, type, text, strlen(text) + 1);
}

static void attribute_u32(struct request *q, uint16_t type, uint32_t value)
{
        attribute(q, type, &value, sizeof value);
}

static void close_nest(struct request *q, struct rtattr *nest)
{
        nest->rta_len = (uint16_t)(q->bytes + q->header.nlmsg_len - (char *)nest);
}

static int receive_ack(int fd)
{
        char answer[2048];
        ssize_t n;
        do
                n = recv(fd, answer, sizeof answer, 0);
        while (n < 0 && errno == EINTR);
        if (n < 0)
                return -errno;
        const struct nlmsghdr *h = (const struct nlmsghdr *)answer;
        if (!NLMSG_OK(h, (size_t)n) || h->nlmsg_type != NLMSG_ERROR)
                return -EBADMSG;
        return ((const struct nlmsgerr *)NLMSG_DATA(h))->error;
}

static int talk(struct request *q)
{
        _cleanup_close_ int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
        if (fd < 0)
                return -errno;
        if (send(fd, q->bytes, q->header.nlmsg_len, 0) < 0)
                return -errno;
        return receive_ack(fd);
}

static void add_peer(struct request *q, const struct spec_nic *nic, int netns_fd)
{
        struct rtattr *info = attribute(q, IFLA_LINKINFO, NULL, 0);
        attribute_text(q, IFLA_INFO_KIND, "veth");
        struct rtattr *data = attribute(q, IFLA_INFO_DATA, NULL, 0);
        struct rtattr *peer = attribute(q, VETH_INFO_PEER, NULL, 0);
        append(q, sizeof(struct ifinfomsg));
        attribute_text(q, IFLA_IFNAME, nic->name);
        attribute_u32(q, IFLA_NET_NS_FD, (uint32_t)netns_fd);
        if (nic->mtu)
                attribute_u32(q, IFLA_MTU, nic->mtu);
        if (nic->has_hwaddr)
                attribute(q, IFLA_ADDRESS, nic->hwaddr, sizeof nic->hwaddr);
        close_nest(q, peer);
        close_nest(q, data);
        close_nest(q, info);
}

/* A bridge takes the lowest address of its ports for its own: ours are high, so that it never changes. */
static void add_host_address(struct request *q, const struct spec_nic *nic)
{
        uint8_t address[6];
        if (!nic->has_hwaddr)
                return;
        memcpy(address, nic->hwaddr, sizeof address);
        address[0] = 0xfe;
        attribute(q, IFLA_ADDRESS, address, sizeof address);
}

static int create_pair(const struct spec_nic *nic, int netns_fd, unsigned bridge_index)
{
        struct request q;
        begin(&q, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL);
        attribute_text(&q, IFLA_IFNAME, nic->host_name);
        if (nic->mtu)
                attribute_u32(&q, IFLA_MTU, nic->mtu);
        if (bridge_index) {
                attribute_u32(&q, IFLA_MASTER, bridge_index);
                attribute_u32(&q, IFLA_GROUP, net_port_group(bridge_index));
        }
        add_host_address(&q, nic);
        add_peer(&q, nic, netns_fd);
        return talk(&q);
}

/* Before it is up, so that not one packet of the host's IPv6 leaves through a guest's interface. */
static int disable_ipv6(const char *name)
{
        char path[96];
        snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/disable_ipv6", name);
        int r = path_write_value(AT_FDCWD, path, "1");
        return r == -ENOENT ? 0 : r; /* a kernel without IPv6 */
}

static int create_failed(int r, const struct spec_nic *nic, struct error *err)
{
        if (r == -EXFULL)
                return error_set(err, ERR_NO_SPACE, "Bridge \"%s\" is full (" BRIDGE_FULL_PORTS " ports)",
                                 nic->bridge);
        return error_set_errno(err, r, "Making the network interface \"%s\"", nic->name);
}

int netlink_create_veth(const struct spec_nic *nic, int netns_fd, struct error *err)
{
        unsigned bridge = nic->is_bridged ? if_nametoindex(nic->bridge) : 0;
        if (nic->is_bridged && !bridge)
                return error_set(err, ERR_NOT_FOUND,
                                 "Bridge \"%s\" for the network interface \"%s\" not found", nic->bridge,
                                 nic->name);
        int r = create_pair(nic, netns_fd, bridge);
        if (r < 0)
                return create_failed(r, nic, err);
        r = disable_ipv6(nic->host_name);
        if (r == 0)
                r = netlink_set_up(nic->host_name);
        return r < 0 ? create_failed(r, nic, err) : 0;
}

int netlink_delete_link(const char *name)
{
        struct request q;
        begin(&q, RTM_DELLINK, 0);
        attribute_text(&q, IFLA_IFNAME, name);
        int r = talk(&q);
        return r == -ENODEV ? 0 : r;
}

int netlink_set_up(const char *name)
{
        struct ifreq request = { 0 };
        _cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
        if (fd < 0)
                return -errno;
        snprintf(request.ifr_name, sizeof request.ifr_name, "%s", name);
        if (ioctl(fd, SIOCGIFFLAGS, &request) < 0)
                return -errno;
        request.ifr_flags |= IFF_UP;
        return ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}
