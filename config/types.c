/* SPDX-License-Identifier: Apache-2.0 */
#include "config/key.h"
#include "base/units.h"

#include <ctype.h>
#include <limits.h>

static int check_bool(const struct config_key *key _unused_, const char *value)
{
        bool ignored;
        return units_parse_bool(value, &ignored);
}

static int check_int(const struct config_key *key, const char *value)
{
        if (!isdigit((unsigned char)value[value[0] == '-']))
                return -EINVAL;
        errno = 0;
        char *end;
        long long v = strtoll(value, &end, 10);
        if (*end)
                return -EINVAL;
        if (errno || (key->max && (v < key->min || v > key->max)))
                return -ERANGE;
        return 0;
}

static int check_uint(const struct config_key *key, const char *value)
{
        return value[0] == '-' ? -EINVAL : check_int(key, value);
}

static int check_size(const struct config_key *key, const char *value)
{
        uint64_t bytes;
        if (units_parse_size(value, &bytes) < 0)
                return -EINVAL;
        return key->max && (bytes < (uint64_t)key->min || bytes > (uint64_t)key->max) ? -ERANGE : 0;
}

static int check_choice(const struct config_key *key, const char *value)
{
        for (const char *const *c = key->choices; *c; c++)
                if (streq(*c, value))
                        return 0;
        return -EINVAL;
}

static int check_string(const struct config_key *key _unused_, const char *value)
{
        for (const char *p = value; *p; p++)
                if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f)
                        return -EINVAL;
        return 0;
}

static int check_text(const struct config_key *key _unused_, const char *value _unused_)
{
        return 0;
}

static int check_path(const struct config_key *key, const char *value)
{
        if (value[0] != '/' || strlen(value) >= PATH_MAX || check_string(key, value) < 0)
                return -EINVAL;
        for (const char *p = value; p; p = strchr(p + 1, '/')) {
                size_t n = strcspn(p + 1, "/");
                if ((n == 1 && p[1] == '.') || (n == 2 && p[1] == '.' && p[2] == '.'))
                        return -EINVAL;
        }
        return 0;
}

static int check_hwaddr(const struct config_key *key _unused_, const char *value)
{
        if (strlen(value) != 17)
                return -EINVAL;
        for (size_t i = 0; i < 17; i++)
                if (i % 3 == 2 ? value[i] != ':' : !isxdigit((unsigned char)value[i]))
                        return -EINVAL;
        /* The lowest bit of the first byte marks a group address: no interface may have one. */
        return strchr("13579bdfBDF", value[1]) ? -EINVAL : 0;
}

const struct config_type config_type_bool = { "bool", "true or false", check_bool };
const struct config_type config_type_int = { "integer", "a whole number", check_int, .has_range = true };
const struct config_type config_type_uint = { "integer", "a whole number", check_uint, .has_range = true };
const struct config_type config_type_size = { "size", "a size like 512MiB", check_size, .has_range = true };
const struct config_type config_type_choice = { "choice", "one of", check_choice };
const struct config_type config_type_string = { "string", "one line of text", check_string };
const struct config_type config_type_text = { "text", "text", check_text, .has_lines = true };
const struct config_type config_type_path = { "path", "an absolute path without \".\" and \"..\"", check_path };
const struct config_type config_type_hwaddr = { "hwaddr", "a hardware address like 00:16:3e:01:02:03", check_hwaddr };
