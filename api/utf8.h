/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Is this UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing past U+10FFFF)? In pieces, or at once.
 */
#pragma once

#include "base/macros.h"

/* A state is 0 between characters. False as soon as no continuation could be valid. */
bool utf8_feed(uint32_t *state, const void *data, size_t n);
static inline bool utf8_is_complete(uint32_t state)
{
        return state == 0;
}
bool utf8_is_valid(const void *data, size_t n);
