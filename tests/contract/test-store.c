/* SPDX-License-Identifier: Apache-2.0 */
/* links: store */
/* The rules of store/store.h, held against every engine. */
#include "tests/lib/store-test.h"

struct engine_under_test {
        const char *name;
        struct store *(*open)(const char *dir);
};

static struct store *open_sqlite(const char *dir)
{
        struct store_options options = { .dir = dir };
        struct store *s = NULL;
        ASSERT_OK(store_open(&options, &s, NULL));
        return s;
}

static struct store *open_memory(const char *dir _unused_)
{
        return store_memory_new(2);
}

static const struct engine_under_test engines[] = { { "sqlite", open_sqlite }, { "memory", open_memory } };

/* CASE(name) { … } is a test per engine with an empty, loaded store `s`. */
#define CASE(name)                                                                                           \
        static void case_##name(struct store *s);                                                            \
        TEST(sqlite_##name)                                                                                  \
        {                                                                                                    \
                run_case(&engines[0], case_##name);                                                          \
        }                                                                                                    \
        TEST(memory_##name)                                                                                  \
        {                                                                                                    \
                run_case(&engines[1], case_##name);                                                          \
        }                                                                                                    \
        static void case_##name(struct store *s)

static void run_case(const struct engine_under_test *e, void (*fn)(struct store *s))
{
        _cleanup_dir_ struct test_dir dir = test_dir_new();
        struct loaded l;
        struct store *s = e->open(dir.path);
        ASSERT_OK(load_now(s, &l));
        ASSERT_EQ(l.n, 0);
        fn(s);
        strbuf_done(&l.text);
        store_free(s);
}

CASE(a_put_is_answered_with_its_revision)
{
        uint64_t rev;
        ASSERT_OK(put_now(s, "a", STORE_REV_NEW, "{}", &rev));
        ASSERT_EQ(rev, 1);
        ASSERT_OK(put_now(s, "a", rev, "{\"x\":1}", &rev));
        ASSERT_EQ(rev, 2);
}

CASE(no_answer_comes_from_inside_commit)
{
        struct outcome o = { 0 };
        struct store_txn *txn = store_txn_new();
        store_txn_put(txn, "thing", "", "a", STORE_REV_NEW, "{}");
        ASSERT_OK(store_commit(s, txn, note_outcome, &o));
        ASSERT_FALSE(o.is_done);
        ASSERT_EQ(store_pending(s), 1);
        ASSERT_OK(await(s, &o));
        ASSERT_EQ(store_pending(s), 0);
}

CASE(new_refuses_what_exists)
{
        ASSERT_OK(put_now(s, "a", STORE_REV_NEW, "{}", NULL));
        ASSERT_ERR(put_now(s, "a", STORE_REV_NEW, "{}", NULL), -EEXIST);
}

CASE(an_old_revision_is_stale)
{
        uint64_t first, second;
        ASSERT_OK(put_now(s, "a", STORE_REV_NEW, "{}", &first));
        ASSERT_OK(put_now(s, "a", first, "{}", &second));
        ASSERT_ERR(put_now(s, "a", first, "{}", NULL), -ESTALE);
        ASSERT_OK(put_now(s, "a", second, "{}", NULL));
}

CASE(a_revision_of_what_is_absent_is_not_found)
{
        ASSERT_ERR(put_now(s, "a", 7, "{}", NULL), -ENOENT);
}

CASE(any_puts_whatever_was_there)
{
        ASSERT_OK(put_now(s, "a", STORE_REV_ANY, "{}", NULL));
        ASSERT_OK(put_now(s, "a", STORE_REV_ANY, "{}", NULL));
}

static int delete_now(struct store *s, const char *name, uint64_t expect)
{
        struct store_txn *txn = store_txn_new();
        store_txn_delete(txn, "thing", "default", name, expect);
        return commit_now(s, txn, NULL);
}

CASE(a_delete_expects_like_a_put)
{
        uint64_t rev;
        ASSERT_OK(put_now(s, "a", STORE_REV_NEW, "{}", &rev));
        ASSERT_ERR(delete_now(s, "a", rev + 1), -ESTALE);
        ASSERT_OK(delete_now(s, "a", rev));
        ASSERT_ERR(delete_now(s, "a", rev), -ENOENT);
        ASSERT_OK(delete_now(s, "a", STORE_REV_ANY));
}

CASE(a_deleted_and_recreated_object_has_a_new_revision)
{
        uint64_t first, again;
        ASSERT_OK(put_now(s, "a", STORE_REV_NEW, "{}", &first));
        ASSERT_OK(delete_now(s, "a", first));
        ASSERT_OK(put_now(s, "a", STORE_REV_NEW, "{}", &again));
        ASSERT_TRUE(again > first);
        ASSERT_ERR(put_now(s, "a", first, "{}", NULL), -ESTALE);
}

CASE(a_transaction_is_all_or_nothing)
{
        struct store_result result;
        struct store_txn *txn = store_txn_new();
        ASSERT_OK(put_now(s, "b", STORE_REV_NEW, "{}", NULL));
        store_txn_put(txn, "thing", "default", "a", STORE_REV_NEW, "{}");
        store_txn_delete(txn, "thing", "default", "b", STORE_REV_ANY);
        store_txn_put(txn, "thing", "default", "c", 99, "{}");
        ASSERT_ERR(commit_now(s, txn, &result), -ENOENT);
        ASSERT_EQ(result.op, 2);
        ASSERT_OK(put_now(s, "a", STORE_REV_NEW, "{}", NULL));
        ASSERT_ERR(put_now(s, "b", STORE_REV_NEW, "{}", NULL), -EEXIST);
}

CASE(steps_see_the_steps_before_them)
{
        struct store_txn *txn = store_txn_new();
        store_txn_put(txn, "thing", "default", "a", STORE_REV_NEW, "{}");
        store_txn_delete(txn, "thing", "default", "a", STORE_REV_ANY);
        store_txn_put(txn, "thing", "default", "a", STORE_REV_NEW, "{}");
        store_txn_check(txn, "thing", "default", "a", STORE_REV_ANY);
        ASSERT_OK(commit_now(s, txn, NULL));
        txn = store_txn_new();
        store_txn_put(txn, "thing", "default", "a", STORE_REV_ANY, "{}");
        store_txn_delete(txn, "thing", "default", "a", STORE_REV_ANY);
        store_txn_check(txn, "thing", "default", "a", STORE_REV_ANY);
        ASSERT_ERR(commit_now(s, txn, NULL), -ENOENT);
        ASSERT_ERR(put_now(s, "a", STORE_REV_NEW, "{}", NULL), -EEXIST);
}

CASE(everything_put_together_has_one_revision)
{
        struct store_result result;
        struct store_txn *txn = store_txn_new();
        store_txn_put(txn, "thing", "default", "a", STORE_REV_NEW, "{}");
        store_txn_put(txn, "thing", "default", "b", STORE_REV_NEW, "{}");
        ASSERT_OK(commit_now(s, txn, &result));
        ASSERT_OK(put_now(s, "a", result.rev, "{}", NULL));
        ASSERT_OK(put_now(s, "b", result.rev, "{}", NULL));
}

static int check_now(struct store *s, const char *name, uint64_t expect)
{
        struct store_txn *txn = store_txn_new();
        store_txn_check(txn, "thing", "default", name, expect);
        return commit_now(s, txn, NULL);
}

CASE(a_check_changes_nothing)
{
        uint64_t rev;
        ASSERT_OK(put_now(s, "a", STORE_REV_NEW, "{}", &rev));
        ASSERT_OK(check_now(s, "a", rev));
        ASSERT_OK(check_now(s, "a", STORE_REV_ANY));
        ASSERT_OK(check_now(s, "b", STORE_REV_NEW));
        ASSERT_ERR(check_now(s, "a", STORE_REV_NEW), -EEXIST);
        ASSERT_ERR(check_now(s, "b", STORE_REV_ANY), -ENOENT);
        ASSERT_ERR(check_now(s, "a", rev + 1), -ESTALE);
        ASSERT_OK(check_now(s, "a", rev));
}

CASE(kind_project_and_name_are_three_things)
{
        struct store_txn *txn = store_txn_new();
        store_txn_put(txn, "a", "b", "c", STORE_REV_NEW, "{}");
        store_txn_put(txn, "ab", "", "c", STORE_REV_NEW, "{}");
        store_txn_put(txn, "a", "", "bc", STORE_REV_NEW, "{}");
        store_txn_put(txn, "a", "", "c", STORE_REV_NEW, "{}");
        store_txn_put(txn, "a", "", "C", STORE_REV_NEW, "{}");
        ASSERT_EQ(store_txn_count(txn), 5);
        ASSERT_OK(commit_now(s, txn, NULL));
}

CASE(an_empty_transaction_is_stored)
{
        ASSERT_OK(commit_now(s, store_txn_new(), NULL));
}

CASE(a_name_needs_a_length)
{
        ASSERT_ERR(put_now(s, "", STORE_REV_NEW, "{}", NULL), -EINVAL);
        char name[STORE_NAME_MAX + 2];
        memset(name, 'n', sizeof name - 1);
        name[sizeof name - 1] = '\0';
        ASSERT_ERR(put_now(s, name, STORE_REV_NEW, "{}", NULL), -EINVAL);
        ASSERT_OK(put_now(s, name + 1, STORE_REV_NEW, "{}", NULL));
}

static char *text_of(size_t n)
{
        char *text = xmalloc(n + 1);
        memset(text, 'x', n);
        text[0] = text[n - 1] = '"';
        text[n] = '\0';
        return text;
}

CASE(the_longest_text_fits_and_one_byte_more_does_not)
{
        _cleanup_free_ char *text = text_of(STORE_JSON_MAX + 1);
        ASSERT_ERR(put_now(s, "a", STORE_REV_NEW, text, NULL), -EFBIG);
        ASSERT_OK(put_now(s, "a", STORE_REV_NEW, text + 1, NULL));
}

CASE(a_transaction_too_long_is_refused)
{
        _cleanup_free_ char *text = text_of(STORE_JSON_MAX);
        struct store_txn *txn = store_txn_new();
        for (int i = 0; i < 4; i++)
                store_txn_put(txn, "thing", "", (char[]){ (char)('a' + i), '\0' }, STORE_REV_NEW, text);
        ASSERT_ERR(commit_now(s, txn, NULL), -EFBIG);
        ASSERT_OK(put_now(s, "a", STORE_REV_NEW, "{}", NULL));
}

CASE(answers_come_in_the_order_of_the_commits)
{
        struct outcome o[300] = { 0 };
        for (size_t i = 0; i < ARRAY_SIZE(o); i++) {
                struct store_txn *txn = store_txn_new();
                store_txn_put(txn, "thing", "", "same", STORE_REV_ANY, "{}");
                ASSERT_OK(store_commit(s, txn, note_outcome, &o[i]));
        }
        await(s, &o[ARRAY_SIZE(o) - 1]);
        for (size_t i = 0; i < ARRAY_SIZE(o); i++) {
                ASSERT_TRUE(o[i].is_done);
                ASSERT_EQ(o[i].result.rev, i + 1);
        }
}

CASE(one_refused_among_many_refuses_only_itself)
{
        struct outcome o[40] = { 0 };
        for (size_t i = 0; i < ARRAY_SIZE(o); i++) {
                char name[8];
                struct store_txn *txn = store_txn_new();
                snprintf(name, sizeof name, "n%zu", i == 20 ? 19 : i);
                store_txn_put(txn, "thing", "", name, STORE_REV_NEW, "{}");
                ASSERT_OK(store_commit(s, txn, note_outcome, &o[i]));
        }
        await(s, &o[ARRAY_SIZE(o) - 1]);
        for (size_t i = 0; i < ARRAY_SIZE(o); i++)
                ASSERT_EQ(o[i].result.r, i == 20 ? -EEXIST : 0);
}

CASE(too_many_pending_are_refused_and_the_rest_is_stored)
{
        struct outcome *o = xnew_array(struct outcome, STORE_PENDING_MAX);
        for (size_t i = 0; i < STORE_PENDING_MAX; i++)
                ASSERT_OK(store_commit(s, store_txn_new(), note_outcome, &o[i]));
        ASSERT_ERR(store_commit(s, store_txn_new(), note_outcome, &o[0]), -EAGAIN);
        ASSERT_OK(await(s, &o[STORE_PENDING_MAX - 1]));
        ASSERT_OK(commit_now(s, store_txn_new(), NULL));
        free(o);
}

struct chain {
        struct store *s;
        int left;
        bool is_done;
};

static void commit_next(void *data, const struct store_result *result)
{
        struct chain *c = data;
        ASSERT_OK(result->r);
        if (c->left-- == 0) {
                c->is_done = true;
                return;
        }
        ASSERT_OK(store_commit(c->s, store_txn_new(), commit_next, c));
}

CASE(an_answer_may_commit_again)
{
        struct chain c = { .s = s, .left = 20 };
        ASSERT_OK(store_commit(s, store_txn_new(), commit_next, &c));
        while (!c.is_done)
                ASSERT_OK(store_poll(s, TEST_PATIENCE_MS));
}

CASE(text_is_kept_byte_for_byte)
{
        static const char odd[] = "{\"k\":\"\xc3\xa4 \xe2\x82\xac \\\" ' ; -- \\u0001\",\"unknown\":[1,2]}";
        uint64_t rev;
        ASSERT_OK(put_now(s, "o'dd \"name\";--", STORE_REV_NEW, odd, &rev));
        ASSERT_OK(put_now(s, "o'dd \"name\";--", rev, odd, NULL));
}

static void note_cancelled(void *data, const struct store_result *result)
{
        *(int *)data = result->r;
}

TEST(sqlite_free_answers_what_is_pending)
{
        _cleanup_dir_ struct test_dir dir = test_dir_new();
        struct loaded l;
        int r = 1;
        struct store *s = open_and_load(dir.path, &l);
        ASSERT_OK(l.r);
        ASSERT_OK(store_commit(s, store_txn_new(), note_cancelled, &r));
        store_free(s);
        ASSERT_EQ(r, -ECANCELED);
}

TEST(memory_free_answers_what_is_pending)
{
        struct loaded l;
        int r = 1;
        struct store *s = store_memory_new(60000);
        ASSERT_OK(load_now(s, &l));
        ASSERT_OK(store_commit(s, store_txn_new(), note_cancelled, &r));
        store_free(s);
        ASSERT_EQ(r, -ECANCELED);
}

CASE(nothing_is_taken_after_an_unfinished_load)
{
        _cleanup_(store_freep) struct store *fresh = store_memory_new(1);
        ASSERT_TRUE(store_is_up(s));
        ASSERT_FALSE(store_is_up(fresh));
        ASSERT_ERR(store_commit(fresh, store_txn_new(), note_outcome, NULL), -EHOSTDOWN);
}

CASE(the_id_of_the_daemon_has_twenty_bits)
{
        ASSERT_TRUE(store_did(s) > 0 && store_did(s) <= 0xfffff);
}

TEST(memory_fails_once_on_demand)
{
        struct loaded l;
        _cleanup_(store_freep) struct store *s = store_memory_new(0);
        ASSERT_OK(load_now(s, &l));
        store_memory_fail_next(s, -ENOSPC);
        ASSERT_ERR(put_now(s, "a", STORE_REV_NEW, "{}", NULL), -ENOSPC);
        ASSERT_OK(put_now(s, "a", STORE_REV_NEW, "{}", NULL));
}
