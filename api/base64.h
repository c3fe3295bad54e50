/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 of RFC 4648 with padding: websocket keys, certificates and join tokens on the wire. */
#pragma once

#include "base/strbuf.h"

void base64_encode(struct strbuf *out, const void *data, size_t n);
/* Strict: padding in place, no white space, unused bits zero. 0, or -EINVAL with out as it was. */
int base64_decode(struct strbuf *out, const char *text, size_t n);
