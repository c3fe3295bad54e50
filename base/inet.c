/* SPDX-License-Identifier: Apache-2.0 */
#include "base/inet.h"
#include "base/units.h"

#include <arpa/inet.h>
#include <stdio.h>

static unsigned address_bits(int family)
{
        return family == AF_INET ? 32 : family == AF_INET6 ? 128 : 0;
}

int inet_parse_address(const char *text, int family, struct inet_prefix *ret)
{
        struct inet_prefix p = { .family = family };
        if (!text)
                return -EINVAL;
        if (family == 0)
                p.family = strchr(text, ':') ? AF_INET6 : AF_INET;
        if (inet_pton(p.family, text, p.addr) != 1)
                return -EINVAL;
        p.len = (uint8_t)address_bits(p.family);
        *ret = p;
        return 0;
}

int inet_parse_cidr(const char *text, int family, struct inet_prefix *ret)
{
        char address[INET_TEXT_SIZE];
        struct inet_prefix p;
        uint64_t len;
        const char *slash = text ? strchr(text, '/') : NULL;
        if (!slash || (size_t)(slash - text) >= sizeof address)
                return -EINVAL;
        memcpy(address, text, (size_t)(slash - text));
        address[slash - text] = '\0';
        int r = inet_parse_address(address, family, &p);
        if (r < 0)
                return r;
        if (units_parse_uint(slash + 1, p.len, &len) < 0)
                return -EINVAL;
        p.len = (uint8_t)len;
        *ret = p;
        return 0;
}

char *inet_format_address(const struct inet_prefix *p, char buf[static INET_TEXT_SIZE])
{
        if (!inet_ntop(p->family, p->addr, buf, INET_TEXT_SIZE))
                buf[0] = '\0';
        return buf;
}

char *inet_format_cidr(const struct inet_prefix *p, char buf[static INET_TEXT_SIZE])
{
        inet_format_address(p, buf);
        size_t n = strlen(buf);
        if (n > 0)
                snprintf(buf + n, INET_TEXT_SIZE - n, "/%u", p->len);
        return buf;
}

struct inet_prefix inet_masked(const struct inet_prefix *p)
{
        struct inet_prefix net = *p;
        for (unsigned bit = net.len; bit < address_bits(net.family); bit++)
                net.addr[bit / 8] &= (uint8_t)~(0x80u >> (bit % 8));
        return net;
}

bool inet_overlaps(const struct inet_prefix *a, const struct inet_prefix *b)
{
        if (a->family == 0 || a->family != b->family)
                return false;
        struct inet_prefix x = *a, y = *b;
        x.len = y.len = MIN(a->len, b->len);
        x = inet_masked(&x);
        y = inet_masked(&y);
        return inet_equal(&x, &y);
}

bool inet_contains(const struct inet_prefix *net, const struct inet_prefix *address)
{
        return address->len >= net->len && inet_overlaps(net, address);
}

bool inet_equal(const struct inet_prefix *a, const struct inet_prefix *b)
{
        return a->family == b->family && a->len == b->len &&
               memcmp(a->addr, b->addr, address_bits(a->family) / 8) == 0;
}

uint32_t inet4_get(const struct inet_prefix *p)
{
        return (uint32_t)p->addr[0] << 24 | (uint32_t)p->addr[1] << 16 | (uint32_t)p->addr[2] << 8 | p->addr[3];
}

struct inet_prefix inet4_make(uint32_t address, unsigned len)
{
        return (struct inet_prefix){ .family = AF_INET,
                                     .len = (uint8_t)len,
                                     .addr = { (uint8_t)(address >> 24), (uint8_t)(address >> 16),
                                               (uint8_t)(address >> 8), (uint8_t)address } };
}

struct inet_prefix inet6_eui64(const struct inet_prefix *net, const uint8_t hwaddr[static HWADDR_SIZE])
{
        struct inet_prefix p = inet_masked(net);
        p.len = 128;
        memcpy(p.addr + 8, hwaddr, 3);
        p.addr[8] ^= 2; /* "universal" is a 1 here */
        p.addr[11] = 0xff;
        p.addr[12] = 0xfe;
        memcpy(p.addr + 13, hwaddr + 3, 3);
        return p;
}

static int hex_digit(char c)
{
        if (c >= '0' && c <= '9')
                return c - '0';
        c |= 0x20;
        return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int hwaddr_parse(const char *text, uint8_t ret[static HWADDR_SIZE])
{
        uint8_t parsed[HWADDR_SIZE];
        if (!text || strlen(text) != HWADDR_TEXT_SIZE - 1)
                return -EINVAL;
        for (size_t i = 0; i < HWADDR_SIZE; i++) {
                int high = hex_digit(text[3 * i]), low = hex_digit(text[3 * i + 1]);
                char end = text[3 * i + 2];
                if (high < 0 || low < 0 || end != (i == HWADDR_SIZE - 1 ? '\0' : ':'))
                        return -EINVAL;
                parsed[i] = (uint8_t)(high << 4 | low);
        }
        memcpy(ret, parsed, sizeof parsed);
        return 0;
}

char *hwaddr_format(const uint8_t hwaddr[static HWADDR_SIZE], char buf[static HWADDR_TEXT_SIZE])
{
        snprintf(buf, HWADDR_TEXT_SIZE, "%02x:%02x:%02x:%02x:%02x:%02x", hwaddr[0], hwaddr[1], hwaddr[2], hwaddr[3],
                 hwaddr[4], hwaddr[5]);
        return buf;
}
