/* SPDX-License-Identifier: Apache-2.0 */
#include "images/worker/text.h"

/* Length of the sequence that begins with this byte and the smallest value it may carry; 0: none begins so.
 */
static size_t sequence(unsigned char c, uint32_t *ret_min)
{
        if (c < 0x80)
                return *ret_min = 1, 1;
        if ((c & 0xe0) == 0xc0)
                return *ret_min = 0x80, 2;
        if ((c & 0xf0) == 0xe0)
                return *ret_min = 0x800, 3;
        if ((c & 0xf8) == 0xf0)
                return *ret_min = 0x10000, 4;
        return 0;
}

bool text_is_utf8(const char *text, size_t n)
{
        static const unsigned char first_bits[] = { 0, 0x7f, 0x1f, 0x0f, 0x07 };
        for (size_t i = 0; i < n;) {
                uint32_t min, value;
                size_t len = sequence((unsigned char)text[i], &min);
                if (len == 0 || len > n - i)
                        return false;
                value = (unsigned char)text[i] & first_bits[len];
                for (size_t k = 1; k < len; k++) {
                        if (((unsigned char)text[i + k] & 0xc0) != 0x80)
                                return false;
                        value = value << 6 | ((unsigned char)text[i + k] & 0x3f);
                }
                if (value < min || value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
                        return false;
                i += len;
        }
        return true;
}
