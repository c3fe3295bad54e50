/* SPDX-License-Identifier: Apache-2.0 */
/* dnsmasq's lease file, read line by line. What stands in it was in part chosen by guests. */
#pragma once

#include "base/inet.h"

#define LEASE_HOSTNAME_SIZE 256
#define LEASES_SIZE_MAX MiB(8) /* of the file */

struct lease {
        int64_t expires; /* seconds since 1970; 0: never */
        char hwaddr[HWADDR_TEXT_SIZE]; /* "" when the line does not say (DHCPv6) */
        struct inet_prefix address;
        char hostname[LEASE_HOSTNAME_SIZE]; /* "" when it has none; letters, digits, '-', '_' and '.' only */
};

/* The next lease of the text: *text moves on, NULL at its end. Lines that are none are passed over. */
bool lease_next(const char **text, struct lease *ret);
