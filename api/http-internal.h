/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Between http.c, which cuts the input into lines and bodies, and http-head.c, which reads the lines of a
 * head.
 */
#pragma once

#include "api/http.h"

/* Ends the parsing; returns HTTP_BAD. Whatever is wrong with a response, its status becomes 502. */
enum http_event http_fail(struct http_parser *p, int status, const char *problem);

/*
 * A line lies in p->text from p->line to end, where a NUL stands. The line may be cut up in place. False:
 * failed.
 */
bool http_read_first_line(struct http_parser *p, size_t end);
bool http_read_header(struct http_parser *p, size_t end);
/* All headers are there: fills p->head and says what the body is made of. */
bool http_read_framing(struct http_parser *p);
