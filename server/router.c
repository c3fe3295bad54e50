/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finding the row for a path: a few tables of a few dozen rows, each path split into segments once at registration.
 */
#include "server/route.h"
#include "server/internal.h"
#include "api/uri.h"
#include "base/alloc.h"

#define SEGMENTS_MAX 12

struct compiled {
        const struct route *route;
        char *copy; /* the path, cut into segments */
        const char *segments[SEGMENTS_MAX];
        size_t n;
};

#define ALIASES_MAX 4

struct router {
        struct compiled *rows;
        size_t n;
        struct {
                const char *word, *means;
        } aliases[ALIASES_MAX];
        size_t n_aliases;
};

static const char *const method_names[_METHOD_MAX] = { "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE" };

const char *http_method_name(enum http_method m)
{
        return method_names[m];
}

int http_method_parse(const char *word, enum http_method *ret)
{
        for (int m = 0; m < _METHOD_MAX; m++)
                if (streq(word, method_names[m])) {
                        *ret = (enum http_method)m;
                        return 0;
                }
        return -EINVAL;
}

struct router *router_new(void)
{
        return xnew(struct router);
}

void router_free(struct router *r)
{
        for (size_t i = 0; i < r->n; i++)
                free(r->rows[i].copy);
        free(r->rows);
        free(r);
}

static size_t split(char *path, const char **segments)
{
        size_t n = 0;
        for (char *p; (p = strsep(&path, "/"));)
                if (*p) {
                        assert(n < SEGMENTS_MAX);
                        segments[n++] = p;
                }
        return n;
}

void router_add(struct server *s, const struct route *routes)
{
        struct router *r = s->router;
        for (; routes->path; routes++) {
                r->rows = xreallocarray(r->rows, r->n + 1, sizeof *r->rows);
                struct compiled *c = &r->rows[r->n++];
                *c = (struct compiled){ .route = routes, .copy = xstrdup(routes->path) };
                c->n = split(c->copy, c->segments);
        }
}

void router_alias(struct server *s, const char *word, const char *means)
{
        struct router *r = s->router;
        assert(r->n_aliases < ALIASES_MAX);
        r->aliases[r->n_aliases].word = word;
        r->aliases[r->n_aliases++].means = means;
}

static const char *meaning(const struct router *r, const char *segment)
{
        for (size_t i = 0; i < r->n_aliases; i++)
                if (streq(r->aliases[i].word, segment))
                        return r->aliases[i].means;
        return segment;
}

const struct route *router_next(struct server *s, size_t *iter)
{
        return *iter < s->router->n ? s->router->rows[(*iter)++].route : NULL;
}

static bool is_param(const char *segment)
{
        return segment[0] == '{';
}

static bool row_fits(const struct compiled *c, const char *const *segments, size_t n)
{
        if (c->n != n)
                return false;
        for (size_t i = 0; i < n; i++)
                if (!is_param(c->segments[i]) && !streq(c->segments[i], segments[i]))
                        return false;
        return true;
}

/* A literal segment wins over a parameter: /1.0/images/aliases is not an image called "aliases". */
static size_t literal_count(const struct compiled *c)
{
        size_t n = 0;
        for (size_t i = 0; i < c->n; i++)
                n += !is_param(c->segments[i]);
        return n;
}

static const struct compiled *best_row(struct router *r, enum http_method method, const char *const *segments,
                                       size_t n, bool *ret_path_exists)
{
        const struct compiled *best = NULL;
        size_t best_literals = 0, any_literals = 0;
        *ret_path_exists = false;
        for (size_t i = 0; i < r->n; i++) {
                const struct compiled *c = &r->rows[i];
                if (!row_fits(c, segments, n))
                        continue;
                *ret_path_exists = true;
                size_t literals = literal_count(c);
                any_literals = MAX(any_literals, literals);
                if (c->route->method == method && (!best || literals > best_literals)) {
                        best = c;
                        best_literals = literals;
                }
        }
        return best && best_literals == any_literals ? best : NULL;
}

int router_match(struct server *s, enum http_method method, const struct uri *uri, struct route_match *ret)
{
        const char *segments[URI_SEGMENTS_MAX];
        bool path_exists = false;
        size_t n = 0;
        for (size_t i = 0; i < uri->n_segments; i++)
                segments[i] = i == 1 ? meaning(s->router, uri->segments[i]) : uri->segments[i];
        const struct compiled *c = best_row(s->router, method, segments, uri->n_segments, &path_exists);
        *ret = (struct route_match){ .route = c ? c->route : NULL };
        for (size_t i = 0; c && i < uri->n_segments; i++)
                if (is_param(c->segments[i]))
                        ret->params[n++] = uri->segments[i];
        return c ? 0 : path_exists ? -EOPNOTSUPP : -ENOENT;
}
