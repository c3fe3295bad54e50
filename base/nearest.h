/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The name somebody meant: the nearest of those there are, within two edits and less than half of the word.
 *      struct nearest near = nearest_to(word);
 *      for each name: nearest_offer(&near, name);
 *      if (near.best) hint…
 */
#pragma once

#include <stddef.h>

struct nearest {
        const char *word;
        const char *best; /* borrowed from the caller; NULL: none is near */
        size_t distance;  /* what a better one must be below */
};

struct nearest nearest_to(const char *word);
void nearest_offer(struct nearest *n, const char *name);
