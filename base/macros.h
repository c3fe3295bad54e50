/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The vocabulary every file uses: scope-bound cleanup, ownership transfer, small arithmetic.
 * Knows nothing of the rest of the project.
 */
#pragma once

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define _cleanup_(fn) __attribute__((cleanup(fn)))
#define _printf_(fmt, args) __attribute__((format(printf, fmt, args)))
#define _noreturn_ __attribute__((noreturn))
#define _unused_ __attribute__((unused))
#define _warn_unused_ __attribute__((warn_unused_result))

/* Hand ownership over: the variable is left empty, the value is returned. */
#define TAKE_PTR(p)                                                                                          \
        ({                                                                                                   \
                typeof(p) *_pp = &(p);                                                                       \
                typeof(p) _v = *_pp;                                                                         \
                *_pp = NULL;                                                                                 \
                _v;                                                                                          \
        })
#define TAKE_FD(fd)                                                                                          \
        ({                                                                                                   \
                int *_pf = &(fd);                                                                            \
                int _f = *_pf;                                                                               \
                *_pf = -EBADF;                                                                               \
                _f;                                                                                          \
        })

/* Defines static inline void name##p(type *) for use with _cleanup_, calling fn on a non-NULL value. */
#define DEFINE_CLEANUP(type, fn)                                                                             \
        static inline void fn##p(type *p)                                                                    \
        {                                                                                                    \
                if (*p)                                                                                      \
                        fn(*p);                                                                              \
        }

static inline void freep(void *p)
{
        free(*(void **)p);
}
#define _cleanup_free_ _cleanup_(freep)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define KiB(n) ((uint64_t)(n) << 10)
#define MiB(n) ((uint64_t)(n) << 20)
#define GiB(n) ((uint64_t)(n) << 30)

static inline bool streq(const char *a, const char *b)
{
        return a == b || (a && b && strcmp(a, b) == 0);
}
static inline bool str_starts(const char *s, const char *prefix)
{
        return strncmp(s, prefix, strlen(prefix)) == 0;
}
static inline bool str_ends(const char *s, const char *suffix)
{
        size_t n = strlen(s), m = strlen(suffix);
        return n >= m && memcmp(s + n - m, suffix, m) == 0;
}
static inline bool str_empty(const char *s)
{
        return !s || !*s;
}
