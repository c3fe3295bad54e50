/* SPDX-License-Identifier: Apache-2.0 */
#include "base/names.h"
#include "base/alloc.h"
#include "base/strbuf.h"

#include <ctype.h>

#define PRINTABLE_MAX 100

char *name_printable(const char *text)
{
        struct strbuf b = STRBUF_INIT;
        size_t n = strlen(text);
        size_t shown = MIN(n, (size_t)PRINTABLE_MAX);
        while (shown < n && shown > 0 && ((unsigned char)text[shown] & 0xc0) == 0x80)
                shown--; /* never the half of a character */
        strbuf_add_printable(&b, text, shown, "");
        if (n > PRINTABLE_MAX)
                strbuf_adds(&b, "…");
        return strbuf_take(&b);
}

static int refuse(const char *what, const char *name, const char *rule, struct error *err)
{
        _cleanup_free_ char *shown = name_printable(name);
        error_set(err, ERR_BAD_REQUEST, "Invalid %s \"%s\": %s", what, shown, rule);
        return error_object(err, what, shown), -EINVAL;
}

static bool only_chars(const char *s, const char *extra)
{
        for (; *s; s++)
                if (!isalnum((unsigned char)*s) && !strchr(extra, *s))
                        return false;
        return true;
}

static bool only_digits(const char *s)
{
        return s[strspn(s, "0123456789")] == '\0';
}

int name_check_instance(const char *name, struct error *err)
{
        if (str_empty(name))
                return refuse("instance name", "", "it is empty", err);
        if (strlen(name) > 63)
                return refuse("instance name", name, "it is longer than 63 characters", err);
        if (!only_chars(name, "-"))
                return refuse("instance name", name, "only letters, digits and hyphens are allowed", err);
        if (name[0] == '-' || str_ends(name, "-"))
                return refuse("instance name", name, "it must not begin or end with a hyphen", err);
        if (isdigit((unsigned char)name[0]))
                return refuse("instance name", name,
                              only_digits(name) ? "it must not be a number" : "it must not begin with a digit", err);
        return 0;
}

int name_check_object(const char *kind, const char *name, struct error *err)
{
        _cleanup_free_ char *what = xasprintf("%s name", kind);
        if (str_empty(name))
                return refuse(what, "", "it is empty", err);
        if (strlen(name) > 63)
                return refuse(what, name, "it is longer than 63 characters", err);
        if (name[0] == '-' || name[0] == '.')
                return refuse(what, name, "it must not begin with '-' or '.'", err);
        if (!only_chars(name, "-_.+:"))
                return refuse(what, name, "only letters, digits and -_.+: are allowed", err);
        return 0;
}

int name_check_network(const char *name, struct error *err)
{
        int r = name_check_object("network", name, err);
        if (r < 0)
                return r;
        if (strlen(name) > 15)
                return refuse("network name", name, "an interface name has at most 15 characters", err);
        if (strchr(name, ':'))
                return refuse("network name", name, "':' is not allowed in an interface name", err);
        return 0;
}

int name_check_alias(const char *name, struct error *err)
{
        if (str_empty(name))
                return refuse("alias", "", "it is empty", err);
        if (strlen(name) > 255)
                return refuse("alias", name, "it is longer than 255 characters", err);
        if (name[0] == '-' || name[0] == '/' || name[0] == '.' || str_ends(name, "/"))
                return refuse("alias", name, "it must not begin with '-', '/' or '.', nor end with '/'", err);
        if (strstr(name, "..") || strstr(name, "//"))
                return refuse("alias", name, "\"..\" and \"//\" are not allowed", err);
        if (!only_chars(name, "-_.+:/@~ "))
                return refuse("alias", name, "only letters, digits, spaces and -_.+:/@~ are allowed", err);
        return 0;
}

int name_check_fingerprint(const char *text, struct error *err)
{
        size_t n = text ? strlen(text) : 0;
        if (n == 0 || n > 64 || strspn(text, "0123456789abcdef") != n)
                return refuse("fingerprint", text ? text : "", "1 to 64 digits of 0-9 and a-f are expected", err);
        return 0;
}

int name_check_uuid(const char *text, struct error *err)
{
        static const char shape[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
        bool is_good = text && strlen(text) == sizeof shape - 1;
        for (size_t i = 0; is_good && shape[i]; i++)
                is_good = shape[i] == '-' ? text[i] == '-' : isxdigit((unsigned char)text[i]) != 0;
        return is_good ? 0 : refuse("id", text ? text : "", "a UUID is expected", err);
}

int name_check_path(const char *path, struct error *err)
{
        if (str_empty(path) || path[0] != '/')
                return refuse("path", path ? path : "", "an absolute path is expected", err);
        if (strlen(path) >= 4096)
                return refuse("path", path, "it is longer than 4095 bytes", err);
        return 0;
}
