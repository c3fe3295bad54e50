/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Gives a lease back in the name of a guest that has gone (RFC 2131, DHCPRELEASE): otherwise its name would be answered
 * and its address be taken until the lease ends. Private to networks/.
 */
#pragma once

#include "base/inet.h"

#define DHCP_RELEASE_SIZE 300

/* Pure. */
void dhcp_release_build(const uint8_t hwaddr[static HWADDR_SIZE], const struct inet_prefix *address,
                        const struct inet_prefix *server, uint32_t xid, uint8_t ret[static DHCP_RELEASE_SIZE]);
/* One datagram, not waited for. 0 or -errno. */
int dhcp_release_send(const char *bridge, const uint8_t hwaddr[static HWADDR_SIZE], const struct inet_prefix *address,
                      const struct inet_prefix *server);
