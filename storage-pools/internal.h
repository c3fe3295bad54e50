/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of storage-pools/ only. */
#pragma once

#include "storage-pools/layer.h"

/* The body of a layer object. Its object's name is "<pool>/<fingerprint>". */
struct layer {
        char *pool, *fingerprint, *form;
        int64_t size, created_at;
};
#define LAYER_SQUASHFS "squashfs"
#define LAYER_DIRECTORY "directory"

struct object *layer_find(struct server *s, const char *pool, const char *fingerprint);
char *layer_object_name(const char *pool, const char *fingerprint);
char *layer_file_name(const char *fingerprint, const char *form); /* in layers/ */
bool layer_is_busy(const char *pool); /* one is being made or removed there */
void layers_reset(void);              /* a new server in this process */

/* layer-mount.c */
void layer_mounts_reset(void);
unsigned layer_users(const char *pool, const char *fingerprint);
/* Paths where layers of this pool are mounted and not used; they count as unmounted from here. */
struct json_object *layer_mounts_take(struct server *s, const char *pool);
/* Unmounts it if it is mounted and unused, then done(data, 0, …). */
void layer_mount_drop(struct server *s, const char *pool, const char *fingerprint, storage_done_fn done, void *data);
/* What /proc/self/mountinfo says is mounted in the layers' place. */
void layer_mounts_adopt(struct server *s, const char *mountinfo);
/* Calls fn for each mount point below prefix (which ends with '/'), with the part after it. */
void mountinfo_each_below(const char *mountinfo, const char *prefix, void (*fn)(void *data, const char *rest),
                          void *data);

/* Whether new squashfs images become mounted layers: set by the start-up probe. */
void layers_set_mountable(bool is_mountable);
/* "6.2.0-1-amd64" and later can id-map a squashfs mount. */
bool kernel_can_map_squashfs(const char *release);

void pools_reset(void);
void volumes_reset(void);
bool volume_is_busy(const struct object *pool); /* one is being made there */
bool volume_is_made_on(const char *pool, const char *fingerprint);

/* A fresh name in the pool's trash. */
char *trash_path(const struct object *pool, const char *what);
/* Starts a job nobody waits for. */
void job_start_forgotten(struct server *s, const char *name, struct json_object *take_args);
struct json_object *args_with_path(const char *path);
/* Call done when the loop turns: with a code and its sentence, or with a copy of an error (r 0: without). */
void done_later(struct server *s, storage_done_fn done, void *data, enum error_code code, const char *message);
void done_later_error(struct server *s, storage_done_fn done, void *data, int r, const struct error *err);
