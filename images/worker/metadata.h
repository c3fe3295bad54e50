/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An image's metadata.yaml becomes a JSON tree. Plain YAML only: mappings, sequences, scalars; no aliases,
 * tags or second documents, bounded in depth and number. Values below a key "properties" are strings whatever
 * they look like
 * ("release: 22.10"). Pure: bytes in, tree out.
 */
#pragma once

#include "base/error.h"
#include "base/json.h"

#define METADATA_SIZE_MAX MiB(1)
#define METADATA_DEPTH_MAX 12
#define METADATA_NODES_MAX 20000

int metadata_from_yaml(const char *text, size_t n, struct json_object **ret, struct error *err);
/* The shape the rest relies on: architecture, creation_date, properties, templates with plain file names. */
int metadata_check(struct json_object *metadata, struct error *err);
/* A file name for templates/: no slash, no leading dot, printable. */
bool metadata_is_template_name(const char *name);
