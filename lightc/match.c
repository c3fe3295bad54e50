/* SPDX-License-Identifier: Apache-2.0 */
#include "lightc/match.h"
#include "base/alloc.h"
#include "lightc/args.h"

#include <arpa/inet.h>
#include <regex.h>
#include <strings.h>

bool match_abbreviated(const char *pattern, const char *key)
{
        for (;;) {
                size_t n = strcspn(pattern, "."), m = strcspn(key, ".");
                if (n > m || memcmp(pattern, key, n) != 0 || (pattern[n] == '.') != (key[m] == '.'))
                        return false;
                if (!pattern[n])
                        return true;
                pattern += n + 1;
                key += m + 1;
        }
}

static bool same_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
        if (memcmp(a, b, bits / 8) != 0)
                return false;
        uint8_t mask = (uint8_t)(0xff00 >> (bits % 8));
        return bits % 8 == 0 || ((a[bits / 8] ^ b[bits / 8]) & mask) == 0;
}

bool match_address(const char *address, const char *network)
{
        uint8_t a[16], b[16];
        int family = strchr(network, ':') ? AF_INET6 : AF_INET;
        unsigned long max = family == AF_INET6 ? 128 : 32;
        size_t n = strcspn(network, "/");
        _cleanup_free_ char *base = xstrndup(network, n);
        unsigned long bits = network[n] ? strtoul(network + n + 1, NULL, 10) : max;
        if (inet_pton(family, address, a) != 1 || inet_pton(family, base, b) != 1)
                return false;
        return same_bits(a, b, (unsigned)MIN(bits, max));
}

/* One compiled filter word. */
struct filter {
        char *key; /* NULL: a bare word */
        const char *value;
        regex_t regex;
        bool has_regex;
};

static void filter_done(struct filter *f)
{
        free(f->key);
        if (f->has_regex)
                regfree(&f->regex);
}

/* A pattern means the whole value unless it says itself where it is anchored. */
static int compile(struct filter *f, const char *pattern, struct error *err)
{
        bool is_anchored = strpbrk(pattern, "^$");
        _cleanup_free_ char *whole = is_anchored ? xstrdup(pattern) : xasprintf("^(%s)$", pattern);
        if (regcomp(&f->regex, whole, REG_EXTENDED | REG_NOSUB) != 0)
                return args_misuse(err, "\"%s\" is no valid pattern", pattern);
        f->has_regex = true;
        return 0;
}

static int filter_init(struct filter *f, const char *word, struct error *err)
{
        const char *equals = strchr(word, '=');
        *f = (struct filter){ .value = equals ? equals + 1 : word };
        if (equals)
                f->key = xstrndup(word, (size_t)(equals - word));
        return compile(f, f->value, err);
}

static bool matches_text(const struct filter *f, const char *text)
{
        return regexec(&f->regex, text, 0, NULL, 0) == 0;
}

static bool is_in_list(const char *list, const char *text)
{
        size_t n = strlen(text);
        for (const char *p = list; *p; p += strcspn(p, ","), p += *p == ',')
                if (strcspn(p, ",") == n && strncasecmp(p, text, n) == 0)
                        return true;
        return false;
}

static bool has_address(struct json_object *item, const char *networks)
{
        struct json_object *nics = json_get_object(json_get_object(item, "state"), "network");
        if (!nics)
                return false;
        json_object_object_foreach(nics, name, nic) {
                (void)name;
                struct json_object *list = json_get_array(nic, "addresses");
                for (size_t i = 0; list && i < json_object_array_length(list); i++) {
                        struct json_object *o = json_object_array_get_idx(list, i);
                        const char *address = json_get_string(o, "address", ""), *scope = json_get_string(o, "scope", "");
                        if (streq(scope, "local")) /* every instance has 127.0.0.1 */
                                continue;
                        for (const char *p = networks; *p; p += strcspn(p, ","), p += *p == ',') {
                                _cleanup_free_ char *network = xstrndup(p, strcspn(p, ","));
                                if (match_address(address, network))
                                        return true;
                        }
                }
        }
        return false;
}

static bool matches_map(const struct filter *f, struct json_object *map)
{
        if (!map)
                return false;
        json_object_object_foreach(map, key, value)
                if (match_abbreviated(f->key, key) && value && matches_text(f, json_object_get_string(value)))
                        return true;
        return !*f->value && !json_has(map, f->key); /* "user.owner=": who has none */
}

/* One member of the object itself, a list by any of its items. */
static bool matches_member(const struct filter *f, struct json_object *value)
{
        if (!json_object_is_type(value, json_type_array))
                return matches_text(f, json_object_get_string(value));
        for (size_t i = 0; i < json_object_array_length(value); i++)
                if (matches_text(f, json_object_get_string(json_object_array_get_idx(value, i))))
                        return true;
        return false;
}

static bool has_member(struct json_object *item, const char *key, struct json_object **ret)
{
        return json_object_object_get_ex(item, key, ret) && *ret && !json_object_is_type(*ret, json_type_object);
}

static bool is_shorthand(const char *key)
{
        static const char *const keys[] = { "type", "status", "architecture", "location" };
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
                if (streq(key, keys[i]))
                        return true;
        return false;
}

static bool matches_instance(const struct filter *f, struct json_object *item)
{
        const char *name = json_get_string(item, "name", "");
        struct json_object *member;
        if (!f->key)
                return str_starts(name, f->value) || matches_text(f, name);
        if (is_shorthand(f->key))
                return is_in_list(f->value, json_get_string(item, f->key, ""));
        if (streq(f->key, "ipv4") || streq(f->key, "ipv6"))
                return has_address(item, f->value);
        if (has_member(item, f->key, &member))
                return matches_member(f, member);
        return matches_map(f, json_get_object(item, "expanded_config"));
}

static bool matches_image(const struct filter *f, struct json_object *item)
{
        struct json_object *v = NULL, *aliases = json_get_array(item, "aliases");
        if (f->key) {
                bool is_member = has_member(item, f->key, &v);
                if (is_member && matches_member(f, v))
                        return true;
                /* an image for "x86_64" calls itself "amd64" in its properties */
                return (!is_member || *f->value) && matches_map(f, json_get_object(item, "properties"));
        }
        if (str_starts(json_get_string(item, "fingerprint", ""), f->value))
                return true;
        for (size_t i = 0; aliases && i < json_object_array_length(aliases); i++)
                if (strstr(json_get_string(json_object_array_get_idx(aliases, i), "name", ""), f->value))
                        return true;
        return false;
}

static int apply(struct json_object *items, const char *word, bool (*matches)(const struct filter *, struct json_object *),
                 struct json_object **ret, struct error *err)
{
        _cleanup_(filter_done) struct filter f;
        int r = filter_init(&f, word, err);
        if (r)
                return r;
        *ret = json_object_new_array();
        for (size_t i = 0; i < json_object_array_length(items); i++)
                if (matches(&f, json_object_array_get_idx(items, i)))
                        json_object_array_add(*ret, json_object_get(json_object_array_get_idx(items, i)));
        return 0;
}

static int apply_all(struct json_object *items, const char *const *words,
                     bool (*matches)(const struct filter *, struct json_object *), struct json_object **ret,
                     struct error *err)
{
        _cleanup_json_ struct json_object *now = items ? json_object_get(items) : json_object_new_array();
        for (; words && *words; words++) {
                struct json_object *next = NULL;
                int r = apply(now, *words, matches, &next, err);
                if (r)
                        return r;
                json_object_put(now);
                now = next;
        }
        *ret = TAKE_PTR(now);
        return 0;
}

int match_instances(struct json_object *items, const char *const *words, struct json_object **ret, struct error *err)
{
        return apply_all(items, words, matches_instance, ret, err);
}

int match_images(struct json_object *items, const char *const *words, struct json_object **ret, struct error *err)
{
        return apply_all(items, words, matches_image, ret, err);
}

bool match_needs_state(const char *const *words)
{
        for (; words && *words; words++)
                if (str_starts(*words, "ipv4=") || str_starts(*words, "ipv6="))
                        return true;
        return false;
}
