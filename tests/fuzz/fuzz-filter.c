/* SPDX-License-Identifier: Apache-2.0 */
/* links: api */
/* A filter and its negation ("not" before the only clause) never agree; patterns are tried with it. */
#include "api/filter.h"
#include "api/pattern.h"
#include "base/alloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static const char object[] =
        "{\"name\":\"web\",\"status\":\"Running\",\"size\":42,\"public\":false,\"none\":null,"
        "\"config\":{\"image.os\":\"ubuntu\",\"image\":{\"os\":\"x\"},\"\":{\"\":\"y\"}},"
        "\"profiles\":[\"default\",\"web\"],\"devices\":{\"eth0\":{\"type\":\"nic\"}}}";

static void try_pattern(const char *text)
{
        for (unsigned flags = 0; flags < 4; flags++) {
                _cleanup_pattern_ struct pattern *p = NULL;
                if (pattern_new(text, flags, &p) == 0)
                        pattern_matches(p, "Running aaaaaaaaaaaaaaaaaaaaab ubuntu 22.04");
        }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
        static struct json_object *o;
        _cleanup_free_ char *text = xstrndup((const char *)data, n), *negated = xasprintf("not %s", text);
        _cleanup_filter_ struct filter *f = NULL, *g = NULL;
        _cleanup_error_ struct error err = ERROR_INIT;
        if (!o && json_parse(object, sizeof object - 1, &o, NULL) < 0)
                abort();
        try_pattern(text);
        if (filter_parse(text, &f, &err) < 0) {
                if (!err.message)
                        abort();
                return 0;
        }
        bool is_match = filter_matches(f, o),
             has_one_clause = !strstr(text, " and ") && !strstr(text, " or ");
        if (f && has_one_clause && !strpbrk(text, "\t\r\n\"") && filter_parse(negated, &g, NULL) == 0 &&
            filter_matches(g, o) == is_match)
                abort();
        return 0;
}
