/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images and aliases inside images/: finding them, what they look like on the wire, the rules of what may be
 * written. No job is started here and nothing is committed.
 */
#pragma once

#include "images/images.h"
#include "server/request.h"

/* The words of a list of aliases a new image gets. */
struct alias_list {
        struct image_alias *items;
        size_t n;
};
void alias_list_add(struct alias_list *l, const char *name, const char *description);
void alias_list_done(struct alias_list *l);
#define _cleanup_aliases_ _cleanup_(alias_list_done)

/* By full fingerprint or a prefix that only one image has. ERR_NOT_FOUND, or ERR_BAD_REQUEST when several
 * have it. */
int image_get(struct server *s, const char *project, const char *fingerprint, struct object **ret,
              struct error *err);
/* By alias, or fingerprint as above. */
int image_resolve(struct server *s, const char *project, const char *word, struct object **ret,
                  struct error *err);
/* Whether an image with these files exists in any project. */
bool image_is_stored(struct server *s, const char *fingerprint);
char *image_dir(struct server *s);
char *image_file(struct server *s, const char *fingerprint, bool is_rootfs);
/* The image as it is shown: with its aliases and its last use. */
void image_write(struct server *s, struct object *o, struct strbuf *out);
char *image_url(const char *fingerprint);
char *image_alias_url(const char *name);

/* What a client asked for beside the bytes. All start empty. */
struct image_wishes {
        struct image image; /* filename, properties, profiles, is_public, expires_at are looked at */
        struct alias_list aliases;
        char *fingerprint; /* that it must have; NULL: any */
};
void image_wishes_done(struct image_wishes *w);
/* X-LXD-… headers of an upload. */
int image_wishes_from_headers(struct request *req, struct image_wishes *w, struct error *err);
/* The members of POST /1.0/images beside "source". */
int image_wishes_from_json(struct json_object *body, struct image_wishes *w, struct error *err);

/* What may be stored: properties, profiles; refuses what this release does not do. */
int image_check(const struct image *image, struct error *err);
/* That the profiles an image names exist. */
int image_check_profiles(struct server *s, const char *project, const struct image *image, struct error *err);
/* Fills an image from its wishes and lightunpack's answers. */
int image_from_inspection(struct image *image, const struct image_wishes *w, struct json_object *inspected,
                          struct error *err);
/* Puts the aliases for a target into a change, each of which must be new. */
int image_put_aliases(struct server *s, struct change *c, const char *project,
                      const struct alias_list *aliases, const char *target, struct error *err);
