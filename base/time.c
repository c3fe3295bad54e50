/* SPDX-License-Identifier: Apache-2.0 */
#include "base/time.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

int64_t time_now_ns(void)
{
        struct timespec ts;
        clock_gettime(CLOCK_REALTIME, &ts);
        return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

uint64_t time_monotonic_ms(void)
{
        struct timespec ts;
        clock_gettime(CLOCK_MONOTONIC, &ts);
        return (uint64_t)ts.tv_sec * 1000 + (uint64_t)ts.tv_nsec / 1000000;
}

char *time_format_rfc3339(int64_t ns, char buf[static TIME_TEXT_SIZE])
{
        if (ns == 0)
                return memcpy(buf, TIME_ZERO_TEXT, sizeof TIME_ZERO_TEXT);
        int64_t sec = ns / 1000000000, rest = ns % 1000000000;
        if (rest < 0) {
                rest += 1000000000;
                sec--;
        }
        struct tm tm;
        time_t t = (time_t)sec;
        gmtime_r(&t, &tm);
        size_t n = strftime(buf, TIME_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
        if (rest)
                snprintf(buf + n, TIME_TEXT_SIZE - n, ".%09dZ", (int)rest);
        else
                snprintf(buf + n, TIME_TEXT_SIZE - n, "Z");
        return buf;
}

static int parse_fraction(const char **p, int64_t *ret_ns)
{
        int64_t scale = 100000000;
        *ret_ns = 0;
        if (**p != '.')
                return 0;
        const char *start = ++*p;
        for (; **p >= '0' && **p <= '9'; ++*p, scale /= 10)
                *ret_ns += (**p - '0') * scale;
        return *p == start ? -EINVAL : 0;
}

static int parse_offset(const char *p, int64_t *ret_sec)
{
        unsigned hours, minutes;
        int n = 0;
        if (streq(p, "Z") || streq(p, "z")) {
                *ret_sec = 0;
                return 0;
        }
        if ((*p != '+' && *p != '-') || sscanf(p + 1, "%2u:%2u%n", &hours, &minutes, &n) != 2 || p[1 + n] ||
            hours > 23 || minutes > 59)
                return -EINVAL;
        *ret_sec = (int64_t)(hours * 3600 + minutes * 60) * (*p == '-' ? -1 : 1);
        return 0;
}

int time_parse_rfc3339(const char *text, int64_t *ret_ns)
{
        struct tm tm = { 0 };
        int64_t fraction, offset;
        if (streq(text, TIME_ZERO_TEXT)) {
                *ret_ns = 0;
                return 0;
        }
        const char *p = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
        if (!p || parse_fraction(&p, &fraction) < 0 || parse_offset(p, &offset) < 0)
                return -EINVAL;
        time_t t = timegm(&tm);
        if (t < -9000000000 || t > 9000000000)
                return -EINVAL;
        *ret_ns = ((int64_t)t - offset) * 1000000000 + fraction;
        return 0;
}
