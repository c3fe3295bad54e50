/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/fd.h"
#include "store/engine-internal.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#define TEXT_(x) #x
#define TEXT(x) TEXT_(x)

static const char tables[] =
        "BEGIN IMMEDIATE;"
        "CREATE TABLE objects (kind TEXT NOT NULL, project TEXT NOT NULL, name TEXT NOT NULL, rev INTEGER "
        "NOT NULL,"
        " schema INTEGER NOT NULL, json TEXT NOT NULL, PRIMARY KEY (kind, project, name)) WITHOUT ROWID;"
        "CREATE TABLE txns (id INTEGER PRIMARY KEY, rev INTEGER NOT NULL);"
        "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;"
        "INSERT INTO meta VALUES ('format', '" TEXT(ENGINE_FORMAT) "'), ('did', '%u');"
                                                                   "COMMIT";

static int failed(struct engine *e, int r, const char *what, struct error *err)
{
        r = error_set_errno(err, r, "%s (%s)", what, sqlite3_errmsg(e->db));
        error_hint(err, "Copies made before upgrades lie beside it as " ENGINE_FILE ".<date>");
        return r;
}

/* The first column of the first row as a number; -ENODATA without a row. */
static int query_int(struct engine *e, const char *text, int64_t *ret)
{
        sqlite3_stmt *st = NULL;
        int rc = sqlite3_prepare_v2(e->db, text, -1, &st, NULL);
        if (rc == SQLITE_OK)
                rc = sqlite3_step(st);
        if (rc == SQLITE_ROW)
                *ret = sqlite3_column_int64(st, 0);
        int r = rc == SQLITE_DONE ? -ENODATA : engine_errno(e, rc);
        sqlite3_finalize(st);
        return r;
}

static uint32_t new_did(void)
{
        uint32_t v = 0;
        if (getrandom(&v, sizeof v, 0) != sizeof v)
                abort();
        return v % 0xfffff + 1; /* 20 bits, never 0 */
}

static int create(struct engine *e)
{
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        strbuf_addf(&text, tables, new_did());
        int r = engine_exec(e, text.data);
        if (r < 0 && !sqlite3_get_autocommit(e->db))
                engine_exec(e, "ROLLBACK");
        return r;
}

static int refuse_newer(const char *place, struct error *err)
{
        error_set(err, ERR_WRONG_STATE, "The database in \"%s\" was written by a newer release", place);
        error_hint(err, "Install that release again; the database was not changed");
        return error_errno(ERR_WRONG_STATE);
}

/* Before anything is written: whose database is this? */
static int check_format(struct engine *e, const char *place, bool *ret_is_new, struct error *err)
{
        int64_t n = 0;
        int r = query_int(e, "SELECT count(*) FROM sqlite_master", &n);
        if (r < 0)
                return r;
        *ret_is_new = n == 0;
        if (n == 0)
                return 0;
        r = query_int(e, "SELECT value + 0 FROM meta WHERE key = 'format'", &n);
        if (r < 0)
                return r;
        if (n > ENGINE_FORMAT)
                return refuse_newer(place, err);
        return 0;
}

/* Counts the objects whose text is older than this release's; one that is newer refuses the whole database.
 */
static int check_schemas(struct engine *e, const char *place, bool *ret_has_old, struct error *err)
{
        sqlite3_stmt *st = NULL;
        int rc = sqlite3_prepare_v2(e->db, "SELECT DISTINCT kind, schema FROM objects", -1, &st, NULL), r = 0;
        if (rc != SQLITE_OK)
                return engine_errno(e, rc);
        while (r == 0 && (rc = sqlite3_step(st)) == SQLITE_ROW) {
                int newest = migrate_newest(e->table, (const char *)sqlite3_column_text(st, 0));
                int schema = sqlite3_column_int(st, 1);
                if (schema > newest)
                        r = refuse_newer(place, err);
                *ret_has_old |= schema < newest;
        }
        sqlite3_finalize(st);
        return r < 0 ? r : engine_errno(e, rc);
}

static int is_copy(const struct dirent *entry)
{
        return str_starts(entry->d_name, ENGINE_FILE ".") && str_ends(entry->d_name, "Z");
}

static int remove_old_copies(void)
{
        struct dirent **names;
        int n = scandir(".", &names, is_copy, alphasort); /* the date makes the oldest first */
        if (n < 0)
                return -errno;
        for (int i = 0; i < n; i++) {
                if (i < n - ENGINE_COPIES)
                        unlink(names[i]->d_name);
                free(names[i]);
        }
        free(names);
        return 0;
}

static int sync_path(const char *path, int flags)
{
        _cleanup_close_ int fd = open(path, flags | O_CLOEXEC);
        return fd < 0 || fsync(fd) < 0 ? -errno : 0;
}

/* SQLite writes the copy without syncing it. */
static int copy_database(struct engine *e)
{
        static const char temporary[] = ENGINE_FILE ".new-copy";
        char name[64];
        struct timespec now;
        struct tm tm;
        clock_gettime(CLOCK_REALTIME, &now);
        gmtime_r(&now.tv_sec, &tm);
        size_t n = strftime(name, sizeof name, ENGINE_FILE ".%Y%m%dT%H%M%S", &tm);
        snprintf(name + n, sizeof name - n, ".%09ldZ", now.tv_nsec);
        unlink(temporary);
        int r = engine_exec(e, "VACUUM INTO '" ENGINE_FILE ".new-copy'");
        if (r == 0)
                r = sync_path(temporary, O_RDONLY);
        if (r == 0 && rename(temporary, name) < 0)
                r = -errno;
        if (r == 0)
                r = sync_path(".", O_RDONLY | O_DIRECTORY);
        return r < 0 ? r : remove_old_copies();
}

static int migrate_text(struct engine *e, const char *kind, int schema, const char *text, char **ret,
                        struct error *err)
{
        _cleanup_json_ struct json_object *body = NULL;
        int r = json_parse(text, strlen(text), &body, err);
        if (r == 0 && !json_object_is_type(body, json_type_object))
                r = error_set(err, ERR_INTERNAL, "The stored text is no JSON object");
        if (r == 0)
                r = migrate_body(e->table, kind, schema, body, err);
        if (r < 0)
                return r;
        *ret = xstrdup(json_text(body));
        return strlen(*ret) > STORE_JSON_MAX ? -EFBIG : 0;
}

static int migrate_row(struct engine *e, sqlite3_stmt *row, sqlite3_stmt *update, struct error *err)
{
        const char *kind = (const char *)sqlite3_column_text(row, 0),
                   *name = (const char *)sqlite3_column_text(row, 2);
        _cleanup_free_ char *text = NULL;
        int schema = sqlite3_column_int(row, 3), newest = migrate_newest(e->table, kind);
        if (schema == newest)
                return 0;
        int r = migrate_text(e, kind, schema, (const char *)sqlite3_column_text(row, 4), &text, err);
        if (r < 0)
                return error_prefix(err, "Upgrading %s \"%s\"", kind, name);
        for (int i = 0; i < 3; i++)
                sqlite3_bind_value(update, i + 1, sqlite3_column_value(row, i));
        sqlite3_bind_int(update, 4, newest);
        sqlite3_bind_text(update, 5, text, -1, SQLITE_STATIC);
        int rc = sqlite3_step(update);
        sqlite3_reset(update);
        sqlite3_clear_bindings(update);
        return engine_errno(e, rc);
}

/* Only columns outside the key change, so the walk is not disturbed by its own updates. */
static int migrate_rows(struct engine *e, struct error *err)
{
        sqlite3_stmt *rows = NULL, *update = NULL;
        int r = 0;
        int rc = sqlite3_prepare_v2(e->db, "SELECT kind, project, name, schema, json FROM objects", -1, &rows,
                                    NULL);
        if (rc == SQLITE_OK)
                rc = sqlite3_prepare_v2(e->db,
                                        "UPDATE objects SET schema = ?4, json = ?5"
                                        " WHERE kind = ?1 AND project = ?2 AND name = ?3",
                                        -1, &update, NULL);
        while (rc == SQLITE_OK && r == 0 && (rc = sqlite3_step(rows)) == SQLITE_ROW) {
                r = migrate_row(e, rows, update, err);
                rc = SQLITE_OK;
        }
        sqlite3_finalize(rows);
        sqlite3_finalize(update);
        return r < 0 ? r : engine_errno(e, rc);
}

static int migrate(struct engine *e, struct error *err)
{
        int r = copy_database(e);
        if (r < 0)
                return error_set_errno(err, r, "Copying the database before its upgrade failed");
        r = engine_exec(e, "BEGIN IMMEDIATE");
        if (r == 0)
                r = migrate_rows(e, err);
        if (r == 0)
                r = engine_exec(e, "COMMIT");
        if (r < 0 && !sqlite3_get_autocommit(e->db))
                engine_exec(e, "ROLLBACK");
        return r;
}

static int on_wal(void *data, sqlite3 *db _unused_, const char *name _unused_, int pages)
{
        ((struct engine *)data)->wal_pages = pages;
        return SQLITE_OK;
}

/*
 * Exclusive locking before the first access: SQLite then keeps the log's index in its own memory, and there
 * is no shared mapping whose page could be missing on a full disk. Pages are not spilled before COMMIT, so
 * that a full disk shows there and nowhere else. Some builds of SQLite zero every freed page: then a delete
 * would write as much as it frees, which a full disk does not allow. The log is emptied by us, after the
 * answers (engine_tidy).
 */
static int configure(struct engine *e)
{
        sqlite3_wal_hook(e->db, on_wal, e);
        return engine_exec(
                e, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_spill = OFF;"
                   "PRAGMA temp_store = MEMORY; PRAGMA secure_delete = FAST; PRAGMA trusted_schema = OFF;"
                   "PRAGMA journal_size_limit = 16777216");
}

static int open_for_good(struct engine *e, bool is_new, bool has_old, struct error *err)
{
        int64_t did = 0;
        int r = configure(e);
        if (r == 0 && is_new)
                r = create(e);
        if (r == 0 && has_old)
                r = migrate(e, err);
        if (r == 0)
                r = engine_prepare(e);
        if (r == 0)
                r = engine_read_counters(e);
        if (r == 0)
                r = query_int(e, "SELECT value + 0 FROM meta WHERE key = 'did'", &did);
        e->did = (uint32_t)did;
        if (r == 0) {
                r = engine_settle(e);
                r = r == -ENOSPC ? 0 : r; /* a full disk must not keep the daemon from starting */
        }
        return r;
}

int engine_open(const char *place, const struct migration *table, struct engine **ret, struct error *err)
{
        _cleanup_(engine_closep) struct engine *e = xnew(struct engine);
        bool is_new = false, has_old = false;
        *e = (struct engine){ .table = table, .fail = getenv("LIGHTD_STORE_FAIL") };
        error_done(err);
        const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
        int rc = sqlite3_open_v2(ENGINE_FILE, &e->db, flags, NULL);
        int r = engine_errno(e, rc);
        if (r == 0)
                r = engine_exec(e, "PRAGMA locking_mode = EXCLUSIVE");
        if (r == 0)
                r = check_format(e, place, &is_new, err);
        if (r == 0 && !is_new)
                r = check_schemas(e, place, &has_old, err);
        if (r < 0) /* not ours (yet): closing must not move a log into it */
                sqlite3_db_config(e->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        else
                r = open_for_good(e, is_new, has_old, err);
        if (r < 0) {
                _cleanup_free_ char *what = xasprintf("The database in \"%s\" cannot be used", place);
                return err && err->code ? r : failed(e, r, what, err);
        }
        *ret = TAKE_PTR(e);
        return 0;
}

struct engine *engine_close(struct engine *e)
{
        if (!e)
                return NULL;
        for (int i = 0; i < _ST_MAX; i++)
                sqlite3_finalize(e->st[i]);
        sqlite3_close(e->db);
        free(e);
        return NULL;
}
