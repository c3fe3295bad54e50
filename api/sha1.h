/* SPDX-License-Identifier: Apache-2.0 */
/*
 * SHA-1, for one purpose: the Sec-WebSocket-Accept header of RFC 6455. It proves that the other side speaks
 * websocket and protects nothing. A crypto library for these 20 bytes would cost the client its start-up
 * time.
 */
#pragma once

#include "base/macros.h"

#define SHA1_SIZE 20

void sha1(const void *data, size_t n, uint8_t ret_digest[static SHA1_SIZE]);
