/* SPDX-License-Identifier: Apache-2.0 */
/* links: store */
/* What only the engine on disk promises: it is there after a restart, and it says so only then. */
#include "tests/lib/store-test.h"
#include "base/fd.h"

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/mount.h>

/* libsqlite3 finds this instead of libc's: a file "break-sync" in the database's directory is a disk that
 * fails once. */
int fdatasync(int fd)
{
        if (unlink("break-sync") == 0)
                return errno = EIO, -1;
        return fsync(fd);
}

TEST(what_was_stored_is_loaded_in_order)
{
        _cleanup_dir_ struct test_dir dir = test_dir_new();
        struct loaded l;
        struct store *s = open_and_load(dir.path, &l);
        ASSERT_OK(put_now(s, "b", STORE_REV_NEW, "{\"b\":1}", NULL));
        ASSERT_OK(put_now(s, "a", STORE_REV_NEW, "{\"unknown\":true}", NULL));
        ASSERT_OK(put_now(s, "b", 1, "{\"b\":2}", NULL));
        uint32_t did = store_did(s);
        store_free(s);
        s = open_and_load(dir.path, &l);
        ASSERT_OK(l.r);
        ASSERT_STR(strbuf_str(&l.text),
                   "thing/default/a@2 {\"unknown\":true}\nthing/default/b@3 {\"b\":2}\n");
        ASSERT_EQ(store_did(s), did);
        uint64_t rev;
        ASSERT_OK(put_now(s, "c", STORE_REV_NEW, "{}", &rev));
        ASSERT_EQ(rev, 4);
        strbuf_done(&l.text);
        store_free(s);
}

TEST(files_are_private_and_there_is_no_shared_memory)
{
        _cleanup_dir_ struct test_dir dir = test_dir_new();
        struct loaded l;
        struct stat st;
        _cleanup_free_ char *path = xasprintf("%s/database", dir.path),
                            *shm = xasprintf("%s/lightd.db-shm", path);
        struct store *s = open_and_load(path, &l);
        ASSERT_OK(put_now(s, "a", STORE_REV_NEW, "{}", NULL));
        ASSERT_OK(stat(path, &st));
        ASSERT_EQ(st.st_mode & 07777, 0700);
        DIR *d = opendir(path);
        for (struct dirent *e; (e = readdir(d));)
                if (e->d_name[0] != '.') {
                        ASSERT_OK(fstatat(dirfd(d), e->d_name, &st, 0));
                        ASSERT_EQ(st.st_mode & 07777, 0600);
                }
        closedir(d);
        ASSERT_TRUE(access(shm, F_OK) < 0);
        store_free(s);
}

/* "CapEff:\t…" of the child, from its status file. */
static void status_field(pid_t pid, const char *field, char value[static 64])
{
        _cleanup_free_ char *path = xasprintf("/proc/%d/status", pid);
        FILE *f = fopen(path, "re");
        char line[256];
        value[0] = '\0';
        while (f && fgets(line, sizeof line, f))
                if (str_starts(line, field))
                        snprintf(value, 64, "%.*s", (int)strcspn(line + strlen(field) + 1, "\n"),
                                 line + strlen(field) + 1);
        if (f)
                fclose(f);
}

TEST(the_child_has_no_privilege)
{
        _cleanup_dir_ struct test_dir dir = test_dir_new();
        struct loaded l;
        char value[64], root[4096];
        struct store *s = open_and_load(dir.path, &l);
        _cleanup_free_ char *link = xasprintf("/proc/%d/root", store_child_pid(s));
        status_field(store_child_pid(s), "CapEff:", value);
        ASSERT_STR(value, "0000000000000000");
        status_field(store_child_pid(s), "CapPrm:", value);
        ASSERT_STR(value, "0000000000000000");
        status_field(store_child_pid(s), "NoNewPrivs:", value);
        ASSERT_STR(value, "1");
        status_field(store_child_pid(s), "Seccomp:", value);
        ASSERT_STR(value, "2");
        ssize_t n = readlink(link, root, sizeof root - 1);
        ASSERT_TRUE(n > 0);
        root[n] = '\0';
        if (geteuid() == 0)
                ASSERT_STR(root, dir.path);
        store_free(s);
}

TEST(two_daemons_cannot_have_one_database)
{
        _cleanup_dir_ struct test_dir dir = test_dir_new();
        struct loaded l;
        _cleanup_free_ char *path = xasprintf("%s/lightd.db", dir.path);
        struct store *s = open_and_load(dir.path, &l);
        sqlite3 *db;
        ASSERT_EQ(sqlite3_open(path, &db), SQLITE_OK);
        ASSERT_EQ(sqlite3_exec(db, "SELECT * FROM objects", NULL, NULL, NULL), SQLITE_BUSY);
        sqlite3_close(db);
        store_free(s);
}

static void alter(const char *dir, const char *sql)
{
        _cleanup_free_ char *path = xasprintf("%s/lightd.db", dir);
        sqlite3 *db;
        ASSERT_EQ(sqlite3_open(path, &db), SQLITE_OK);
        ASSERT_EQ(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(db);
}

static void read_database(const char *dir, struct strbuf *out)
{
        _cleanup_close_ int fd = open(dir, O_PATH | O_CLOEXEC);
        ASSERT_OK(path_read_file(fd, "lightd.db", MiB(16), out));
}

static void refuses_untouched(const char *sql, int want, const char *words)
{
        _cleanup_dir_ struct test_dir dir = test_dir_new();
        _cleanup_strbuf_ struct strbuf before = STRBUF_INIT, after = STRBUF_INIT;
        struct loaded l;
        struct store *s = open_and_load(dir.path, &l);
        ASSERT_OK(put_now(s, "a", STORE_REV_NEW, "{}", NULL));
        store_free(s);
        alter(dir.path, sql);
        read_database(dir.path, &before);
        s = open_and_load(dir.path, &l);
        ASSERT_EQ(l.r, want);
        ASSERT_CONTAINS(l.message, words);
        ASSERT_FALSE(store_is_up(s));
        store_free(s);
        read_database(dir.path, &after);
        ASSERT_EQ(before.len, after.len);
        ASSERT_EQ(memcmp(before.data, after.data, after.len), 0);
}

TEST(a_newer_format_is_refused_untouched)
{
        refuses_untouched("UPDATE meta SET value = '99' WHERE key = 'format'", -EBADFD,
                          "written by a newer release");
}

TEST(a_newer_schema_is_refused_untouched)
{
        refuses_untouched("UPDATE objects SET schema = 99", -EBADFD, "written by a newer release");
}

TEST(a_file_that_is_no_database_is_refused)
{
        _cleanup_dir_ struct test_dir dir = test_dir_new();
        _cleanup_close_ int fd = open(dir.path, O_PATH | O_CLOEXEC);
        char junk[8192];
        struct loaded l;
        memset(junk, 'j', sizeof junk);
        ASSERT_OK(path_write_atomic(fd, "lightd.db", junk, sizeof junk, 0600));
        struct store *s = open_and_load(dir.path, &l);
        ASSERT_EQ(l.r, -EIO);
        ASSERT_CONTAINS(l.message, "not a database");
        store_free(s);
}

TEST(a_directory_that_cannot_be_made_is_named)
{
        struct loaded l;
        struct store *s = open_and_load("/nowhere/at/all", &l);
        ASSERT_EQ(l.r, -ENOENT);
        ASSERT_CONTAINS(l.message, "\"/nowhere/at/all\"");
        store_free(s);
}

struct states {
        int downs, ups;
        char why[512];
};

static void note_state(void *data, bool is_up, const char *why)
{
        struct states *st = data;
        *(is_up ? &st->ups : &st->downs) += 1;
        if (!is_up)
                snprintf(st->why, sizeof st->why, "%s", why);
}

static struct store *open_watched(const char *dir, struct states *states)
{
        struct store_options options = { .dir = dir, .on_state = note_state, .data = states };
        struct store *s = NULL;
        struct loaded l;
        ASSERT_OK(store_open(&options, &s, NULL));
        ASSERT_OK(load_now(s, &l));
        strbuf_done(&l.text);
        return s;
}

static void wait_up(struct store *s)
{
        while (!store_is_up(s))
                ASSERT_OK(store_poll(s, TEST_PATIENCE_MS));
}

/* The child dies around its first commit; the owner is told the truth either way. */
static void survives(const char *failpoint, int want)
{
        _cleanup_dir_ struct test_dir dir = test_dir_new();
        struct states states = { 0 };
        setenv("LIGHTD_STORE_FAIL", failpoint, 1);
        struct store *s = open_watched(dir.path, &states);
        ASSERT_TRUE(getenv("LIGHTD_STORE_FAIL") == NULL);
        ASSERT_EQ(put_now(s, "a", STORE_REV_NEW, "{}", NULL), want);
        wait_up(s);
        ASSERT_EQ(states.downs, 1);
        ASSERT_EQ(states.ups, 1);
        ASSERT_EQ(put_now(s, "a", STORE_REV_NEW, "{}", NULL), want == 0 ? -EEXIST : 0);
        store_free(s);
}

TEST(a_child_lost_before_its_commit_stored_nothing)
{
        survives("commit-before", -EHOSTDOWN);
}

TEST(a_child_lost_after_its_commit_stored_it)
{
        survives("commit-after", 0);
}

TEST(a_read_only_store_refuses_at_once)
{
        _cleanup_dir_ struct test_dir dir = test_dir_new();
        struct states states = { 0 };
        struct store *s = open_watched(dir.path, &states);
        kill(store_child_pid(s), SIGKILL);
        while (states.downs == 0)
                ASSERT_OK(store_poll(s, TEST_PATIENCE_MS));
        ASSERT_FALSE(store_is_up(s));
        ASSERT_EQ(put_now(s, "a", STORE_REV_NEW, "{}", NULL), -EHOSTDOWN);
        wait_up(s);
        ASSERT_OK(put_now(s, "a", STORE_REV_NEW, "{}", NULL));
        store_free(s);
}

TEST(a_failed_sync_is_no_success)
{
        _cleanup_dir_ struct test_dir dir = test_dir_new();
        struct states states = { 0 };
        struct loaded l;
        _cleanup_free_ char *path = xasprintf("%s/break-sync", dir.path);
        struct store *s = open_watched(dir.path, &states);
        ASSERT_OK(put_now(s, "before", STORE_REV_NEW, "{}", NULL));
        fd_close(open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
        int r = put_now(s, "during", STORE_REV_NEW, "{}", NULL);
        ASSERT_EQ(states.downs, 1);
        ASSERT_CONTAINS(states.why, "I/O error");
        ASSERT_TRUE(r == 0 || r == -EHOSTDOWN);
        wait_up(s);
        ASSERT_OK(put_now(s, "after", STORE_REV_NEW, "{}", NULL));
        store_free(s);
        s = open_and_load(dir.path, &l);
        ASSERT_EQ(l.n, r == 0 ? 3 : 2);
        strbuf_done(&l.text);
        store_free(s);
}

/*
 * A private mount namespace with a tmpfs of 2 MiB. Small commits still work after a large one was refused, a
 * delete makes room, and everything answered is there after a restart on the full disk.
 */
TEST(a_full_disk_refuses_and_goes_on)
{
        if (geteuid() != 0 || unshare(CLONE_NEWNS) < 0)
                skip();
        _cleanup_dir_ struct test_dir dir = test_dir_new();
        struct loaded l;
        ASSERT_OK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
        ASSERT_OK(mount("tmpfs", dir.path, "tmpfs", 0, "size=2m"));
        _cleanup_free_ char *path = xasprintf("%s/db", dir.path), *text = xmalloc(100001);
        memset(text, '1', 100000);
        text[100000] = '\0';
        struct store *s = open_and_load(path, &l);
        ASSERT_OK(l.r);
        size_t stored = 0, refused = 0;
        for (int i = 0; i < 40; i++) {
                char name[16];
                snprintf(name, sizeof name, "n%d", i);
                int r = put_now(s, name, STORE_REV_NEW, text, NULL);
                ASSERT_TRUE(r == 0 || r == -ENOSPC);
                stored += r == 0;
                refused += r != 0;
        }
        ASSERT_TRUE(stored >= 5 && refused >= 5);
        ASSERT_TRUE(store_is_up(s));
        pid_t pid = store_child_pid(s);
        struct store_txn *txn = store_txn_new();
        for (int i = 0; i < 3; i++) {
                char name[16];
                snprintf(name, sizeof name, "n%d", i);
                store_txn_delete(txn, "thing", "default", name, STORE_REV_ANY);
        }
        ASSERT_OK(commit_now(s, txn, NULL));
        ASSERT_OK(put_now(s, "small", STORE_REV_NEW, "{}", NULL));
        ASSERT_EQ(store_child_pid(s), pid);
        store_free(s);
        s = open_and_load(path, &l);
        ASSERT_OK(l.r);
        ASSERT_EQ(l.n, stored - 3 + 1);
        ASSERT_OK(put_now(s, "again", STORE_REV_NEW, "{}", NULL));
        store_free(s);
        strbuf_done(&l.text);
        ASSERT_OK(umount2(dir.path, MNT_DETACH));
}
