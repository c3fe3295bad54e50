/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON trees as YAML text and back, through libyaml. Knows nothing of the API but this: the maps named in
 * `string_maps` hold strings whatever their values look like, so that "limits.cpu: 2" stays a string.
 */
#pragma once

#include "base/error.h"
#include "base/json.h"

/* Keys keep their order. A list or map that is null is written as empty, since an edit reads it back. */
int yaml_write(struct json_object *o, struct strbuf *out, struct error *err);

/* One document; empty text gives NULL. Anchors, tags and several documents are refused. */
int yaml_parse(const char *text, size_t n, const char *const *string_maps, struct json_object **ret,
               struct error *err);
