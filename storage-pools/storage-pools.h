/* SPDX-License-Identifier: Apache-2.0 */
/* What the process calls of storage-pools/. */
#pragma once

#include "storage-pools/layer.h"
#include "storage-pools/pool.h"
#include "storage-pools/volume.h"

void storage_pools_register(struct server *s);
/*
 * At the daemon's start, after the objects are loaded, the volumes' source is set and running containers were counted
 * by layer_use(), before anything is asked of a pool: removes half-made pools and unnamed files, finds mounted layers.
 * A pool that cannot be tidied is logged and stays; done always comes, with r 0.
 */
void storage_pools_start(struct server *s, storage_done_fn done, void *data);
