/* SPDX-License-Identifier: Apache-2.0 */
#include "lightc/debug.h"
#include "base/json.h"

#define MASK "***"

/* Members of the API whose value is a secret wherever they stand; "fds" is a map of secrets. */
static bool is_secret(const char *key)
{
        static const char *const keys[] = { "secret", "password", "trust_password", "core.trust_password", "token",
                                            "trust_token", "fds", "secrets" };
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
                if (streq(key, keys[i]))
                        return true;
        return false;
}

static void mask(struct json_object *o, bool hides)
{
        if (hides && json_object_is_type(o, json_type_string) && *json_object_get_string(o))
                json_object_set_string(o, MASK);
        if (json_object_is_type(o, json_type_array))
                for (size_t i = 0; i < json_object_array_length(o); i++)
                        mask(json_object_array_get_idx(o, i), hides);
        if (!json_object_is_type(o, json_type_object))
                return;
        json_object_object_foreach(o, key, value)
                mask(value, hides || is_secret(key));
}

void debug_add_url(struct strbuf *out, const char *url)
{
        const char *p;
        while ((p = strstr(url, "secret="))) {
                strbuf_add(out, url, (size_t)(p - url) + strlen("secret="));
                strbuf_adds(out, MASK);
                url = p + strcspn(p, "&");
        }
        strbuf_adds(out, url);
}

void debug_add_body(struct strbuf *out, const char *body, size_t n)
{
        _cleanup_json_ struct json_object *o = NULL;
        if (json_parse_max(body, n, n, &o, NULL) < 0) {
                strbuf_addf(out, "(%zu bytes that are no JSON)", n);
                return;
        }
        mask(o, false);
        strbuf_adds(out, json_text(o));
}
