/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"
#include "base/alloc.h"

static struct CMUnitTest *tests;
static size_t n_tests;

void test_register(const char *name, void (*fn)(void **state))
{
        tests = xreallocarray(tests, n_tests + 1, sizeof *tests);
        tests[n_tests++] = (struct CMUnitTest){ .name = name, .test_func = fn };
}

int main(int argc, char **argv)
{
        if (argc > 1) {
                char *pattern = xasprintf("*%s*", argv[1]);
                cmocka_set_test_filter(pattern);
        }
        int failed = _cmocka_run_group_tests(argv[0], tests, n_tests, NULL, NULL);
        free(tests);
        return failed ? 1 : 0;
}
