/* SPDX-License-Identifier: Apache-2.0 */
#include "api/base64.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void base64_encode(struct strbuf *out, const void *data, size_t n)
{
        const uint8_t *p = data;
        for (size_t i = 0; i < n; i += 3) {
                size_t have = MIN(n - i, (size_t)3);
                uint32_t v = (uint32_t)p[i] << 16;
                if (have > 1)
                        v |= (uint32_t)p[i + 1] << 8;
                if (have > 2)
                        v |= p[i + 2];
                char four[4] = { digits[v >> 18], digits[v >> 12 & 63], '=', '=' };
                if (have > 1)
                        four[2] = digits[v >> 6 & 63];
                if (have > 2)
                        four[3] = digits[v & 63];
                strbuf_add(out, four, sizeof four);
        }
}

static int digit_value(char c)
{
        if (c >= 'A' && c <= 'Z')
                return c - 'A';
        if (c >= 'a' && c <= 'z')
                return c - 'a' + 26;
        if (c >= '0' && c <= '9')
                return c - '0' + 52;
        if (c == '+')
                return 62;
        return c == '/' ? 63 : -1;
}

/*
 * Four characters into one to three bytes; the number of bytes, or 0. Padding is legal only in the last
 * group.
 */
static size_t decode_group(const char *text, bool is_last, uint8_t ret_bytes[static 3])
{
        size_t n_pad = !is_last ? 0 : text[3] != '=' ? 0 : text[2] != '=' ? 1 : 2;
        uint32_t v = 0;
        for (size_t i = 0; i < 4; i++) {
                int d = i < 4 - n_pad ? digit_value(text[i]) : 0;
                if (d < 0)
                        return 0;
                v = v << 6 | (uint32_t)d;
        }
        if (v & ((1u << (8 * n_pad)) - 1))
                return 0;
        for (size_t i = 0; i < 3; i++)
                ret_bytes[i] = (uint8_t)(v >> (16 - 8 * i));
        return 3 - n_pad;
}

int base64_decode(struct strbuf *out, const char *text, size_t n)
{
        size_t before = out->len;
        if (n % 4)
                return -EINVAL;
        for (size_t i = 0; i < n; i += 4) {
                uint8_t bytes[3];
                size_t have = decode_group(text + i, i + 4 == n, bytes);
                if (!have) {
                        out->len = before;
                        if (out->data)
                                out->data[before] = '\0';
                        return -EINVAL;
                }
                strbuf_add(out, bytes, have);
        }
        return 0;
}
