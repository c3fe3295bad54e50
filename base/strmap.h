/* SPDX-License-Identifier: Apache-2.0 */
/* A small map of strings, sorted by key: config, properties, environment. A value is never NULL. */
#pragma once

#include "base/macros.h"

struct strpair {
        char *key, *value;
};

struct strmap {
        struct strpair *items; /* sorted by key, owned */
        size_t n;
};

#define STRMAP_INIT ((struct strmap){ 0 })
#define _cleanup_strmap_ _cleanup_(strmap_done)

void strmap_done(struct strmap *m);
const char *strmap_get(const struct strmap *m, const char *key); /* NULL when absent */
void strmap_set(struct strmap *m, const char *key, const char *value); /* NULL value removes */
bool strmap_remove(struct strmap *m, const char *key);
void strmap_copy(struct strmap *to, const struct strmap *from);  /* replaces what was in `to` */
void strmap_merge(struct strmap *to, const struct strmap *from); /* keys of `from` win */
bool strmap_equal(const struct strmap *a, const struct strmap *b);
bool strmap_get_bool(const struct strmap *m, const char *key, bool fallback);
