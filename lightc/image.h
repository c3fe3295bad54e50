/* SPDX-License-Identifier: Apache-2.0 */
/* Images by alias or by the beginning of a fingerprint. Knows the API's addresses of images. */
#pragma once

#include "lightc/client.h"

/* The full fingerprint for an alias or (the beginning of) a fingerprint. The caller frees. */
int image_resolve(struct client *c, const char *word, char **ret_fingerprint, struct error *err);
/* The image itself. */
int image_fetch(struct client *c, const char *word, struct json_object **ret, struct error *err);
/*
 * The "source" of a request for an image. "debian:12" is one the daemon builds or fetches by itself; anything without a
 * remote is in its store. "local:x" is the store, too.
 */
struct json_object *image_source(const char *image);
