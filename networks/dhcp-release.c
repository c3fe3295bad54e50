/* SPDX-License-Identifier: Apache-2.0 */
#include "networks/dhcp-release.h"
#include "base/fd.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/random.h>

enum { OP = 0, HTYPE = 1, HLEN = 2, XID = 4, CIADDR = 12, CHADDR = 28, MAGIC = 236, OPTIONS = 240 };
enum { BOOTREQUEST = 1, ETHERNET = 1, OPTION_TYPE = 53, OPTION_SERVER = 54, OPTION_END = 255, DHCPRELEASE = 7 };

void dhcp_release_build(const uint8_t hwaddr[static HWADDR_SIZE], const struct inet_prefix *address,
                        const struct inet_prefix *server, uint32_t xid, uint8_t ret[static DHCP_RELEASE_SIZE])
{
        static const uint8_t magic[] = { 0x63, 0x82, 0x53, 0x63 };
        uint8_t options[] = { OPTION_TYPE, 1, DHCPRELEASE, OPTION_SERVER, 4, 0, 0, 0, 0, OPTION_END };
        memset(ret, 0, DHCP_RELEASE_SIZE);
        ret[OP] = BOOTREQUEST;
        ret[HTYPE] = ETHERNET;
        ret[HLEN] = HWADDR_SIZE;
        memcpy(ret + XID, &xid, sizeof xid);
        memcpy(ret + CIADDR, address->addr, 4);
        memcpy(ret + CHADDR, hwaddr, HWADDR_SIZE);
        memcpy(ret + MAGIC, magic, sizeof magic);
        memcpy(options + 5, server->addr, 4);
        memcpy(ret + OPTIONS, options, sizeof options);
}

int dhcp_release_send(const char *bridge, const uint8_t hwaddr[static HWADDR_SIZE], const struct inet_prefix *address,
                      const struct inet_prefix *server)
{
        uint8_t packet[DHCP_RELEASE_SIZE];
        uint32_t xid = 0;
        struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(67) };
        _cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        if (getrandom(&xid, sizeof xid, 0) < 0)
                return -errno;
        /* The way to an address of our own is the loopback; dnsmasq listens to what comes by the bridge. */
        if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, bridge, (socklen_t)strlen(bridge)) < 0)
                return -errno;
        memcpy(&to.sin_addr, server->addr, 4);
        dhcp_release_build(hwaddr, address, server, xid, packet);
        return sendto(fd, packet, sizeof packet, 0, (struct sockaddr *)&to, sizeof to) < 0 ? -errno : 0;
}
