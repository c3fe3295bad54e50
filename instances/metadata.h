/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an instance keeps of its image's metadata.yaml, and the texts of its templates: what a person may change of both.
 * The rules (metadata.c) know no request; the routes are in metadata-api.c. Nothing here touches a root file system: the
 * templates are rendered when the instance starts (spec.c).
 */
#pragma once

#include "api/image.h"
#include "instances/instance.h"

#define METADATA_FILES_COUNT_MAX 64
#define METADATA_FILE_SIZE_MAX KiB(256)
#define METADATA_FILES_SIZE_MAX KiB(512) /* of one instance together */

extern const struct route instance_metadata_routes[];

/* What a new instance takes from its image; the caller owns both. */
void metadata_from_image(const struct image *image, struct json_object **ret_metadata, struct json_object **ret_files);

/*
 * The stored metadata after a PUT (TYPE_REPLACE) or PATCH (TYPE_PATCH: maps are merged, null takes a template away).
 * `now` may be NULL. -EINVAL names the row that is wrong; *ret is the caller's.
 */
int metadata_next(struct json_object *now, struct json_object *body, enum type_mode mode, struct json_object **ret,
                  struct error *err);

/* A template's name: a plain file name that may stand in a command. */
int metadata_check_file_name(const char *name, struct error *err);
/* `files` (may be NULL) with text under name, or without it when text is NULL. The caller owns *ret. */
int metadata_files_with(struct json_object *files, const char *name, const char *text, size_t n, struct json_object **ret,
                        struct error *err);
