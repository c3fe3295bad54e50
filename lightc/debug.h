/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What --debug shows of requests and answers. People paste it into reports, so what would let a reader act in their
 * name is "***": secrets of operations (in bodies and in addresses), passwords, tokens.
 */
#pragma once

#include "base/strbuf.h"

void debug_add_url(struct strbuf *out, const char *url);
/* JSON with its secrets masked; what is no JSON is named by its size, for it may be a file with anything in it. */
void debug_add_body(struct strbuf *out, const char *body, size_t n);
