/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who uses an object. A family that refers to objects of another registers a function here, so that the family
 * referred to need not know it; the list is made fresh for each answer, because it changes with other objects than
 * the one shown.
 */
#pragma once

#include "server/request.h"

/* Appends URLs ("/1.0/instances/c1", with ?project= outside the default one). */
typedef void (*used_by_fn)(struct server *s, const struct object *o, struct strlist *urls);

/* kind: the stored word, "profile", "storage-pool", "project", "network". Adding twice is adding once. */
void used_by_add(const char *kind, used_by_fn fn);
/* Appends the URL of each object of a kind that is in the project `o`: what most families answer for "project". */
void used_by_project(struct server *s, const struct object *o, const struct object_kind *kind, const char *url_prefix,
                     struct strlist *urls);
void used_by_collect(struct server *s, const struct object *o, struct strlist *urls);
/* ERR_IN_USE with "<Kind> "x" is in use by c1, c2 and 3 more" unless nobody uses it. */
int used_by_check_free(struct server *s, const struct object *o, struct error *err);

/* An object's REST form with "used_by" in it. */
void used_by_write(struct server *s, struct object *o, struct strbuf *out);
void reply_used_object(struct request *req, struct object *o); /* with ETag */
/* As reply_object_list(): GET list of a kind. project NULL: all. */
void reply_used_list(struct request *req, const struct object_kind *kind, const char *project, const char *url_prefix);
