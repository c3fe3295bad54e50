/* SPDX-License-Identifier: Apache-2.0 */
/* links: store */
/*
 * bench-store [directory]: commits a second and their latency with 1 and with 64 in flight, each a put of 2
 * KiB. Run it once alone and once while something writes to the same disk.
 */
#include "base/alloc.h"
#include "base/path.h"
#include "store/child.h"
#include "store/store.h"

#include <fcntl.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define SECONDS 5
#define SAMPLES_MAX 1000000

struct bench {
        struct store *s;
        uint64_t end_ns;
        uint64_t *samples; /* nanoseconds each */
        size_t n, n_started, n_failed;
        char json[2049];
};

struct flight {
        struct bench *b;
        uint64_t since_ns;
};

static uint64_t now_ns(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void landed(void *data, const struct store_result *result);

static void start(struct bench *b)
{
        char name[32];
        struct flight *f = xnew(struct flight);
        struct store_txn *txn = store_txn_new();
        snprintf(name, sizeof name, "n%zu", b->n_started++ % 1000);
        store_txn_put(txn, "bench", "", name, STORE_REV_ANY, b->json);
        *f = (struct flight){ b, now_ns() };
        if (store_commit(b->s, txn, landed, f) < 0) {
                b->n_failed++;
                free(f);
        }
}

static void landed(void *data, const struct store_result *result)
{
        struct flight *f = data;
        struct bench *b = f->b;
        uint64_t now = now_ns();
        b->n_failed += result->r < 0;
        if (b->n < SAMPLES_MAX)
                b->samples[b->n++] = now - f->since_ns;
        free(f);
        if (now < b->end_ns)
                start(b);
}

static int by_size(const void *a, const void *b)
{
        const uint64_t *x = a, *y = b;
        return *x < *y ? -1 : *x > *y;
}

static void run(struct bench *b, int in_flight)
{
        uint64_t begin = now_ns();
        b->n = b->n_failed = 0;
        b->end_ns = begin + SECONDS * 1000000000ull;
        for (int i = 0; i < in_flight; i++)
                start(b);
        while (store_pending(b->s))
                store_poll(b->s, 10000);
        double seconds = (double)(now_ns() - begin) / 1e9;
        qsort(b->samples, b->n, sizeof *b->samples, by_size);
        printf("%3d in flight: %8.0f commits/s, p50 %.3f ms, p90 %.3f ms, p99 %.3f ms, max %.3f ms, %zu "
               "failed\n",
               in_flight, (double)b->n / seconds, (double)b->samples[b->n / 2] / 1e6,
               (double)b->samples[b->n * 9 / 10] / 1e6, (double)b->samples[b->n * 99 / 100] / 1e6,
               (double)b->samples[b->n - 1] / 1e6, b->n_failed);
}

static void ignore_record(void *data _unused_, const struct store_record *record _unused_)
{
}

static void note_loaded(void *data, int r, const struct error *err)
{
        *(int *)data = r;
        if (r < 0)
                fprintf(stderr, "%s\n", error_message(err));
}

int main(int argc, char **argv)
{
        if (argc == 2 && streq(argv[1], "--store"))
                return store_child_run();
        _cleanup_free_ char *dir = xasprintf("%s/bench-store-XXXXXX", argc > 1 ? argv[1] : "/var/tmp");
        struct bench *b = xnew(struct bench);
        int loaded = 1;
        uint64_t begin = now_ns();
        if (!mkdtemp(dir) || store_open(&(struct store_options){ .dir = dir }, &b->s, NULL) < 0)
                return 1;
        b->samples = xnew_array(uint64_t, SAMPLES_MAX);
        memset(b->json, 'j', sizeof b->json - 1);
        store_load(b->s, ignore_record, note_loaded, &loaded);
        while (loaded > 0)
                store_poll(b->s, 10000);
        if (loaded == 0) {
                printf("opened in %.2f ms\n", (double)(now_ns() - begin) / 1e6);
                run(b, 1);
                run(b, 64);
        }
        store_free(b->s);
        path_remove_tree(AT_FDCWD, dir);
        free(b->samples);
        free(b);
        return loaded < 0;
}
