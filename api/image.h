/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image and an image alias, in LXD's form. "aliases" and "last_used_at" of an image are added by who
 * answers: aliases are objects of their own, and a use must not change the image's revision.
 */
#pragma once

#include "api/field.h"

struct image {
        char *fingerprint; /* SHA-256 of the metadata file followed by the rootfs file */
        char *filename;    /* as uploaded; may be empty */
        char *architecture, *type;
        int64_t size;
        struct strmap properties;
        struct strlist profiles;
        bool is_public, auto_update, is_cached;
        int64_t created_at, expires_at, uploaded_at;
        struct json_object *update_source; /* {"server","protocol","alias",…} of a fetched one */

        /* stored only */
        char *format;                /* of the root file system: "squashfs" or "tar" */
        char *layout;                /* "unified" or "split" */
        char *meta_ext, *rootfs_ext; /* ".tar.xz", ".squashfs": the files as they are handed out */
        int64_t meta_size, rootfs_size;
        bool may_mount_squashfs;      /* its maker is trusted enough for the kernel's parser */
        struct json_object *metadata; /* metadata.yaml */
        /* {"/etc/hostname":{"when":["create"],"create_only":false,"properties":{},"text":"{{ … }}"}} */
        struct json_object *templates;
};

struct image_alias {
        char *name, *description, *target, *type;
};

/* When an image was last used: apart from the image, so that a launch never breaks somebody's edit. */
struct image_use {
        int64_t last_used_at;
};

extern const struct type image_type, image_alias_type, image_use_type;
