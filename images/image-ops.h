/* SPDX-License-Identifier: Apache-2.0 */
/* What changes images and aliases: each fills a change for the caller to commit, or runs to the operation's
 * end. */
#pragma once

#include "images/image.h"

int image_update(struct server *s, struct change *c, const struct object *o, struct image *take_next,
                 struct error *err);
/* Object and aliases at once, then the files, then the operation ends. */
void image_delete(struct server *s, const struct object *o, struct operation *op);
/* POST with "source": an image of a remote, with the wishes of the request. The operation ends with it. */
int image_pull(struct request *req, const char *project, struct error *err);

/* The rules of the plain family of aliases; bodies are struct image_alias. */
int alias_create(struct server *s, struct change *c, const char *project, void *take_body, struct error *err);
int alias_update(struct server *s, struct change *c, const struct object *o, void *take_body, struct error *err);
int alias_rename(struct server *s, struct change *c, const struct object *o, const char *new_name,
                 struct error *err);
int alias_delete(struct server *s, struct change *c, const struct object *o, struct error *err);

extern const struct route image_routes[], image_alias_routes[];
void image_export(struct request *req, const struct object *o);
