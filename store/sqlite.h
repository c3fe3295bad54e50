/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine inside the store child: objects and transactions in one SQLite file of the current directory.
 * Knows no sockets. A negative return means that the engine is of no more use (its message says why): the
 * child ends, and the next one finds out what was stored. Refusals of single transactions are in their
 * results.
 *
 *   lightd.db            objects(kind, project, name, rev, schema, json), primary key the first three
 *                        txns(id, rev)   transactions that happened and whose owner may not have heard of it
 * yet meta(key, value)   "format" of these tables, "did" lightd.db-wal        SQLite's log; part of the
 * database lightd.db.<UTC>      copies made before migrations; the newest three are kept reserve blocks for
 * urgent transactions on a full disk (reserve.h) lock                 held while a child lives, so that a new
 * one waits for the old one's last write
 */
#pragma once

#include "store/migrate.h"
#include "store/protocol.h"

#define ENGINE_FILE "lightd.db"
#define ENGINE_FORMAT 1
#define ENGINE_COPIES 3
#define ENGINE_GROUP_MAX 256

struct engine;
/* In the current directory; `place` is its name in messages. */
int engine_open(const char *place, const struct migration *table, struct engine **ret, struct error *err);
/* A database that was not opened by us for good (refused) is left byte for byte as it was. */
struct engine *engine_close(struct engine *e);
DEFINE_CLEANUP(struct engine *, engine_close)

void engine_hello(const struct engine *e, struct wire_hello *ret);
int engine_load(struct engine *e, store_record_fn *record, void *data);
/* All in one disk write; each of them whole or not at all. */
int engine_commit(struct engine *e, const struct wire_commit *commits, size_t n,
                  struct store_result *ret_results);
/* Rewrites and syncs everything logged. After an fsync that failed only this shows what the disk really has.
 */
int engine_settle(struct engine *e);
/* Did this transaction happen? Only sound after engine_settle(). */
int engine_resolve(struct engine *e, uint64_t id, struct store_result *ret);
/* Between groups, after the answers: moves the log into the database once it is long. */
int engine_tidy(struct engine *e);
const char *engine_message(struct engine *e);
