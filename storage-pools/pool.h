/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Storage pools: a directory with layers, instance volumes and trash. The object says "Pending" while its directories
 * are being made or removed; start-up removes what it finds in that state, so a pool is there whole or not at all.
 */
#pragma once

#include "api/storage-pool.h"
#include "server/request.h"

#define POOL_PENDING "Pending"
#define POOL_CREATED "Created"
#define POOL_ERRORED "Errored" /* deleting it failed: may be deleted again, not used */

struct storage_driver;

extern const struct object_kind storage_pool_kind;

/* Rules, without any I/O. */
int storage_pool_check(const struct storage_pool *p, struct error *err);
/*
 * A source may not overlap with another pool's, nor with the daemon's own directory (except below its
 * storage-pools/). others: sources of the pools there are.
 */
int storage_pool_check_source(const char *source, const char *daemon_dir, const char *const *others, size_t n_others,
                              struct error *err);

int storage_pool_get(struct server *s, const char *name, struct object **ret, struct error *err);
/* The same, refusing one that is not "Created". */
int storage_pool_get_usable(struct server *s, const char *name, struct object **ret, struct error *err);
const struct storage_driver *storage_pool_driver(const struct object *pool);
const char *storage_pool_path(const struct object *pool);          /* borrowed */
char *storage_pool_part(const struct object *pool, const char *part); /* "<path>/layers" */

/* Use cases. < 0: refused at once, done is never called; else done comes later, exactly once. */
typedef void (*storage_done_fn)(void *data, int r, struct error *err);
int storage_pool_create(struct server *s, struct storage_pool *take_p, storage_done_fn done, void *data,
                        struct error *err);
int storage_pool_delete(struct server *s, const struct object *o, storage_done_fn done, void *data,
                        struct error *err);
/* The second half of deleting, for a pool found "Pending" at start-up. */
void storage_pool_undo(struct server *s, const struct object *o, storage_done_fn done, void *data);
int storage_pool_update(struct server *s, struct change *c, const struct object *o, struct storage_pool *take_next,
                        struct error *err);

extern const struct route storage_pool_routes[];
