/* SPDX-License-Identifier: Apache-2.0 */
/* Internet addresses, networks and hardware addresses as values and as text. No name is ever looked up. */
#pragma once

#include "base/macros.h"
#include <sys/socket.h>

struct inet_prefix {
        int family; /* AF_INET, AF_INET6; 0: none */
        uint8_t len;
        uint8_t addr[16]; /* network byte order, 4 or 16 bytes used */
};

#define INET_TEXT_SIZE 64
#define HWADDR_SIZE 6
#define HWADDR_TEXT_SIZE 18

/* family 0 takes either. An address alone has the length 32 or 128; a CIDR needs its "/n". 0 or -EINVAL. */
int inet_parse_address(const char *text, int family, struct inet_prefix *ret);
int inet_parse_cidr(const char *text, int family, struct inet_prefix *ret);
char *inet_format_address(const struct inet_prefix *p, char buf[static INET_TEXT_SIZE]);
char *inet_format_cidr(const struct inet_prefix *p, char buf[static INET_TEXT_SIZE]);

struct inet_prefix inet_masked(const struct inet_prefix *p); /* host bits cleared */
bool inet_overlaps(const struct inet_prefix *a, const struct inet_prefix *b);
bool inet_contains(const struct inet_prefix *net, const struct inet_prefix *address);
bool inet_equal(const struct inet_prefix *a, const struct inet_prefix *b);

uint32_t inet4_get(const struct inet_prefix *p); /* host byte order */
struct inet_prefix inet4_make(uint32_t address, unsigned len);
/* The address IPv6 autoconfiguration derives from a hardware address in a /64. */
struct inet_prefix inet6_eui64(const struct inet_prefix *net, const uint8_t hwaddr[static HWADDR_SIZE]);

/* "00:16:3e:01:02:03" in either case; 0 or -EINVAL. */
int hwaddr_parse(const char *text, uint8_t ret[static HWADDR_SIZE]);
char *hwaddr_format(const uint8_t hwaddr[static HWADDR_SIZE], char buf[static HWADDR_TEXT_SIZE]);
