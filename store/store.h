/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The asynchronous store: load everything once, then commit transactions and hear later that they are on
 * disk. It knows kinds, projects, names, revisions and texts; it must not know what a text means, nor any
 * event loop: the caller polls store_fd() for reading and calls store_on_readable(). Nothing here blocks
 * except store_poll() and store_free().
 *
 * Revisions. Every committed transaction gets the next number of one counter, and everything it puts gets
 * that number; so a deleted and re-created object never shows an old revision again, and a revision is a good
 * ETag.
 *
 * Outcomes. A refused commit (negative return) was not taken: `done` is never called. An accepted one calls
 * `done` exactly once, from store_on_readable() or store_free(), in the order of the commits. A handler
 * answers, and memory is swapped, in `done` and not before.
 *
 * Engines. store_open(): SQLite in a child process. When the child is lost (killed, a failed fsync, a full
 * process table …), the store is read-only: new commits and those not yet sent end with -EHOSTDOWN,
 * `on_state` says why, and a new child is started. Commits that were sent have an unknown fate: each has a
 * number that its transaction records on disk, so the new child is asked for every number, and only then
 * `done` is called, with 0 or with -EHOSTDOWN ("certainly not stored"). Memory therefore never disagrees with
 * the disk and nothing is loaded again. store_memory_new(): for tests; the same rules, every commit answered
 * after a delay.
 */
#pragma once

#include "base/error.h"
#include <sys/types.h>

#define STORE_REV_NEW UINT64_C(0)   /* expected: does not exist */
#define STORE_REV_ANY UINT64_MAX    /* expected: nothing; a delete of what is absent succeeds */
#define STORE_JSON_MAX MiB(4)       /* one record's text */
#define STORE_NAME_MAX 1024         /* kind, project, name: each, in bytes */
#define STORE_TXN_MAX MiB(16)       /* one transaction on the wire */
#define STORE_PENDING_MAX 1024      /* commits not answered yet, … */
#define STORE_PENDING_BYTES MiB(64) /* … and what of them is not sent yet */

struct store_record {
        const char *kind, *project, *name; /* project "" for objects of the whole server */
        uint64_t rev;
        int schema; /* of the text; the store has already migrated it to the newest its table knows */
        const char *json;
};

struct store_result {
        int r;        /* 0 stored; see store_commit() */
        uint64_t rev; /* if stored: the revision of everything this transaction put */
        size_t op;    /* if refused by an expectation: which step, from 0 */
};

/* A transaction: all of it or nothing. Steps are applied in order; every argument is copied. */
struct store_txn;
struct store_txn *store_txn_new(void);
struct store_txn *store_txn_free(struct store_txn *txn); /* returns NULL; NULL is fine */
DEFINE_CLEANUP(struct store_txn *, store_txn_free)
#define _cleanup_txn_ _cleanup_(store_txn_freep)
void store_txn_put(struct store_txn *txn, const char *kind, const char *project, const char *name,
                   uint64_t expect, const char *json);
void store_txn_delete(struct store_txn *txn, const char *kind, const char *project, const char *name,
                      uint64_t expect);
/* Changes nothing, but the transaction fails unless the object has this revision (ANY: unless it exists). */
void store_txn_check(struct store_txn *txn, const char *kind, const char *project, const char *name,
                     uint64_t expect);
/* May use the room kept for a full disk: for what leads to deletions (an intent). One with a delete may by
 * itself. */
void store_txn_set_urgent(struct store_txn *txn);
size_t store_txn_count(const struct store_txn *txn);

struct store;

struct store_options {
        const char *dir;     /* absolute; made with mode 0700 if missing, its parent must exist */
        const char *program; /* what is run with "--store"; NULL: this executable */
        /* is_up false: read-only from now on, `why` is a sentence. Called from store_on_readable(). May be
         * NULL. */
        void (*on_state)(void *data, bool is_up, const char *why);
        void *data;
};

/* Starts the child. That the database can be used is only known when store_load() is done. */
int store_open(const struct store_options *options, struct store **ret, struct error *err);
struct store *store_memory_new(unsigned delay_ms);
/* The next accepted commit is not applied and ends with r. */
void store_memory_fail_next(struct store *s, int r);
/*
 * Ends the store and calls `done` with -ECANCELED for what was pending. Blocks until the child has written
 * what it received (at most ten seconds). For an orderly end, poll until store_pending() is 0 first. Not from
 * a callback.
 */
struct store *store_free(struct store *s);
DEFINE_CLEANUP(struct store *, store_free)

/*
 * Once, right after opening and before the first store_on_readable(). `record` is called for every object in
 * the order of kind, project, name (the texts live only during the call), then `loaded` with 0, or a negative
 * errno and a sentence: -EBADFD for a database written by a newer release (left untouched), -EBUSY when
 * another daemon has it, -EHOSTDOWN when the child was lost.
 */
typedef void store_record_fn(void *data, const struct store_record *record);
typedef void store_loaded_fn(void *data, int r, const struct error *err);
void store_load(struct store *s, store_record_fn *record, store_loaded_fn *loaded, void *data);

/*
 * Takes the transaction in every case. 0: accepted. Refused: -EHOSTDOWN read-only (or not loaded), -EAGAIN
 * too many pending, -EFBIG a text or the whole is too large, -EINVAL a name is too long or a kind or name is
 * empty. The result: 0; -EEXIST, -ENOENT, -ESTALE an expectation (`op`) was not met; -ENOSPC the disk is
 * full; -EHOSTDOWN the child was lost before it was stored. In every case but 0 nothing of it is stored.
 */
typedef void store_done_fn(void *data, const struct store_result *result);
int store_commit(struct store *s, struct store_txn *take_txn, store_done_fn *done, void *data) _warn_unused_;

int store_fd(const struct store *s); /* poll for reading; the same for the store's whole life */
void store_on_readable(struct store *s);
/* poll() on that descriptor and one store_on_readable(): for start-up and tests. 0, -ETIMEDOUT or -errno. */
int store_poll(struct store *s, int timeout_ms);

bool store_is_up(const struct store *s); /* loaded and writable */
size_t store_pending(const struct store *s);
pid_t store_child_pid(const struct store *s); /* 0: none now */
uint32_t
store_did(const struct store *s); /* the daemon's 20-bit id, made with the database; valid once loaded */
