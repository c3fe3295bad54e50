/* SPDX-License-Identifier: Apache-2.0 */
/* links: api */
/* What was decoded, encoded again, decodes to the same. */
#include "api/uri.h"
#include "base/alloc.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

static void build(const struct uri *u, struct strbuf *out)
{
        for (size_t i = 0; i < u->n_segments; i++)
                if (uri_add_segment(out, u->segments[i]) < 0)
                        abort();
        if (u->has_trailing_slash || !u->n_segments)
                strbuf_addc(out, '/');
        for (size_t i = 0; i < u->n_pairs; i++)
                uri_add_query(out, u->pairs[i].key, u->pairs[i].value);
}

static void compare(const struct uri *a, const struct uri *b)
{
        if (a->n_segments != b->n_segments || a->n_pairs != b->n_pairs ||
            a->has_trailing_slash != b->has_trailing_slash)
                abort();
        for (size_t i = 0; i < a->n_segments; i++)
                if (!streq(a->segments[i], b->segments[i]))
                        abort();
        for (size_t i = 0; i < a->n_pairs; i++)
                if (!streq(a->pairs[i].key, b->pairs[i].key) || !streq(a->pairs[i].value, b->pairs[i].value))
                        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
        _cleanup_free_ char *target = xstrndup((const char *)data, n);
        _cleanup_uri_ struct uri u = URI_INIT, again = URI_INIT;
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        _cleanup_error_ struct error err = ERROR_INIT;
        if (uri_parse(target, &u, &err) < 0) {
                if (!err.message)
                        abort();
                return 0;
        }
        build(&u, &text);
        if (uri_parse(text.data, &again, NULL) < 0)
                abort();
        compare(&u, &again);
        return 0;
}
