/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is there or the process is not.
 *
 * Every input is capped before it is stored (see the caps in api/http.h and base/json.h), so running out of
 * memory is never the caller's fault and never worth an error path in every function: these abort with one
 * line. Containers outlive the daemon, and the store holds only whole transactions, so an abort loses nothing.
 * This is the only place that calls malloc().
 */
#pragma once

#include "base/macros.h"

void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
void *xreallocarray(void *p, size_t n, size_t size);
char *xstrdup(const char *s);                  /* NULL stays NULL */
char *xstrndup(const char *s, size_t n);
void *xmemdup(const void *p, size_t n);
char *xasprintf(const char *fmt, ...) _printf_(1, 2);

#define xnew(type) ((type *)xcalloc(1, sizeof(type)))
#define xnew_array(type, n) ((type *)xcalloc((n), sizeof(type)))
