/* SPDX-License-Identifier: Apache-2.0 */
/* links: config */
#include "tests/lib/test.h"
#include "base/alloc.h"
#include "config/keys.h"

#include <ctype.h>
#include <inttypes.h>

static const struct config_key *const all_tables[] = { config_keys_instance, config_keys_server };

#define EACH_KEY(k)                                                                                          \
        for (size_t t_ = 0; t_ < ARRAY_SIZE(all_tables); t_++)                                               \
                for (const struct config_key *k = all_tables[t_]; k->name; k++)

/* A key the pattern of the row lets through. */
static char *sample_key(const struct config_key *k)
{
        const char *star = strchr(k->name, '*');
        return star ? xasprintf("%.*seth0%s", (int)(star - k->name), k->name, star + 1) : xstrdup(k->name);
}

static int check(const struct config_key *k, const char *value)
{
        const struct config_key *const one[] = { (const struct config_key[]){ *k, {} }, NULL };
        _cleanup_free_ char *key = sample_key(k);
        return config_validate_one(one, key, value, k->scope, NULL);
}

TEST(every_row_is_complete)
{
        EACH_KEY(k)
        {
                ASSERT_TRUE(config_restriction_name(k->restriction) != NULL);
                ASSERT_TRUE(config_update_name(k->update) != NULL);
                ASSERT_TRUE(k->type && k->type->check && k->type->form);
                ASSERT_TRUE(k->scope != 0);
                ASSERT_TRUE(!str_empty(k->summary) && isupper((unsigned char)k->summary[0]) && !str_ends(k->summary, "."));
                ASSERT_TRUE(!str_empty(k->since));
                ASSERT_TRUE((k->type == &config_type_choice) == (k->choices != NULL));
                ASSERT_TRUE(strlen(k->name) <= CONFIG_KEY_MAX);
        }
}

TEST(every_table_is_sorted_and_unique)
{
        EACH_KEY(k)
        {
                if (k[1].name)
                        ASSERT_TRUE(strcmp(k->name, k[1].name) < 0);
        }
}

TEST(every_fallback_and_choice_is_valid)
{
        EACH_KEY(k)
        {
                if (k->fallback)
                        ASSERT_OK(check(k, k->fallback));
                for (size_t i = 0; k->choices && k->choices[i]; i++)
                        ASSERT_OK(check(k, k->choices[i]));
        }
}

TEST(every_range_is_kept_at_both_ends)
{
        EACH_KEY(k)
        {
                if (!k->type->has_range)
                        continue;
                ASSERT_TRUE(k->max > k->min);
                int64_t inside[] = { k->min, k->max }, outside[] = { k->min - 1, k->max + 1 };
                for (size_t i = 0; i < 2; i++) {
                        _cleanup_free_ char *in = xasprintf("%" PRId64, inside[i]);
                        _cleanup_free_ char *out = xasprintf("%" PRId64, outside[i]);
                        ASSERT_OK(check(k, in));
                        ASSERT_ERR(check(k, out), -EINVAL);
                }
                ASSERT_ERR(check(k, "many"), -EINVAL);
                ASSERT_ERR(check(k, "1x"), -EINVAL);
                ASSERT_ERR(check(k, "99999999999999999999"), -EINVAL);
        }
}

TEST(no_key_takes_a_hostile_value)
{
        char *huge = xmalloc(KiB(64) + 1);
        memset(huge, '1', KiB(64));
        huge[KiB(64)] = '\0';
        EACH_KEY(k)
        {
                ASSERT_ERR(check(k, huge), -EINVAL);
                if (k->type->has_lines)
                        continue;
                ASSERT_ERR(check(k, "true\nfalse"), -EINVAL);
                ASSERT_ERR(check(k, "1\n"), -EINVAL);
                ASSERT_ERR(check(k, "a\rb"), -EINVAL);
                ASSERT_ERR(check(k, "a\033[31m"), -EINVAL);
        }
        free(huge);
}

static int validate(const char *key, const char *value, unsigned scope, struct error *err)
{
        _cleanup_strmap_ struct strmap m = STRMAP_INIT;
        strmap_set(&m, key, value);
        return config_validate(config_tables_instance, &m, scope, err);
}

TEST(an_unknown_key_is_refused_by_name_with_the_nearest_one)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        ASSERT_ERR(validate("boot.autostrat", "true", ON_INSTANCE, &err), -EINVAL);
        ASSERT_STR(err.message, "Unknown config key \"boot.autostrat\"");
        ASSERT_STR(err.hint, "Did you mean \"boot.autostart\"?");
        ASSERT_ERR(validate("raw.lxc", "lxc.net", ON_INSTANCE, &err), -EINVAL);
        ASSERT_STR(err.message, "Unknown config key \"raw.lxc\"");
        ASSERT_CONTAINS(err.hint, "configuration.md");
        ASSERT_ERR(validate("limits.memory", "1GiB", ON_INSTANCE, &err), -EINVAL);
}

TEST(a_bad_value_names_key_value_and_form)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        ASSERT_ERR(validate("boot.autostart", "maybe", ON_INSTANCE, &err), -EINVAL);
        ASSERT_STR(err.message, "Invalid value \"maybe\" for config key \"boot.autostart\": true or false is expected");
        ASSERT_ERR(validate("boot.autostart.delay", "-1", ON_INSTANCE, &err), -EINVAL);
        ASSERT_CONTAINS(err.message, "a whole number from 0 to 604800 is expected");
        ASSERT_ERR(validate("volatile.apply_template", "no", ON_INSTANCE, &err), -EINVAL);
        ASSERT_CONTAINS(err.message, "one of create, copy, rename is expected");
}

TEST(a_key_is_refused_where_it_does_not_apply)
{
        ASSERT_OK(validate("volatile.uuid", "x", ON_INSTANCE, NULL));
        ASSERT_ERR(validate("volatile.uuid", "x", ON_PROFILE, NULL), -EINVAL);
        ASSERT_ERR(validate("image.os", "x", ON_PROFILE, NULL), -EINVAL);
        ASSERT_ERR(validate("volatile.unheard", "x", ON_INSTANCE, NULL), -EINVAL);
}

TEST(patterns_need_a_name_and_clean_bytes)
{
        ASSERT_OK(validate("user.a.b-c", "two\nlines", ON_PROFILE, NULL));
        ASSERT_ERR(validate("user.", "x", ON_PROFILE, NULL), -EINVAL);
        ASSERT_ERR(validate("user.a b", "x", ON_PROFILE, NULL), -EINVAL);
        ASSERT_ERR(validate("user.a\nb", "x", ON_PROFILE, NULL), -EINVAL);
        ASSERT_ERR(validate("environment.A=B", "x", ON_PROFILE, NULL), -EINVAL);
        ASSERT_ERR(validate("environment.A", "x\ny", ON_PROFILE, NULL), -EINVAL);
        ASSERT_OK(validate("volatile.eth0.hwaddr", "00:16:3e:01:02:03", ON_INSTANCE, NULL));
        ASSERT_ERR(validate("volatile.eth0.hwaddr", "01:16:3e:01:02:03", ON_INSTANCE, NULL), -EINVAL);
        ASSERT_ERR(validate("volatile..hwaddr", "00:16:3e:01:02:03", ON_INSTANCE, NULL), -EINVAL);
}

TEST(values_fall_back_to_the_row)
{
        _cleanup_strmap_ struct strmap m = STRMAP_INIT;
        ASSERT_EQ(config_get_int(config_tables_instance, &m, "boot.host_shutdown_timeout"), 30);
        ASSERT_FALSE(config_get_bool(config_tables_instance, &m, "security.nesting"));
        ASSERT_TRUE(config_get(config_tables_instance, &m, "boot.autostart") == NULL);
        strmap_set(&m, "security.nesting", "1");
        strmap_set(&m, "boot.host_shutdown_timeout", "");
        ASSERT_TRUE(config_get_bool(config_tables_instance, &m, "security.nesting"));
        ASSERT_EQ(config_get_int(config_tables_instance, &m, "boot.host_shutdown_timeout"), 30);
        config_drop_empty(&m);
        ASSERT_EQ(m.n, 1);
}

static int note(void *data, const char *key, const char *old_value, const char *new_value)
{
        char **text = data;
        char *more = xasprintf("%s%s:%s>%s ", *text ? *text : "", key, old_value ? old_value : "-",
                               new_value ? new_value : "-");
        free(*text);
        *text = more;
        return 0;
}

TEST(a_diff_names_what_came_went_and_changed)
{
        _cleanup_strmap_ struct strmap a = STRMAP_INIT, b = STRMAP_INIT;
        _cleanup_free_ char *text = NULL;
        strmap_set(&a, "a", "1");
        strmap_set(&a, "b", "1");
        strmap_set(&a, "d", "1");
        strmap_set(&b, "b", "2");
        strmap_set(&b, "c", "1");
        strmap_set(&b, "d", "1");
        ASSERT_OK(config_diff(&a, &b, note, &text));
        ASSERT_STR(text, "a:1>- b:1>2 c:->1 ");
}

TEST(paths_must_be_plain)
{
        static const struct config_key row[] = { KEY("p", SERVER, .type = &config_type_path, .scope = ON_POOL), {} };
        ASSERT_OK(check(row, "/srv/pool one"));
        static const char *const bad[] = { "srv", "/srv/../etc", "/srv/.", "/..", "/a/./b", "/a\tb\x7f" };
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                ASSERT_ERR(check(row, bad[i]), -EINVAL);
        ASSERT_OK(check(row, "/a/..b/.c"));
}
