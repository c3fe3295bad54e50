/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The objects: all configuration, in memory, written through the asynchronous store.
 *
 * Reads never leave memory. A change is a set of puts and deletes that becomes true at once: after the store has it
 * on disk the memory is swapped and `done` runs. Until then nobody sees it, not even its author. A change whose keys
 * are part of another change in flight waits for that one; a revision that no longer fits fails with ERR_CONFLICT.
 *
 * A kind's body is a C struct described by its field table. Revisions come from one counter of the whole store, so a
 * revision is never seen twice, not even on an object deleted and made again: it serves as ETag.
 */
#pragma once

#include "api/field.h"
#include "server/server.h"

struct object_kind {
        const char *name;        /* "profile": the stored word, and the word in messages */
        const char *title;       /* "Profile": begins a sentence */
        const struct type *type; /* of the body */
        int schema;              /* bumped together with a row in store/migrate.c */
};

struct object {
        const struct object_kind *kind;
        char *project; /* "" for kinds outside projects */
        char *name;
        uint64_t rev;
        void *body;           /* of kind->type; never changed in place */
        struct strbuf rest;   /* rendered by object_rest(), emptied with each revision */
};

#define OBJECT_REV_ANY UINT64_MAX
#define OBJECT_REV_NEW 0 /* must not exist */

/* Each family registers its kinds before the store is opened. Up to 32 kinds. */
void object_kind_register(struct server *s, const struct object_kind *kind);

struct object *object_find(struct server *s, const struct object_kind *kind, const char *project, const char *name);
/* Finds or says "Profile "x" not found in project "default"". */
int object_get(struct server *s, const struct object_kind *kind, const char *project, const char *name,
               struct object **ret, struct error *err);
/* All of a kind, sorted by project and name. project NULL: of every project. The array is valid until the loop turns. */
size_t object_list(struct server *s, const struct object_kind *kind, const char *project, struct object ***ret);
/* The REST form of the body, cached per revision. */
const struct strbuf *object_rest(struct object *o);
#define OBJECT_ETAG_SIZE 24
char *object_etag(const struct object *o, char buf[static OBJECT_ETAG_SIZE]);

/* Building and committing a change. */
typedef void (*change_done_fn)(void *data, int r, struct error *err);
struct change *change_new(struct server *s);
void change_free(struct change *c); /* one that was never committed */
void change_put(struct change *c, const struct object_kind *kind, const char *project, const char *name,
                uint64_t expected_rev, void *take_body);
void change_delete(struct change *c, const struct object_kind *kind, const char *project, const char *name,
                   uint64_t expected_rev);
/* Takes c. done runs exactly once, never before this returns; with r < 0 nothing has changed. done may be NULL. */
void change_commit(struct change *c, change_done_fn done, void *data);

/* Called after the memory was swapped, for each object put or deleted (o->body is the new one, or NULL if deleted). */
typedef void (*object_changed_fn)(struct server *s, const struct object_kind *kind, const char *project,
                                  const char *name);
void object_on_change(struct server *s, const struct object_kind *kind, object_changed_fn fn);

/* Opens <dir>/database through the store child, loads everything (blocking: only at start-up). */
int object_store_open(struct server *s, struct error *err);
/* For API tests: in memory, each commit takes commit_ms. */
int object_store_open_memory(struct server *s, unsigned commit_ms);
void object_store_close(struct server *s);
bool object_store_is_writable(struct server *s);
