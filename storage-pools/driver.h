/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Storage drivers: one row each in drivers.c. A driver says how the root volume of an instance comes to be and what
 * lightrun is told about it; directories, layers, trash and jobs are the same for all. A driver must not know which
 * instance a volume belongs to.
 */
#pragma once

#include "config/key.h"
#include "storage-pools/volume.h"

struct storage_driver {
        const char *name;
        const char *summary;
        const struct config_key *keys; /* of its pools, beside the common ones; ended by {} */
        bool uses_layers;   /* volumes lie on shared layers; else each holds the whole image */
        bool needs_overlay; /* the pool's file system must take an overlay's upper directory: tried when it is made */
        const char *usage_part; /* the directory in a volume that holds its own data */

        /*
         * Required. Asynchronous, in the daemon: makes the volume from the image by jobs, idempotent; calls
         * volume_task_end() once. When it fails or the daemon dies nothing is left that the start-up sweep misses.
         */
        void (*volume_fill)(struct volume_task *t);
        /* Required. Pure: the "rootfs" member of lightrun's start spec (runtime/spec.h). volume: its directory. */
        struct json_object *(*rootfs)(const char *volume, const char *const *layers, size_t n_layers, bool create);
};

extern const struct storage_driver overlay_driver, dir_driver;
/* NULL-ended, the default first. */
extern const struct storage_driver *const storage_drivers[];

const struct storage_driver *storage_driver_find(const char *name); /* NULL: unknown */
/* Common keys and the driver's, for config_validate(). */
config_tables storage_driver_tables(const struct storage_driver *d);
extern const struct config_key storage_pool_keys[];
