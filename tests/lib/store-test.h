/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of the store: the program is its own store child when it is run with "--store", and helpers that
 * turn the asynchronous calls into waiting ones.
 */
#pragma once

#include "base/alloc.h"
#include "base/path.h"
#include "store/child.h"
#include "store/store.h"
#include "tests/lib/test.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define TEST_PATIENCE_MS 20000

__attribute__((constructor(101))) static void become_store_child(int argc, char **argv)
{
        if (argc == 2 && streq(argv[1], "--store"))
                _exit(store_child_run()); /* no leak check at exit: it would need system calls the child gave
                                             up */
}

struct outcome {
        bool is_done;
        struct store_result result;
};

static inline void note_outcome(void *data, const struct store_result *result)
{
        struct outcome *o = data;
        assert_false(o->is_done);
        *o = (struct outcome){ true, *result };
}

static inline int await(struct store *s, struct outcome *o)
{
        while (!o->is_done)
                if (store_poll(s, TEST_PATIENCE_MS) == -ETIMEDOUT)
                        fail_msg("no answer from the store");
        return o->result.r;
}

/* Commits and waits: the result's code, or the refusal. */
static inline int commit_now(struct store *s, struct store_txn *take_txn, struct store_result *ret)
{
        struct outcome o = { 0 };
        int r = store_commit(s, take_txn, note_outcome, &o);
        if (r == 0)
                r = await(s, &o);
        if (ret)
                *ret = o.result;
        return r;
}

static inline int put_now(struct store *s, const char *name, uint64_t expect, const char *json,
                          uint64_t *ret_rev)
{
        struct store_txn *txn = store_txn_new();
        struct store_result result = { 0 };
        store_txn_put(txn, "thing", "default", name, expect, json);
        int r = commit_now(s, txn, &result);
        if (ret_rev)
                *ret_rev = result.rev;
        return r;
}

/* What a load gave: records as lines "kind/project/name@rev json". */
struct loaded {
        bool is_done;
        int r;
        size_t n;
        struct strbuf text;
        char message[512];
};

static inline void note_record(void *data, const struct store_record *record)
{
        struct loaded *l = data;
        l->n++;
        if (strlen(record->json) < 1000)
                strbuf_addf(&l->text, "%s/%s/%s@%lu %s\n", record->kind, record->project, record->name,
                            (unsigned long)record->rev, record->json);
}

static inline void note_loaded(void *data, int r, const struct error *err)
{
        struct loaded *l = data;
        l->is_done = true;
        l->r = r;
        snprintf(l->message, sizeof l->message, "%s", err ? error_message(err) : "");
}

static inline int load_now(struct store *s, struct loaded *l)
{
        *l = (struct loaded){ 0 };
        store_load(s, note_record, note_loaded, l);
        while (!l->is_done)
                if (store_poll(s, TEST_PATIENCE_MS) == -ETIMEDOUT)
                        fail_msg("the store was not loaded");
        return l->r;
}

static inline struct store *open_and_load(const char *dir, struct loaded *ret)
{
        struct store_options options = { .dir = dir };
        struct store *s = NULL;
        ASSERT_OK(store_open(&options, &s, NULL));
        load_now(s, ret);
        return s;
}

struct test_dir {
        char path[64];
};

static inline struct test_dir test_dir_new(void)
{
        struct test_dir d = { "/tmp/store-test-XXXXXX" };
        assert_non_null(mkdtemp(d.path));
        return d;
}

static inline void test_dir_remove(struct test_dir *d)
{
        path_remove_tree(AT_FDCWD, d->path);
}
#define _cleanup_dir_ _cleanup_(test_dir_remove)
