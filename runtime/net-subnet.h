/* SPDX-License-Identifier: Apache-2.0 */
/* The choice of a free network: pure arithmetic over what is taken; chance comes from the caller. */
#pragma once

#include "base/inet.h"

#define SUBNET_IPV4_LEN 20 /* 4094 addresses: a bridge takes 1023 ports, and old leases linger */

typedef uint32_t (*subnet_random_fn)(void *data);

/* The first address of a private /20 that overlaps nothing taken. 0, or -EADDRINUSE when there is none. */
int subnet_choose_ipv4(const struct inet_prefix *taken, size_t n, subnet_random_fn random, void *data,
                       struct inet_prefix *ret);
/* fd42:xxxx:xxxx:xxxx::1/64 */
int subnet_choose_ipv6(const struct inet_prefix *taken, size_t n, subnet_random_fn random, void *data,
                       struct inet_prefix *ret);
