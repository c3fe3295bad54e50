/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Layers: an image's root file system, once per pool, read-only, shared by every volume on it. A layer is an object
 * written after its files are in place; files no object names are removed at start-up. It lives as long as a volume
 * lies on it or its image exists.
 *
 * Two forms: a squashfs file, mounted while a container runs on it, or a directory.
 */
#pragma once

#include "storage-pools/volume.h"

extern const struct object_kind layer_kind;

/*
 * Makes the layer unless it is there. Requests for one layer are one piece of work. op, if not NULL, shows the
 * progress and must live until done.
 */
void layer_ensure(struct server *s, const struct object *pool, const struct image_files *image, struct operation *op,
                  storage_done_fn done, void *data);
/* The request with this data ends with ERR_CANCELLED; the work too, when nobody else waits for it. */
void layer_cancel(struct server *s, void *data);
bool layer_exists(struct server *s, const char *pool, const char *fingerprint);

/*
 * While a container runs: layer_mount() before its start (counts a user; on failure it does not), layer_unuse() after
 * its end. At the daemon's start layer_use() counts what already runs, before storage_pools_start().
 */
void layer_mount(struct server *s, const char *pool, const char *fingerprint, storage_done_fn done, void *data);
void layer_use(struct server *s, const char *pool, const char *fingerprint);
void layer_unuse(struct server *s, const char *pool, const char *fingerprint);
/* Where its files are seen once it is mounted: a lower directory for an overlay. NULL: no such layer. */
char *layer_path(struct server *s, const char *pool, const char *fingerprint);

/* Removes the layers that nothing needs; after an instance or an image was deleted. */
void layers_collect(struct server *s);
/* images/ (by way of instances/): whether an image with this fingerprint exists. Without one, none does. */
void layers_set_image_check(bool (*fn)(struct server *s, const char *fingerprint));
