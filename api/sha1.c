/* SPDX-License-Identifier: Apache-2.0 */
#include "api/sha1.h"

static uint32_t rotate(uint32_t x, unsigned bits)
{
        return x << bits | x >> (32 - bits);
}

static uint32_t round_function(unsigned t, const uint32_t s[5])
{
        if (t < 20)
                return ((s[1] & s[2]) | (~s[1] & s[3])) + 0x5a827999;
        if (t < 40)
                return (s[1] ^ s[2] ^ s[3]) + 0x6ed9eba1;
        if (t < 60)
                return ((s[1] & s[2]) | (s[1] & s[3]) | (s[2] & s[3])) + 0x8f1bbcdc;
        return (s[1] ^ s[2] ^ s[3]) + 0xca62c1d6;
}

static void add_block(uint32_t state[5], const uint8_t *block)
{
        uint32_t w[80], s[5];
        for (unsigned t = 0; t < 16; t++)
                w[t] = (uint32_t)block[4 * t] << 24 | (uint32_t)block[4 * t + 1] << 16 |
                       (uint32_t)block[4 * t + 2] << 8 | block[4 * t + 3];
        for (unsigned t = 16; t < 80; t++)
                w[t] = rotate(w[t - 3] ^ w[t - 8] ^ w[t - 14] ^ w[t - 16], 1);
        memcpy(s, state, sizeof s);
        for (unsigned t = 0; t < 80; t++) {
                uint32_t next = rotate(s[0], 5) + round_function(t, s) + s[4] + w[t];
                s[4] = s[3];
                s[3] = s[2];
                s[2] = rotate(s[1], 30);
                s[1] = s[0];
                s[0] = next;
        }
        for (unsigned i = 0; i < 5; i++)
                state[i] += s[i];
}

void sha1(const void *data, size_t n, uint8_t ret_digest[static SHA1_SIZE])
{
        uint32_t state[5] = { 0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0 };
        uint8_t tail[128] = { 0 };
        const uint8_t *p = data;
        size_t left = n;
        for (; left >= 64; left -= 64, p += 64)
                add_block(state, p);
        if (left)
                memcpy(tail, p, left);
        tail[left] = 0x80;
        size_t size = left < 56 ? 64 : 128;
        for (unsigned i = 0; i < 8; i++)
                tail[size - 1 - i] = (uint8_t)((uint64_t)n << 3 >> (8 * i));
        for (size_t i = 0; i < size; i += 64)
                add_block(state, tail + i);
        for (unsigned i = 0; i < SHA1_SIZE; i++)
                ret_digest[i] = (uint8_t)(state[i / 4] >> (24 - 8 * (i % 4)));
}
