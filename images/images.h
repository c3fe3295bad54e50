/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images: files under their fingerprint, aliases, and how an image gets here (an upload, a build). Knows no
 * instance and no pool: whoever makes an instance asks for the image, then for its files.
 */
#pragma once

#include "api/image.h"
#include "server/operation.h"

extern const struct object_kind image_kind;       /* by project and fingerprint */
extern const struct object_kind image_alias_kind; /* by project and alias name */

void images_register(struct server *s);
/* At start-up, before requests: removes what the spool and the image directory hold and no object names. */
void images_recover(struct server *s, void (*done)(struct server *s, void *data), void *data);

/*
 * The image an instance is made of. `source` is the request's "source" object: alias or fingerprint (either
 * may stand in the other's place; a fingerprint may be a unique prefix) of a local image, or with
 * "server"/"protocol" one of the daemon's remotes, which is built or fetched first with progress on op. done
 * exactly once, never before this returns; the object is valid during the call only (take what you need: see
 * image_files below).
 */
typedef void (*image_ready_fn)(void *data, int r, struct object *image, struct error *err);
void image_for_instance(struct server *s, const char *project, struct json_object *source,
                        struct operation *op, image_ready_fn done, void *data);
/*
 * What a request may be told at once: that its source makes no sense, or that no such image is here. *ret_image is the
 * local image it means, NULL for one of a remote; borrowed for the moment.
 */
int image_check_source(struct server *s, const char *project, struct json_object *source,
                       const struct object **ret_image, struct error *err);
/* While the image is being fetched: done follows with ERR_CANCELLED. Any other time nothing happens. */
void image_for_instance_cancel(struct server *s, void *data);

/* "amd64" → "x86_64"; NULL for what no kernel is called. */
const char *image_architecture(const char *name);

/* An image names profiles, which this folder does not know: who does says whether one exists (ERR_NOT_FOUND). */
typedef int (*profile_exists_fn)(struct server *s, const char *project, const char *name, struct error *err);
void images_set_profile_check(profile_exists_fn fn);

/* Where its bytes are; the caller frees. rootfs is NULL for a unified tarball. */
char *image_meta_path(struct server *s, const struct object *image);
char *image_rootfs_path(struct server *s, const struct object *image);
