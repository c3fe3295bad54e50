/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Plain families: resources whose every change is a commit and nothing more (profiles, image aliases, projects). The
 * family gives its rules; list, read, create, replace, patch, rename and delete are the same handlers for all. A route
 * row points to its family: { …, .family = &x } or PLAIN_ROUTES().
 */
#pragma once

#include "projects/project.h"

struct plain_family {
        const struct object_kind *kind;
        enum project_feature feature;
        bool is_server_wide; /* in no project: `feature` means nothing */
        size_t name_offset;  /* of the body's `char *name` */
        bool has_users;     /* shows "used_by" */
        char *(*url)(const char *name);                    /* the caller frees */
        char *(*name_of)(const struct request *req);       /* NULL: the first parameter */
        const char *created, *updated, *renamed, *deleted; /* lifecycle actions */
        struct json_object *(*context)(const void *body);  /* of the first two; NULL: none */

        /* Each checks and fills the change; bodies are taken in every case. */
        int (*create)(struct server *s, struct change *c, const char *project, void *take_body, struct error *err);
        int (*update)(struct server *s, struct change *c, const struct object *o, void *take_next, struct error *err);
        int (*rename)(struct server *s, struct change *c, const struct object *o, const char *name, struct error *err);
        int (*remove)(struct server *s, struct change *c, const struct object *o, struct error *err);
};

void plain_list(struct request *req);
void plain_create(struct request *req);
void plain_get(struct request *req);
void plain_put(struct request *req);
void plain_patch(struct request *req);
void plain_rename(struct request *req);
void plain_delete(struct request *req);

/* The rows of a list's path, and of one object's; `what` is "profile" in the sentences of the reference. */
#define PLAIN_LIST_ROUTES(list_path, fam, what)                                                              \
        { METHOD_GET, list_path, plain_list, PERM_VIEW, ROUTE_PROJECT, "List each " what ".", fam },         \
        { METHOD_POST, list_path, plain_create, PERM_EDIT, ROUTE_PROJECT | ROUTE_BODY, "Create: " what ".", fam }
#define PLAIN_ONE_ROUTES(path, fam, what)                                                                    \
        { METHOD_GET, path, plain_get, PERM_VIEW, ROUTE_PROJECT, "One " what ".", fam },                     \
        { METHOD_PUT, path, plain_put, PERM_EDIT, ROUTE_PROJECT | ROUTE_BODY, "Replace: " what ".", fam },   \
        { METHOD_PATCH, path, plain_patch, PERM_EDIT, ROUTE_PROJECT | ROUTE_BODY, "Change parts: " what ".", fam }, \
        { METHOD_POST, path, plain_rename, PERM_EDIT, ROUTE_PROJECT | ROUTE_BODY, "Rename: " what ".", fam }, \
        { METHOD_DELETE, path, plain_delete, PERM_EDIT, ROUTE_PROJECT, "Delete: " what ".", fam }
