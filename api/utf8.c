/* SPDX-License-Identifier: Apache-2.0 */
#include "api/utf8.h"

/*
 * The state says what the next byte may be: bits 0-7 how many continuation bytes are missing, 8-15 the least
 * and 16-23 the greatest value of the next one. Only the first continuation byte has a range of its own.
 */
#define STATE(missing, low, high) ((uint32_t)(missing) | (uint32_t)(low) << 8 | (uint32_t)(high) << 16)

static uint32_t start_state(uint8_t c)
{
        if (c >= 0xc2 && c <= 0xdf)
                return STATE(1, 0x80, 0xbf);
        if (c >= 0xe0 && c <= 0xef)
                return STATE(2, c == 0xe0 ? 0xa0 : 0x80, c == 0xed ? 0x9f : 0xbf);
        if (c >= 0xf0 && c <= 0xf4)
                return STATE(3, c == 0xf0 ? 0x90 : 0x80, c == 0xf4 ? 0x8f : 0xbf);
        return 0;
}

static size_t ascii_run(const uint8_t *p, size_t n)
{
        size_t i = 0;
        for (uint64_t word; i + 8 <= n; i += 8) {
                memcpy(&word, p + i, 8);
                if (word & 0x8080808080808080u)
                        break;
        }
        while (i < n && p[i] < 0x80)
                i++;
        return i;
}

bool utf8_feed(uint32_t *state, const void *data, size_t n)
{
        const uint8_t *p = data;
        uint32_t s = *state;
        for (size_t i = 0; i < n;) {
                if (s == 0) {
                        i += ascii_run(p + i, n - i);
                        if (i == n)
                                break;
                        s = start_state(p[i++]);
                        if (s == 0)
                                return false;
                } else {
                        uint8_t c = p[i++];
                        if (c < (s >> 8 & 0xff) || c > (s >> 16 & 0xff))
                                return false;
                        s = (s & 0xff) == 1 ? 0 : STATE((s & 0xff) - 1, 0x80, 0xbf);
                }
        }
        *state = s;
        return true;
}

bool utf8_is_valid(const void *data, size_t n)
{
        uint32_t state = 0;
        return utf8_feed(&state, data, n) && utf8_is_complete(state);
}
