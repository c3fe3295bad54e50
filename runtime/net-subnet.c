/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/net-subnet.h"

#define RANDOM_TRIES 64

/* Ten first: the largest, so that two hosts rarely choose the same. */
static const struct {
        uint32_t address;
        unsigned len;
} private_nets[] = { { 0x0a000000, 8 }, { 0xac100000, 12 }, { 0xc0a80000, 16 } };

static bool is_free(const struct inet_prefix *p, const struct inet_prefix *taken, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (inet_overlaps(p, &taken[i]))
                        return false;
        return true;
}

/* The number-th /20 of a private network. */
static struct inet_prefix nth(size_t net, uint32_t number)
{
        uint32_t count = 1u << (SUBNET_IPV4_LEN - private_nets[net].len);
        uint32_t address = private_nets[net].address + (number % count << (32 - SUBNET_IPV4_LEN));
        return inet4_make(address + 1, SUBNET_IPV4_LEN);
}

static bool choose_in(size_t net, const struct inet_prefix *taken, size_t n, subnet_random_fn random, void *data,
                      struct inet_prefix *ret)
{
        uint32_t count = 1u << (SUBNET_IPV4_LEN - private_nets[net].len), first = 0;
        for (int i = 0; i < RANDOM_TRIES; i++) {
                *ret = nth(net, first = random(data));
                if (is_free(ret, taken, n))
                        return true;
        }
        for (uint32_t i = 0; i < count; i++) {
                *ret = nth(net, first + i);
                if (is_free(ret, taken, n))
                        return true;
        }
        return false;
}

int subnet_choose_ipv4(const struct inet_prefix *taken, size_t n, subnet_random_fn random, void *data,
                       struct inet_prefix *ret)
{
        struct inet_prefix p;
        for (size_t net = 0; net < ARRAY_SIZE(private_nets); net++)
                if (choose_in(net, taken, n, random, data, &p))
                        return *ret = p, 0;
        return -EADDRINUSE;
}

int subnet_choose_ipv6(const struct inet_prefix *taken, size_t n, subnet_random_fn random, void *data,
                       struct inet_prefix *ret)
{
        struct inet_prefix p = { .family = AF_INET6, .len = 64, .addr = { 0xfd, 0x42, [15] = 1 } };
        for (int i = 0; i < RANDOM_TRIES; i++) {
                uint32_t a = random(data), b = random(data);
                memcpy(p.addr + 2, &a, 4);
                memcpy(p.addr + 6, &b, 2);
                if (is_free(&p, taken, n))
                        return *ret = p, 0;
        }
        return -EADDRINUSE;
}
