/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A test is TEST(sentence_like_name) { … } in tests/unit/test-<module>.c; it registers itself. The program takes one
 * argument, a part of a test's name, to run only those. Exit status 77 means skipped. Runs on cmocka.
 * A second line in the file, "links: <targets>" in a comment, names the libraries under test.
 */
#pragma once

#include "base/error.h"
#include "base/macros.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

void test_register(const char *name, void (*fn)(void **state));

#define TEST(name)                                                                                           \
        static void name(void **state);                                                                      \
        __attribute__((constructor)) static void register_##name(void)                                       \
        {                                                                                                    \
                test_register(#name, name);                                                                  \
        }                                                                                                    \
        static void name(void **state _unused_)

#define ASSERT_TRUE(e) assert_true(e)
#define ASSERT_FALSE(e) assert_false(e)
#define ASSERT_EQ(a, b)                                                                                      \
        do {                                                                                                 \
                long long _a = (long long)(a), _b = (long long)(b);                                          \
                if (_a != _b)                                                                                \
                        fail_msg("%s is %lld, expected %s = %lld", #a, _a, #b, _b);                          \
        } while (0)
#define ASSERT_OK(e)                                                                                         \
        do {                                                                                                 \
                long long _r = (long long)(e);                                                               \
                if (_r < 0)                                                                                  \
                        fail_msg("%s failed: %s", #e, strerror((int)-_r));                                   \
        } while (0)
#define ASSERT_ERR(e, want) ASSERT_EQ(e, want)
#define ASSERT_STR(a, b)                                                                                     \
        do {                                                                                                 \
                const char *_a = (a), *_b = (b);                                                             \
                if (!streq(_a, _b))                                                                          \
                        fail_msg("%s is \"%s\", expected \"%s\"", #a, _a ? _a : "(null)", _b ? _b : "(null)"); \
        } while (0)
#define ASSERT_CONTAINS(a, part)                                                                             \
        do {                                                                                                 \
                const char *_a = (a);                                                                        \
                if (!_a || !strstr(_a, part))                                                                \
                        fail_msg("%s is \"%s\", expected it to contain \"%s\"", #a, _a ? _a : "(null)", part); \
        } while (0)
