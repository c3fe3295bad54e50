/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Routes: one row per method and path. The router matches, checks permission and project, reads the body as JSON
 * when the row has one, and calls the handler: get input, call, reply. Paths have {parameters}; each is percent-decoded
 * exactly once.
 */
#pragma once

#include "server/server.h"

enum http_method { METHOD_GET, METHOD_HEAD, METHOD_POST, METHOD_PUT, METHOD_PATCH, METHOD_DELETE, _METHOD_MAX };

enum permission {
        PERM_PUBLIC, /* also a caller who is not trusted */
        PERM_VIEW,   /* reading what the caller's projects hold */
        PERM_EDIT,   /* changing what the caller's projects hold */
        PERM_SERVER, /* server-wide changes: only a server administrator */
};

enum route_flags {
        ROUTE_PROJECT = 1 << 0,  /* ?project= applies (default "default") */
        ROUTE_BODY = 1 << 1,     /* a JSON object is read into req->body before the handler runs */
        ROUTE_STREAM = 1 << 2,   /* the handler reads the body itself: request_read_body_into() */
        ROUTE_INTERNAL = 1 << 3, /* unix socket only, not part of the public API */
        ROUTE_BODY_LATER = 1 << 4, /* a JSON body or a stream, by Content-Type; one that says neither, by its first byte */
};

typedef void (*route_fn)(struct request *req);

struct route {
        enum http_method method;
        const char *path; /* "/1.0/profiles/{name}" */
        route_fn handler;
        enum permission permission;
        unsigned flags;
        const char *doc; /* one sentence for the reference */
        const void *family; /* what handlers shared by several families work on (projects/plain-family.h); else NULL */
};

/* Rows ended by a NULL path. They stay the caller's (const tables). */
void router_add(struct server *s, const struct route *routes);

/* Paths under /1.0/<word> are those under /1.0/<means>, by an older name; the handler still sees the word in its URI. */
void router_alias(struct server *s, const char *word, const char *means);

/* Finds the row for a path. 0, -ENOENT (no such path) or -EOPNOTSUPP (a path, but not with this method). */
#define ROUTE_PARAMS_MAX 4
struct route_match {
        const struct route *route;
        const char *params[ROUTE_PARAMS_MAX]; /* inside the uri */
};
struct uri;
int router_match(struct server *s, enum http_method method, const struct uri *uri, struct route_match *ret);
int http_method_parse(const char *word, enum http_method *ret);
const char *http_method_name(enum http_method m);
/* Walks all rows (documentation, tests). */
const struct route *router_next(struct server *s, size_t *iter);
