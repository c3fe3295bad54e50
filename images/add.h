/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From files in the spool to an image: looked into by lightunpack, named by lightrun, stored together with
 * its aliases. Whoever has the bytes (an upload, a build) begins here. Nothing stays when it fails.
 */
#pragma once

#include "images/image.h"
#include "server/operation.h"

struct add;

struct add_spec {
        const char *project;
        const char *spool;                /* directory: "meta" and perhaps "rootfs"; gone afterwards */
        struct json_object *received;     /* borrowed: {"fingerprint","size","files"} of lightunpack */
        struct image_wishes *take_wishes; /* its content is moved */
        bool may_mount_squashfs;
        bool is_cached;
        struct json_object *update_source; /* borrowed, or NULL */
        struct operation *op;              /* progress; may be NULL */
        /* r < 0: err says why. The fingerprint is borrowed. */
        void (*done)(void *data, int r, const char *fingerprint, struct error *err);
        void *data;
};

/* NULL when done was called before this returned (it was refused at once, or a test's runner). */
struct add *image_add(struct server *s, const struct add_spec *spec);
/* done follows with ERR_CANCELLED, unless it is too late. */
void image_add_cancel(struct add *a);

/* Files and spool directories that nobody needs any more; what cannot be removed goes at the next start. */
void image_discard(struct server *s, const char *path);
/* The directory for one arrival; the caller frees. No two are the same between two starts. */
char *image_spool_path(struct server *s);
