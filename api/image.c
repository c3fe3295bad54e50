/* SPDX-License-Identifier: Apache-2.0 */
#include "api/image.h"

static const struct field image_fields[] = {
        FIELD(image, auto_update, "auto_update", FIELD_BOOL, 0),
        FIELD(image, properties, "properties", FIELD_STRMAP, 0),
        FIELD(image, is_public, "public", FIELD_BOOL, 0),
        FIELD(image, expires_at, "expires_at", FIELD_TIME, 0),
        FIELD(image, profiles, "profiles", FIELD_STRLIST, 0),
        FIELD(image, architecture, "architecture", FIELD_STRING, FIELD_READONLY),
        FIELD(image, is_cached, "cached", FIELD_BOOL, FIELD_READONLY),
        FIELD(image, filename, "filename", FIELD_STRING, FIELD_READONLY),
        FIELD(image, fingerprint, "fingerprint", FIELD_STRING, FIELD_READONLY),
        FIELD(image, size, "size", FIELD_INT, FIELD_READONLY),
        FIELD(image, update_source, "update_source", FIELD_JSON, FIELD_READONLY | FIELD_OMIT),
        FIELD(image, type, "type", FIELD_STRING, FIELD_READONLY),
        FIELD(image, created_at, "created_at", FIELD_TIME, FIELD_READONLY),
        FIELD(image, uploaded_at, "uploaded_at", FIELD_TIME, FIELD_READONLY),
        FIELD(image, format, "format", FIELD_STRING, FIELD_STORED),
        FIELD(image, layout, "layout", FIELD_STRING, FIELD_STORED),
        FIELD(image, meta_ext, "meta_ext", FIELD_STRING, FIELD_STORED),
        FIELD(image, rootfs_ext, "rootfs_ext", FIELD_STRING, FIELD_STORED),
        FIELD(image, meta_size, "meta_size", FIELD_INT, FIELD_STORED),
        FIELD(image, rootfs_size, "rootfs_size", FIELD_INT, FIELD_STORED),
        FIELD(image, may_mount_squashfs, "may_mount_squashfs", FIELD_BOOL, FIELD_STORED),
        FIELD(image, metadata, "metadata", FIELD_JSON, FIELD_STORED),
        FIELD(image, templates, "templates", FIELD_JSON, FIELD_STORED),
        {},
};

static const struct field alias_fields[] = {
        FIELD(image_alias, name, "name", FIELD_STRING, 0),
        FIELD(image_alias, description, "description", FIELD_STRING, 0),
        FIELD(image_alias, target, "target", FIELD_STRING, 0),
        FIELD(image_alias, type, "type", FIELD_STRING, FIELD_READONLY),
        {},
};

static const struct field use_fields[] = {
        FIELD(image_use, last_used_at, "last_used_at", FIELD_TIME, 0),
        {},
};

const struct type image_type = { "image", sizeof(struct image), image_fields };
const struct type image_alias_type = { "image alias", sizeof(struct image_alias), alias_fields };
const struct type image_use_type = { "image use", sizeof(struct image_use), use_fields };
