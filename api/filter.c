/* SPDX-License-Identifier: Apache-2.0 */
#include "api/filter.h"
#include "api/pattern.h"
#include "base/alloc.h"

#include <strings.h>

struct clause {
        bool is_or; /* joined to what stands left of it by "or", else by "and" */
        bool is_not, is_ne;
        char *field, *value;
        struct pattern *pattern; /* NULL: value is compared as it is */
};

struct filter {
        struct clause clauses[FILTER_CLAUSES_MAX];
        size_t n;
};

struct filter *filter_free(struct filter *f)
{
        for (size_t i = 0; f && i < f->n; i++) {
                free(f->clauses[i].field);
                free(f->clauses[i].value);
                pattern_free(f->clauses[i].pattern);
        }
        free(f);
        return NULL;
}

static bool is_blank(char c)
{
        return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

static const char *skip_blanks(const char *s)
{
        while (is_blank(*s))
                s++;
        return s;
}

/* The next word, or NULL at the end. */
static char *next_word(const char **at)
{
        const char *start = skip_blanks(*at), *stop = start;
        while (*stop && !is_blank(*stop))
                stop++;
        *at = stop;
        return stop == start ? NULL : xstrndup(start, (size_t)(stop - start));
}

static bool next_is(const char **at, const char *word)
{
        const char *start = skip_blanks(*at);
        size_t n = strlen(word);
        if (strncasecmp(start, word, n) != 0 || (start[n] && !is_blank(start[n])))
                return false;
        *at = start + n;
        return true;
}

static int next_value(const char **at, struct clause *c, struct error *err)
{
        const char *start = skip_blanks(*at);
        if (*start != '"') {
                c->value = next_word(at);
                if (c->value)
                        return 0;
                return error_set(err, ERR_BAD_REQUEST, "Invalid filter: no value follows \"%s %s\"", c->field,
                                 c->is_ne ? "ne" : "eq");
        }
        const char *stop = strchr(++start, '"');
        if (!stop)
                return error_set(err, ERR_BAD_REQUEST,
                                 "Invalid filter: the quote in the value of \"%s\" is not closed", c->field);
        if (stop[1] && !is_blank(stop[1]))
                return error_set(err, ERR_BAD_REQUEST,
                                 "Invalid filter: no blank follows the quoted value of \"%s\"", c->field);
        c->value = xstrndup(start, (size_t)(stop - start));
        *at = stop + 1;
        return 0;
}

/*
 * What is no expression is a plain value, as in LXD; what is one but too big for us must not quietly mean
 * less.
 */
static int compile_value(struct clause *c, struct error *err)
{
        unsigned flags = PATTERN_CASE_BLIND | (strpbrk(c->value, "^$") ? 0 : PATTERN_WHOLE);
        if (!strpbrk(c->value, "\\^$.|?*+()[]{}") || pattern_new(c->value, flags, &c->pattern) != -E2BIG)
                return 0;
        return error_set(err, ERR_BAD_REQUEST, "Invalid filter: the expression for \"%s\" is too long",
                         c->field);
}

static int parse_clause(const char **at, struct clause *c, struct error *err)
{
        c->is_not = next_is(at, "not");
        c->field = next_word(at);
        if (!c->field)
                return error_set(err, ERR_BAD_REQUEST, "Invalid filter: it ends where a field should stand");
        c->is_ne = next_is(at, "ne");
        if (!c->is_ne && !next_is(at, "eq"))
                return error_set(err, ERR_BAD_REQUEST,
                                 "Invalid filter: neither \"eq\" nor \"ne\" follows \"%s\"", c->field);
        int r = next_value(at, c, err);
        return r < 0 ? r : compile_value(c, err);
}

static int parse_clauses(struct filter *f, const char *at, struct error *err)
{
        for (;;) {
                if (f->n == FILTER_CLAUSES_MAX)
                        return error_set(err, ERR_BAD_REQUEST, "Invalid filter: it has more than %d clauses",
                                         FILTER_CLAUSES_MAX);
                struct clause *c = &f->clauses[f->n++];
                c->is_or = f->n > 1 && next_is(&at, "or");
                if (f->n > 1 && !c->is_or && !next_is(&at, "and"))
                        return error_set(
                                err, ERR_BAD_REQUEST,
                                "Invalid filter: neither \"and\" nor \"or\" follows the value of \"%s\"",
                                c[-1].field);
                int r = parse_clause(&at, c, err);
                if (r < 0)
                        return r;
                at = skip_blanks(at);
                if (!*at)
                        return 0;
        }
}

int filter_parse(const char *text, struct filter **ret, struct error *err)
{
        if (!text || !*skip_blanks(text)) {
                *ret = NULL;
                return 0;
        }
        if (strnlen(text, FILTER_TEXT_MAX + 1) > FILTER_TEXT_MAX)
                return error_set(err, ERR_BAD_REQUEST, "Invalid filter: it is longer than %d bytes",
                                 FILTER_TEXT_MAX);
        _cleanup_filter_ struct filter *f = xnew(struct filter);
        int r = parse_clauses(f, text, err);
        if (r < 0)
                return r;
        *ret = TAKE_PTR(f);
        return 0;
}

static bool text_matches(const struct clause *c, const char *text)
{
        return c->pattern ? pattern_matches(c->pattern, text) : strcasecmp(c->value, text) == 0;
}

static bool scalar_matches(const struct clause *c, struct json_object *o)
{
        if (!o || json_object_is_type(o, json_type_object))
                return false;
        return text_matches(c, json_object_is_type(o, json_type_string) ? json_object_get_string(o)
                                                                        : json_text(o));
}

static bool path_matches(const struct clause *c, struct json_object *o, const char *path);

static bool any_element_matches(const struct clause *c, struct json_object *array, const char *path)
{
        for (size_t i = 0; i < json_object_array_length(array); i++)
                if (path_matches(c, json_object_array_get_idx(array, i), path))
                        return true;
        return false;
}

/*
 * A key may hold dots itself ("image.os" in config), so the longest key that exists is tried first and then
 * shorter ones. path NULL: the value is reached.
 */
static bool path_matches(const struct clause *c, struct json_object *o, const char *path)
{
        if (json_object_is_type(o, json_type_array))
                return any_element_matches(c, o, path);
        if (!path)
                return scalar_matches(c, o);
        if (!json_object_is_type(o, json_type_object))
                return false;
        _cleanup_free_ char *key = xstrdup(path);
        for (size_t n = strlen(key);;) {
                struct json_object *child;
                if (json_object_object_get_ex(o, key, &child) &&
                    path_matches(c, child, path[n] ? path + n + 1 : NULL))
                        return true;
                char *dot = strrchr(key, '.');
                if (!dot)
                        return false;
                *dot = '\0';
                n = (size_t)(dot - key);
        }
}

bool filter_matches(const struct filter *f, struct json_object *o)
{
        bool is_match = true;
        for (size_t i = 0; f && i < f->n; i++) {
                const struct clause *c = &f->clauses[i];
                bool is_true = path_matches(c, o, c->field) != c->is_ne;
                if (c->is_not)
                        is_true = !is_true;
                is_match = c->is_or ? is_match || is_true : is_match && is_true;
        }
        return is_match;
}
