/* SPDX-License-Identifier: Apache-2.0 */
#include "base/units.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <strings.h>

static const struct {
        const char *suffix;
        uint64_t factor;
} suffixes[] = {
        { "", 1 },
        { "B", 1 },
        { "kB", 1000 },
        { "KB", 1000 },
        { "MB", 1000000 },
        { "GB", 1000000000 },
        { "TB", 1000000000000 },
        { "PB", 1000000000000000 },
        { "EB", 1000000000000000000 },
        { "KiB", 1ull << 10 },
        { "MiB", 1ull << 20 },
        { "GiB", 1ull << 30 },
        { "TiB", 1ull << 40 },
        { "PiB", 1ull << 50 },
        { "EiB", 1ull << 60 },
};

int units_parse_uint(const char *text, uint64_t max, uint64_t *ret)
{
        if (!text || !isdigit((unsigned char)text[0]))
                return -EINVAL;
        errno = 0;
        char *end;
        unsigned long long v = strtoull(text, &end, 10);
        if (errno || *end || v > max)
                return -EINVAL;
        *ret = v;
        return 0;
}

int units_parse_size(const char *text, uint64_t *ret_bytes)
{
        if (!text || !isdigit((unsigned char)text[0]))
                return -EINVAL;
        errno = 0;
        char *end;
        unsigned long long v = strtoull(text, &end, 10);
        if (errno)
                return -EINVAL;
        for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
                uint64_t bytes;
                if (!streq(end, suffixes[i].suffix))
                        continue;
                if (__builtin_mul_overflow((uint64_t)v, suffixes[i].factor, &bytes) || bytes > INT64_MAX)
                        return -EINVAL;
                *ret_bytes = bytes;
                return 0;
        }
        return -EINVAL;
}

char *units_format_size(uint64_t bytes, char buf[static 32])
{
        static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
        double v = (double)bytes;
        size_t u = 0;
        while (v >= 1000 && u + 1 < ARRAY_SIZE(units)) {
                v /= 1000;
                u++;
        }
        snprintf(buf, 32, u ? "%.2f%s" : "%.0f%s", v, units[u]);
        return buf;
}

int units_parse_bool(const char *text, bool *ret)
{
        static const char *const yes[] = { "true", "1", "yes", "on" }, *const no[] = { "false", "0", "no", "off" };
        for (size_t i = 0; text && i < ARRAY_SIZE(yes); i++) {
                if (strcasecmp(text, yes[i]) == 0)
                        return *ret = true, 0;
                if (strcasecmp(text, no[i]) == 0)
                        return *ret = false, 0;
        }
        return -EINVAL;
}
