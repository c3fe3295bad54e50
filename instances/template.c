/* SPDX-License-Identifier: Apache-2.0 */
#include "instances/template.h"
#include "base/alloc.h"

#include <ctype.h>

#define NESTING_MAX 16

struct render {
        const char *p; /* inside an expression */
        const struct template_values *v;
        struct error *err;
        bool is_skipping[NESTING_MAX + 1]; /* per open {% if %} */
        size_t depth;
};

static int not_understood(struct render *r, const char *what)
{
        return error_set(r->err, ERR_UNSUPPORTED, "\"%.40s\" is not understood in a template", what);
}

static void skip_space(struct render *r)
{
        while (isspace((unsigned char)*r->p))
                r->p++;
}

static bool take(struct render *r, const char *token)
{
        skip_space(r);
        if (!str_starts(r->p, token))
                return false;
        r->p += strlen(token);
        return true;
}

static char *take_word(struct render *r)
{
        skip_space(r);
        const char *start = r->p;
        while (isalnum((unsigned char)*r->p) || (*r->p && strchr("_.-", *r->p)))
                r->p++;
        return xstrndup(start, (size_t)(r->p - start));
}

static int take_literal(struct render *r, char **ret)
{
        char quote = *r->p;
        const char *end = strchr(r->p + 1, quote);
        if (!end)
                return not_understood(r, r->p);
        *ret = xstrndup(r->p + 1, (size_t)(end - r->p - 1));
        r->p = end + 1;
        return 0;
}

static const char *member_value(const struct template_values *v, const char *member)
{
        if (streq(member, "name"))
                return v->name;
        if (streq(member, "architecture"))
                return v->architecture;
        if (streq(member, "privileged"))
                return v->is_privileged ? "true" : "false";
        if (streq(member, "ephemeral"))
                return v->is_ephemeral ? "true" : "false";
        if (streq(member, "type"))
                return "container";
        return NULL;
}

static int word_value(struct render *r, const char *word, char **ret)
{
        const struct template_values *v = r->v;
        const char *dot = strchr(word, '.'), *value = NULL;
        if (str_starts(word, "container.") || str_starts(word, "instance."))
                value = member_value(v, dot + 1);
        else if (str_starts(word, "properties."))
                value = json_get_string(v->properties, dot + 1, "");
        else if (streq(word, "path"))
                value = v->path;
        else if (streq(word, "trigger"))
                value = v->trigger;
        if (!value)
                return not_understood(r, word);
        *ret = xstrdup(value);
        return 0;
}

static int take_value(struct render *r, char **ret);

/* config_get("key", "fallback") */
static int take_config_get(struct render *r, char **ret)
{
        _cleanup_free_ char *key = NULL, *fallback = NULL;
        int q = take(r, "(") ? take_value(r, &key) : not_understood(r, r->p);
        if (q >= 0 && take(r, ","))
                q = take_value(r, &fallback);
        if (q < 0)
                return q;
        if (!take(r, ")"))
                return not_understood(r, r->p);
        const char *value = strmap_get(r->v->config, key);
        *ret = xstrdup(value ? value : fallback ? fallback : "");
        return 0;
}

static int take_value(struct render *r, char **ret)
{
        skip_space(r);
        if (*r->p == '"' || *r->p == '\'')
                return take_literal(r, ret);
        _cleanup_free_ char *word = take_word(r);
        if (streq(word, "config_get"))
                return take_config_get(r, ret);
        return word_value(r, word, ret);
}

static int take_condition(struct render *r, bool *ret)
{
        _cleanup_free_ char *a = NULL, *b = NULL;
        bool is_negated = take(r, "not ");
        int q = take_value(r, &a);
        if (q < 0)
                return q;
        bool is_equal = take(r, "=="), is_unequal = !is_equal && take(r, "!=");
        if (!is_equal && !is_unequal) {
                *ret = (!str_empty(a) && !streq(a, "false")) != is_negated;
                return 0;
        }
        q = take_value(r, &b);
        *ret = q >= 0 && (streq(a, b) == is_equal) != is_negated;
        return q;
}

static int do_tag(struct render *r)
{
        bool holds = false;
        _cleanup_free_ char *word = take_word(r);
        if (streq(word, "if")) {
                int q = take_condition(r, &holds);
                if (q < 0)
                        return q;
                if (r->depth == NESTING_MAX)
                        return not_understood(r, "if inside too many ifs");
                r->is_skipping[r->depth + 1] = r->is_skipping[r->depth] || !holds;
                r->depth++;
                return 0;
        }
        if (streq(word, "else") && r->depth) {
                r->is_skipping[r->depth] = r->is_skipping[r->depth - 1] || !r->is_skipping[r->depth];
                return 0;
        }
        if (streq(word, "endif") && r->depth) {
                r->depth--;
                return 0;
        }
        return not_understood(r, word);
}

static int do_expression(struct render *r, struct strbuf *out)
{
        _cleanup_free_ char *value = NULL;
        int q = take_value(r, &value);
        if (q >= 0 && !r->is_skipping[r->depth])
                strbuf_adds(out, value);
        return q;
}

/* One {{ … }} or {% … %}; *p is moved past it. */
static int do_braces(struct render *r, const char **p, struct strbuf *out)
{
        bool is_tag = (*p)[1] == '%';
        const char *end = strstr(*p + 2, is_tag ? "%}" : "}}");
        if (!end)
                return not_understood(r, *p);
        _cleanup_free_ char *inside = xstrndup(*p + 2, (size_t)(end - *p - 2));
        r->p = inside;
        if (*r->p == '-')
                r->p++;
        int q = is_tag ? do_tag(r) : do_expression(r, out);
        if (q < 0)
                return q;
        skip_space(r);
        if (*r->p && !streq(r->p, "-"))
                return not_understood(r, r->p);
        *p = end + 2;
        if (is_tag && **p == '\n') /* a line that holds only a tag leaves no empty line */
                (*p)++;
        return 0;
}

int template_render(const char *text, const struct template_values *v, struct strbuf *out, struct error *err)
{
        struct render r = { .v = v, .err = err };
        const char *p = text;
        while (*p) {
                if (p[0] == '{' && (p[1] == '{' || p[1] == '%')) {
                        int q = do_braces(&r, &p, out);
                        if (q < 0)
                                return q;
                } else {
                        if (!r.is_skipping[r.depth])
                                strbuf_addc(out, *p);
                        p++;
                }
                if (out->len > TEMPLATE_OUTPUT_MAX)
                        return error_set(err, ERR_TOO_LARGE, "The text is larger than %llu bytes",
                                         (unsigned long long)TEMPLATE_OUTPUT_MAX);
        }
        return r.depth ? not_understood(&r, "an if without endif") : 0;
}
