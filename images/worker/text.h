/* SPDX-License-Identifier: Apache-2.0 */
/* Whether bytes from an archive are text that may stand in JSON. */
#pragma once

#include "base/macros.h"

/* Valid UTF-8 (no surrogates, no overlong forms) without a NUL. */
bool text_is_utf8(const char *text, size_t n);
