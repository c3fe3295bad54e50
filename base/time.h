/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Two clocks: wall time in nanoseconds since 1970 for what is shown and stored, monotonic milliseconds for every
 * timeout. Times on the wire are RFC 3339 in UTC; "0001-01-01T00:00:00Z" is Go's zero time and means "never".
 */
#pragma once

#include "base/macros.h"

#define TIME_TEXT_SIZE 40
#define TIME_ZERO_TEXT "0001-01-01T00:00:00Z"

int64_t time_now_ns(void);       /* CLOCK_REALTIME */
uint64_t time_monotonic_ms(void);

/* "2026-11-22T01:02:03.123456789Z"; ns == 0 gives TIME_ZERO_TEXT. Returns buf. */
char *time_format_rfc3339(int64_t ns, char buf[static TIME_TEXT_SIZE]);
/* 0 and *ret_ns, or -EINVAL. Offsets ("+01:00") are understood; Go's zero time gives 0. */
int time_parse_rfc3339(const char *text, int64_t *ret_ns);
