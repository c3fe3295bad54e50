/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Root volumes of instances: <pool>/instances/<num>. What instances/ calls. All slow work is done by jobs; every done
 * function is called exactly once and never before the call that named it has returned.
 */
#pragma once

#include "server/job.h"
#include "storage-pools/pool.h"

/* The files of an image, as images/ keeps them. Borrowed for the length of a call. */
struct image_files {
        const char *fingerprint; /* 64 hex digits */
        const char *meta_path;   /* the metadata archive, or the whole image when rootfs_path is "" */
        const char *rootfs_path;
        const char *format;      /* of the root file system: "squashfs" or "tar" */
        bool may_mount_squashfs; /* its maker is trusted enough for the kernel's parser */
};

/* The directory of a volume. */
char *volume_path(const struct object *pool, uint32_t num);
/* The "rootfs" member of lightrun's start spec. layers: topmost first, from layer_path(). */
struct json_object *volume_rootfs_json(const struct object *pool, uint32_t num, const char *const *layers,
                                       size_t n_layers, bool create);

/*
 * Makes what the first start needs: the image's layer (overlay) or a copy of the image (dir). op, if not NULL, shows
 * the progress and must live until done. data tells requests apart for volume_cancel().
 */
void volume_create(struct server *s, struct object *pool, uint32_t num, const struct image_files *image,
                   struct operation *op, storage_done_fn done, void *data);
/* The same from another volume of the pool that nobody writes to meanwhile. op and data as above. */
void volume_copy(struct server *s, struct object *pool, uint32_t from, uint32_t num, struct operation *op,
                 storage_done_fn done, void *data);
/* done then comes with ERR_CANCELLED, unless it was too late. */
void volume_cancel(struct server *s, void *data);

/* Renames into the trash, then done; the bytes go later. A volume that is not there is deleted. */
void volume_delete(struct server *s, const struct object *pool, uint32_t num, storage_done_fn done, void *data);

/* Bytes of its own on disk: walks the tree, so ask seldom. */
typedef void (*volume_usage_fn)(void *data, int r, uint64_t bytes, struct error *err);
void volume_usage(struct server *s, const struct object *pool, uint32_t num, volume_usage_fn done, void *data);

/* The volumes there are: instances/ registers a function that calls visit for each instance with a root volume. */
struct volume_info {
        const char *pool, *project, *instance, *description;
        uint32_t num;
        int64_t created_at; /* nanoseconds since 1970 */
        const char *const *layers; /* fingerprints */
        size_t n_layers;
};
typedef void (*volume_visit_fn)(void *data, const struct volume_info *v);
typedef void (*volume_source_fn)(struct server *s, volume_visit_fn visit, void *data);
void volumes_set_source(volume_source_fn fn);
void volumes_each(struct server *s, volume_visit_fn visit, void *data);

/* For drivers: one volume being made. */
struct unpack;
struct volume_task {
        struct list node;
        struct server *server;
        struct object *pool;
        uint32_t num;
        struct operation *op;
        storage_done_fn done;
        void *data;
        struct image_files image; /* a copy of its own */
        struct unpack *unpack; /* while it runs */
        struct job *copy;      /* while it runs */
};
void image_files_copy(struct image_files *to, const struct image_files *from);
void image_files_done(struct image_files *copy);
void volume_task_end(struct volume_task *t, int r, struct error *err);
void volume_task_progress(void *data, const char *stage, int percent);

extern const struct route volume_routes[];
