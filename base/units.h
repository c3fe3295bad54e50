/* SPDX-License-Identifier: Apache-2.0 */
/* Sizes as people write them: "512MiB" (binary), "512MB" (decimal), "1048576", and how they are shown. */
#pragma once

#include "base/macros.h"

/* 0, or -EINVAL for anything that is not a whole size below 2^63. */
int units_parse_size(const char *text, uint64_t *ret_bytes);
/* "3.20MB": three figures, decimal units, as lists show them. buf holds at least 32 bytes; returns it. */
char *units_format_size(uint64_t bytes, char buf[static 32]);
int units_parse_bool(const char *text, bool *ret); /* true/false, 1/0, yes/no, on/off */
int units_parse_uint(const char *text, uint64_t max, uint64_t *ret);
