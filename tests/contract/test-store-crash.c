/* SPDX-License-Identifier: Apache-2.0 */
/* links: store */
/*
 * The store child is killed at random points under a stream of commits, fifty times. Each transaction puts a
 * pair of objects: after every restart the pair of an answered one is there whole, of a refused one absent,
 * and of one whose owner went away without hearing (half of the rounds) whole or absent.
 */
#include "tests/lib/store-test.h"

#include <signal.h>

#define ROUNDS 50
#define PER_ROUND 120
#define IN_FLIGHT 24

enum fate { FATE_UNTOLD, FATE_STORED, FATE_REFUSED };

struct history {
        enum fate told[ROUNDS * PER_ROUND];
        uint8_t seen[ROUNDS * PER_ROUND]; /* bit 0: the first of the pair, bit 1: the second */
        size_t n;
        size_t stored, refused, untold;
};

struct ticket {
        struct history *h;
        size_t i;
};

static void note_fate(void *data, const struct store_result *result)
{
        struct ticket *t = data;
        if (result->r == 0)
                t->h->told[t->i] = FATE_STORED;
        else if (result->r == -EHOSTDOWN)
                t->h->told[t->i] = FATE_REFUSED;
        else
                assert_int_equal(result->r, -ECANCELED);
        free(t);
}

static void commit_pair(struct store *s, struct history *h, const char *padding)
{
        struct store_txn *txn = store_txn_new();
        struct ticket *t = xnew(struct ticket);
        _cleanup_free_ char *json =
                xasprintf("{\"i\":%zu,\"padding\":\"%.*s\"}", h->n, rand() % 20000, padding);
        *t = (struct ticket){ h, h->n++ };
        for (int half = 0; half < 2; half++) {
                _cleanup_free_ char *name = xasprintf("%zu-%d", t->i, half);
                store_txn_put(txn, "pair", "", name, STORE_REV_NEW, json);
        }
        store_txn_put(txn, "last", "", "last", STORE_REV_ANY, json);
        if (store_commit(s, txn, note_fate, t) < 0) {
                h->told[t->i] = FATE_REFUSED;
                free(t);
        }
}

static void note_pair(void *data, const struct store_record *record)
{
        struct history *h = data;
        char *dash = NULL;
        if (!streq(record->kind, "pair"))
                return;
        size_t i = strtoul(record->name, &dash, 10);
        assert_true(i < h->n);
        h->seen[i] |= dash[1] == '0' ? 1 : 2;
}

static void note_checked(void *data _unused_, int r, const struct error *err)
{
        if (r < 0)
                fail_msg("the store was not loaded: %s", error_message(err));
}

static struct store *open_and_compare(const char *dir, struct history *h)
{
        struct store_options options = { .dir = dir };
        struct store *s = NULL;
        memset(h->seen, 0, sizeof h->seen);
        ASSERT_OK(store_open(&options, &s, NULL));
        store_load(s, note_pair, note_checked, h);
        while (!store_is_up(s))
                ASSERT_OK(store_poll(s, TEST_PATIENCE_MS));
        for (size_t i = 0; i < h->n; i++) {
                if (h->seen[i] != 0 && h->seen[i] != 3)
                        fail_msg("transaction %zu is there in half", i);
                if (h->told[i] == FATE_STORED && h->seen[i] == 0)
                        fail_msg("transaction %zu was answered and is lost", i);
                if (h->told[i] == FATE_REFUSED && h->seen[i] == 3)
                        fail_msg("transaction %zu was refused and is there", i);
        }
        return s;
}

/* Commits with a kill somewhere among them; either hears what became of all, or leaves in the middle. */
static void run_round(struct store *s, struct history *h, bool hears_all, const char *padding)
{
        size_t end = h->n + PER_ROUND, kill_at = h->n + 1 + (size_t)rand() % (PER_ROUND - 1);
        while (h->n < end) {
                commit_pair(s, h, padding);
                if (h->n == kill_at) {
                        kill(store_child_pid(s), SIGKILL);
                        if (!hears_all)
                                return;
                }
                while (store_pending(s) >= 1 + (size_t)rand() % IN_FLIGHT || !store_is_up(s))
                        ASSERT_OK(store_poll(s, TEST_PATIENCE_MS));
        }
        while (store_pending(s))
                ASSERT_OK(store_poll(s, TEST_PATIENCE_MS));
}

TEST(fifty_kills_lose_nothing_and_halve_nothing)
{
        _cleanup_dir_ struct test_dir dir = test_dir_new();
        struct history *h = xnew(struct history);
        _cleanup_free_ char *padding = xmalloc(20001);
        unsigned seed = (unsigned)getpid();
        printf("seed %u\n", seed);
        srand(seed);
        memset(padding, 'p', 20000);
        padding[20000] = '\0';
        for (int round = 0; round < ROUNDS; round++) {
                struct store *s = open_and_compare(dir.path, h);
                run_round(s, h, round % 2 == 0, padding);
                store_free(s);
        }
        store_free(open_and_compare(dir.path, h));
        for (size_t i = 0; i < h->n; i++)
                (*(h->told[i] == FATE_STORED    ? &h->stored
                   : h->told[i] == FATE_REFUSED ? &h->refused
                                                : &h->untold))++;
        printf("%zu transactions: %zu stored, %zu refused, %zu untold\n", h->n, h->stored, h->refused,
               h->untold);
        ASSERT_TRUE(h->stored > ROUNDS && h->untold > 0);
        free(h);
}
