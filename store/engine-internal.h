/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine's two files share: sqlite.c (its life) and sqlite-open.c (its birth). */
#pragma once

#include "store/sqlite.h"

#include <sqlite3.h>

enum statement {
        ST_BEGIN,
        ST_COMMIT,
        ST_ROLLBACK,
        ST_SAVE,
        ST_BACK,
        ST_RELEASE,
        ST_REV,
        ST_PUT,
        ST_DELETE,
        ST_TXN_ADD,
        ST_TXN_FIND,
        ST_TXN_PRUNE,
        ST_TXN_LAST,
        ST_LOAD,
        _ST_MAX,
};

struct engine {
        sqlite3 *db;
        sqlite3_stmt *st[_ST_MAX];
        const struct migration *table;
        const char *fail;      /* LIGHTD_STORE_FAIL: tests only */
        uint64_t rev, next_id; /* of the newest transaction; one past its id when the engine was opened */
        uint64_t pruned;       /* txns below this are forgotten */
        uint32_t did;
        int wal_pages;
};

int engine_errno(struct engine *e, int rc); /* SQLite's code as a negative errno; 0 for OK, ROW and DONE */
int engine_exec(struct engine *e, const char *text);
int engine_prepare(struct engine *e);
int engine_read_counters(struct engine *e);
