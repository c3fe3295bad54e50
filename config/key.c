/* SPDX-License-Identifier: Apache-2.0 */
#include "config/key.h"
#include "base/alloc.h"
#include "base/names.h"
#include "base/nearest.h"
#include "base/strbuf.h"
#include "base/units.h"

#include <inttypes.h>

static bool is_pattern_match(const char *pattern, const char *key)
{
        const char *star = strchr(pattern, '*');
        if (!star)
                return streq(pattern, key);
        size_t head = (size_t)(star - pattern), tail = strlen(star + 1), n = strlen(key);
        return n > head + tail && strncmp(pattern, key, head) == 0 && streq(key + n - tail, star + 1);
}

/* Of several patterns the one with the most fixed bytes: "volatile.*.hwaddr" before "volatile.*". */
const struct config_key *config_find(config_tables tables, const char *key)
{
        const struct config_key *best = NULL;
        for (; *tables; tables++)
                for (const struct config_key *k = *tables; k->name; k++) {
                        if (!is_pattern_match(k->name, key))
                                continue;
                        if (!strchr(k->name, '*'))
                                return k;
                        if (!best || strlen(k->name) > strlen(best->name))
                                best = k;
                }
        return best;
}

static const char *nearest(config_tables tables, const char *key, unsigned scope)
{
        struct nearest near = nearest_to(key);
        for (; *tables; tables++)
                for (const struct config_key *k = *tables; k->name; k++)
                        if ((k->scope & scope) && !strchr(k->name, '*'))
                                nearest_offer(&near, k->name);
        return near.best;
}

static int refuse_unknown(config_tables tables, const char *key, unsigned scope, struct error *err)
{
        _cleanup_free_ char *shown = name_printable(key);
        const char *near = nearest(tables, key, scope);
        error_set(err, ERR_BAD_REQUEST, "Unknown config key \"%s\"", shown);
        if (near)
                error_hint(err, "Did you mean \"%s\"?", near);
        else
                error_hint(err, "The keys of this release are in docs/reference/configuration.md");
        return -EINVAL;
}

static void add_form(struct strbuf *b, const struct config_key *k)
{
        strbuf_adds(b, k->type->form);
        for (size_t i = 0; k->type == &config_type_choice && k->choices[i]; i++)
                strbuf_addf(b, "%s%s", i ? ", " : " ", k->choices[i]);
        if (k->type->has_range && k->max)
                strbuf_addf(b, " from %" PRId64 " to %" PRId64, k->min, k->max);
        else if (k->type == &config_type_uint)
                strbuf_adds(b, " of at least 0");
}

static int refuse_value(const struct config_key *k, const char *key, const char *value, struct error *err)
{
        _cleanup_free_ char *shown = name_printable(value);
        _cleanup_strbuf_ struct strbuf form = STRBUF_INIT;
        add_form(&form, k);
        return error_set(err, ERR_BAD_REQUEST, "Invalid value \"%s\" for config key \"%s\": %s is expected", shown,
                         key, strbuf_str(&form));
}

static int refuse_length(const char *key, size_t n, struct error *err)
{
        return error_set(err, ERR_BAD_REQUEST, "Value of config key \"%s\" has %zu bytes: at most %zu are allowed", key,
                         n, (size_t)CONFIG_VALUE_MAX);
}

/* Keys are shown, logged and written into files: visible ASCII only, whatever the pattern lets through. */
static bool is_key_clean(const char *key)
{
        size_t n = strlen(key);
        for (size_t i = 0; i < n; i++)
                if ((unsigned char)key[i] <= ' ' || (unsigned char)key[i] >= 0x7f || key[i] == '=')
                        return false;
        return n <= CONFIG_KEY_MAX;
}

int config_validate_one(config_tables tables, const char *key, const char *value, unsigned scope, struct error *err)
{
        const struct config_key *k = is_key_clean(key) ? config_find(tables, key) : NULL;
        if (!k || !(k->scope & scope))
                return refuse_unknown(tables, key, scope, err);
        size_t n = strlen(value);
        if (n > CONFIG_VALUE_MAX)
                return refuse_length(key, n, err);
        if (!k->type->has_lines && strpbrk(value, "\r\n"))
                return refuse_value(k, key, value, err);
        return n && k->type->check(k, value) < 0 ? refuse_value(k, key, value, err) : 0;
}

int config_validate(config_tables tables, const struct strmap *map, unsigned scope, struct error *err)
{
        for (size_t i = 0; i < map->n; i++) {
                int r = config_validate_one(tables, map->items[i].key, map->items[i].value, scope, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

void config_drop_empty(struct strmap *map)
{
        for (size_t i = map->n; i-- > 0;)
                if (!map->items[i].value[0])
                        strmap_remove(map, map->items[i].key);
}

const char *config_get(config_tables tables, const struct strmap *map, const char *key)
{
        const char *value = strmap_get(map, key);
        if (!str_empty(value))
                return value;
        const struct config_key *k = config_find(tables, key);
        return k ? k->fallback : NULL;
}

bool config_get_bool(config_tables tables, const struct strmap *map, const char *key)
{
        const char *value = config_get(tables, map, key);
        bool is_on = false;
        if (value)
                units_parse_bool(value, &is_on);
        return is_on;
}

int64_t config_get_int(config_tables tables, const struct strmap *map, const char *key)
{
        const char *value = config_get(tables, map, key);
        return value ? strtoll(value, NULL, 10) : 0;
}

int config_diff(const struct strmap *from, const struct strmap *to,
                int (*fn)(void *data, const char *key, const char *old_value, const char *new_value), void *data)
{
        size_t i = 0, j = 0;
        while (i < from->n || j < to->n) {
                int c = i == from->n ? 1 : j == to->n ? -1 : strcmp(from->items[i].key, to->items[j].key);
                const struct strpair *a = c <= 0 ? &from->items[i++] : NULL, *b = c >= 0 ? &to->items[j++] : NULL;
                if (a && b && streq(a->value, b->value))
                        continue;
                int r = fn(data, a ? a->key : b->key, a ? a->value : NULL, b ? b->value : NULL);
                if (r != 0)
                        return r;
        }
        return 0;
}

struct update_check {
        config_tables tables;
        struct error *err;
};

static int check_update_of(void *data, const char *key, const char *old_value, const char *new_value)
{
        struct update_check *u = data;
        const struct config_key *k = config_find(u->tables, key);
        if (!k || k->update != UPDATE_ON_CREATE || streq(old_value ? old_value : "", new_value ? new_value : ""))
                return 0;
        return error_set(u->err, ERR_BAD_REQUEST, "Config key \"%s\" cannot be changed afterwards", key);
}

int config_check_update(config_tables tables, const struct strmap *from, const struct strmap *to, struct error *err)
{
        struct update_check u = { tables, err };
        return config_diff(from, to, check_update_of, &u);
}

const char *config_restriction_name(enum config_restriction r)
{
        static const char *const names[_RESTRICT_MAX] = {
                [RESTRICT_NONE] = "none",         [RESTRICT_NESTING] = "nesting", [RESTRICT_PRIVILEGE] = "privilege",
                [RESTRICT_LOWLEVEL] = "lowlevel", [RESTRICT_SERVER] = "server",   [RESTRICT_DAEMON] = "daemon",
        };
        return r > 0 && r < _RESTRICT_MAX ? names[r] : NULL;
}

const char *config_update_name(enum config_update u)
{
        static const char *const names[] = {
                [UPDATE_LIVE] = "live", [UPDATE_ON_RESTART] = "on restart", [UPDATE_ON_CREATE] = "on create"
        };
        return u > 0 && u < ARRAY_SIZE(names) ? names[u] : NULL;
}
