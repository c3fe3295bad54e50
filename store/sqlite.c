/* SPDX-License-Identifier: Apache-2.0 */
#include "store/sqlite.h"
#include "base/alloc.h"
#include "store/engine-internal.h"
#include "store/reserve.h"
#include "store/store-internal.h"

#include <unistd.h>

#define TIDY_PAGES 1000 /* 4 MiB of log */
#define PRUNE_EVERY 256

static const char *const sql[_ST_MAX] = {
        [ST_BEGIN] = "BEGIN IMMEDIATE",
        [ST_COMMIT] = "COMMIT",
        [ST_ROLLBACK] = "ROLLBACK",
        [ST_SAVE] = "SAVEPOINT txn",
        [ST_BACK] = "ROLLBACK TO txn",
        [ST_RELEASE] = "RELEASE txn",
        [ST_REV] = "SELECT rev FROM objects WHERE kind = ?1 AND project = ?2 AND name = ?3",
        [ST_PUT] = "REPLACE INTO objects (kind, project, name, rev, schema, json) VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
        [ST_DELETE] = "DELETE FROM objects WHERE kind = ?1 AND project = ?2 AND name = ?3",
        [ST_TXN_ADD] = "INSERT INTO txns (id, rev) VALUES (?1, ?2)",
        [ST_TXN_FIND] = "SELECT rev FROM txns WHERE id = ?1",
        [ST_TXN_PRUNE] = "DELETE FROM txns WHERE id < ?1 AND id < (SELECT max(id) FROM txns)",
        [ST_TXN_LAST] = "SELECT id, rev FROM txns ORDER BY id DESC LIMIT 1",
        [ST_LOAD] = "SELECT kind, project, name, rev, schema, json FROM objects ORDER BY kind, project, name",
};

int engine_errno(struct engine *e, int rc)
{
        switch (rc & 0xff) {
        case SQLITE_OK:
        case SQLITE_ROW:
        case SQLITE_DONE:
                return 0;
        case SQLITE_FULL:
                return -ENOSPC;
        case SQLITE_BUSY:
        case SQLITE_LOCKED:
                return -EBUSY;
        case SQLITE_NOMEM:
                return -ENOMEM;
        case SQLITE_READONLY:
        case SQLITE_CANTOPEN:
                return -EROFS;
        default:
                return sqlite3_system_errno(e->db) == EDQUOT ? -ENOSPC : -EIO;
        }
}

int engine_exec(struct engine *e, const char *text)
{
        return engine_errno(e, sqlite3_exec(e->db, text, NULL, NULL, NULL));
}

int engine_prepare(struct engine *e)
{
        for (int i = 0; i < _ST_MAX; i++) {
                int r = engine_errno(
                        e, sqlite3_prepare_v3(e->db, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &e->st[i], NULL));
                if (r < 0)
                        return r;
        }
        return 0;
}

/* One step; 1 when there is a row, which stays readable until the statement is reset. */
static int step(struct engine *e, enum statement which)
{
        int rc = sqlite3_step(e->st[which]);
        return rc == SQLITE_ROW ? 1 : engine_errno(e, rc);
}

static int run(struct engine *e, enum statement which)
{
        int r = step(e, which);
        sqlite3_reset(e->st[which]);
        return r;
}

static void bind_text(sqlite3_stmt *st, int at, const char *text)
{
        sqlite3_bind_text(st, at, text, -1, SQLITE_STATIC);
}

static void bind_key(sqlite3_stmt *st, const struct wire_op *op)
{
        bind_text(st, 1, op->kind);
        bind_text(st, 2, op->project);
        bind_text(st, 3, op->name);
}

static uint64_t column_u64(sqlite3_stmt *st, int at)
{
        return (uint64_t)sqlite3_column_int64(st, at);
}

int engine_read_counters(struct engine *e)
{
        int r = step(e, ST_TXN_LAST);
        e->next_id = r > 0 ? column_u64(e->st[ST_TXN_LAST], 0) + 1 : 1;
        e->rev = r > 0 ? column_u64(e->st[ST_TXN_LAST], 1) : 0;
        sqlite3_reset(e->st[ST_TXN_LAST]);
        return MIN(r, 0);
}

void engine_hello(const struct engine *e, struct wire_hello *ret)
{
        *ret = (struct wire_hello){ .next_id = e->next_id, .did = e->did };
}

int engine_load(struct engine *e, store_record_fn *record, void *data)
{
        sqlite3_stmt *st = e->st[ST_LOAD];
        int r;
        while ((r = step(e, ST_LOAD)) > 0) {
                struct store_record row = { .kind = (const char *)sqlite3_column_text(st, 0),
                                            .project = (const char *)sqlite3_column_text(st, 1),
                                            .name = (const char *)sqlite3_column_text(st, 2),
                                            .rev = column_u64(st, 3),
                                            .schema = sqlite3_column_int(st, 4),
                                            .json = (const char *)sqlite3_column_text(st, 5) };
                record(data, &row);
        }
        sqlite3_reset(st);
        return r;
}

static int find_rev(struct engine *e, const struct wire_op *op, uint64_t *ret)
{
        sqlite3_stmt *st = e->st[ST_REV];
        bind_key(st, op);
        int r = step(e, ST_REV);
        *ret = r > 0 ? column_u64(st, 0) : 0;
        sqlite3_reset(st);
        return MIN(r, 0);
}

static int change(struct engine *e, const struct wire_op *op)
{
        if (op->what == OP_CHECK)
                return 0;
        enum statement which = op->what == OP_PUT ? ST_PUT : ST_DELETE;
        bind_key(e->st[which], op);
        if (which == ST_PUT) {
                sqlite3_bind_int64(e->st[which], 4, (sqlite3_int64)e->rev + 1);
                sqlite3_bind_int(e->st[which], 5, migrate_newest(e->table, op->kind));
                bind_text(e->st[which], 6, op->json);
        }
        int r = run(e, which);
        sqlite3_clear_bindings(e->st[which]); /* the texts go away with the frame */
        return r;
}

static int record_txn(struct engine *e, uint64_t id, uint64_t rev)
{
        sqlite3_bind_int64(e->st[ST_TXN_ADD], 1, (sqlite3_int64)id);
        sqlite3_bind_int64(e->st[ST_TXN_ADD], 2, (sqlite3_int64)rev);
        return run(e, ST_TXN_ADD);
}

static int apply_ops(struct engine *e, struct wire_commit c, struct store_result *res)
{
        struct wire_op op;
        for (res->op = 0; protocol_next_op(&c, &op) > 0; res->op++) {
                uint64_t rev;
                int r = find_rev(e, &op, &rev);
                if (r < 0)
                        return r;
                res->r = store_expect(&op, rev);
                if (res->r < 0)
                        return 0;
                r = change(e, &op);
                if (r < 0)
                        return r;
        }
        return record_txn(e, c.id, e->rev + 1);
}

static int apply(struct engine *e, const struct wire_commit *c, struct store_result *res)
{
        *res = (struct store_result){ 0 };
        int r = run(e, ST_SAVE);
        if (r == 0)
                r = apply_ops(e, *c, res);
        if (r == 0 && res->r < 0)
                r = run(e, ST_BACK);
        if (r == 0)
                r = run(e, ST_RELEASE);
        if (r == 0 && res->r == 0)
                res->rev = ++e->rev;
        return r;
}

static int prune(struct engine *e, uint64_t acked)
{
        if (acked < e->pruned + PRUNE_EVERY)
                return 0;
        sqlite3_bind_int64(e->st[ST_TXN_PRUNE], 1, (sqlite3_int64)acked);
        int r = run(e, ST_TXN_PRUNE);
        if (r == 0)
                e->pruned = acked;
        return r;
}

/* Tests end the process here, as suddenly as a SIGKILL: nothing is flushed, no lock given back by us. */
static void failpoint(struct engine *e, const char *here)
{
        if (streq(e->fail, here))
                _exit(137);
}

static int write_group(struct engine *e, const struct wire_commit *commits, size_t n,
                       struct store_result *results)
{
        int r = run(e, ST_BEGIN);
        for (size_t i = 0; i < n && r == 0; i++)
                r = apply(e, &commits[i], &results[i]);
        if (r == 0)
                r = prune(e, commits[n - 1].acked);
        if (r < 0)
                return r;
        failpoint(e, "commit-before");
        r = run(e, ST_COMMIT);
        failpoint(e, "commit-after");
        return r;
}

/* -ENOSPC: nothing of the group is stored. Anything else negative: nobody knows. */
static int try_group(struct engine *e, const struct wire_commit *commits, size_t n,
                     struct store_result *results)
{
        uint64_t rev = e->rev, pruned = e->pruned;
        int r = write_group(e, commits, n, results);
        if (r == 0)
                return 0;
        e->rev = rev;
        e->pruned = pruned;
        if (!sqlite3_get_autocommit(e->db) && run(e, ST_ROLLBACK) < 0)
                return -EIO;
        return r;
}

static int checkpoint(struct engine *e, int mode)
{
        int r = engine_errno(e, sqlite3_wal_checkpoint_v2(e->db, NULL, mode, NULL, NULL));
        if (r == 0) {
                e->wal_pages = 0;
                reserve_make();
        }
        return r;
}

/*
 * A full disk: emptying the log lets it be written again from its start, where it needs no new blocks. Then
 * each transaction alone, so that a small one is not refused for a large neighbour's sake.
 */
static int commit_one_by_one(struct engine *e, const struct wire_commit *commits, size_t n,
                             struct store_result *results)
{
        int r = checkpoint(e, SQLITE_CHECKPOINT_RESTART);
        if (r < 0 && r != -ENOSPC)
                return r;
        for (size_t i = 0; i < n; i++) {
                r = try_group(e, &commits[i], 1, &results[i]);
                if (r == -ENOSPC && commits[i].is_urgent && reserve_release())
                        r = try_group(e, &commits[i], 1, &results[i]);
                if (r == -ENOSPC)
                        results[i] = (struct store_result){ .r = -ENOSPC };
                else if (r < 0)
                        return r;
        }
        return 0;
}

int engine_commit(struct engine *e, const struct wire_commit *commits, size_t n,
                  struct store_result *ret_results)
{
        int r = try_group(e, commits, n, ret_results);
        return r == -ENOSPC ? commit_one_by_one(e, commits, n, ret_results) : r;
}

int engine_settle(struct engine *e)
{
        return checkpoint(e, SQLITE_CHECKPOINT_TRUNCATE);
}

int engine_resolve(struct engine *e, uint64_t id, struct store_result *ret)
{
        sqlite3_stmt *st = e->st[ST_TXN_FIND];
        sqlite3_bind_int64(st, 1, (sqlite3_int64)id);
        int r = step(e, ST_TXN_FIND);
        *ret = r > 0 ? (struct store_result){ .rev = column_u64(st, 0) }
                     : (struct store_result){ .r = -EHOSTDOWN };
        sqlite3_reset(st);
        return MIN(r, 0);
}

int engine_tidy(struct engine *e)
{
        if (e->wal_pages < TIDY_PAGES)
                return 0;
        int r = checkpoint(e, SQLITE_CHECKPOINT_PASSIVE);
        return r == -ENOSPC ? 0
                            : r; /* the log goes on growing, or the next commit says that the disk is full */
}

const char *engine_message(struct engine *e)
{
        return sqlite3_errmsg(e->db);
}
