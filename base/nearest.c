/* SPDX-License-Identifier: Apache-2.0 */
#include "base/nearest.h"
#include "base/macros.h"

#include <stdint.h>
#include <string.h>

#define EDITS_MAX 2
#define WORD_MAX 128

/* Levenshtein's distance; words longer than WORD_MAX are far from everything. */
static size_t distance(const char *a, const char *b)
{
        size_t n = strlen(a), m = strlen(b), row[WORD_MAX + 1];
        if (n > WORD_MAX || m > WORD_MAX)
                return SIZE_MAX;
        for (size_t j = 0; j <= m; j++)
                row[j] = j;
        for (size_t i = 1; i <= n; i++) {
                size_t diagonal = row[0];
                row[0] = i;
                for (size_t j = 1; j <= m; j++) {
                        size_t above = row[j];
                        row[j] = MIN(MIN(above, row[j - 1]) + 1, diagonal + (a[i - 1] != b[j - 1]));
                        diagonal = above;
                }
        }
        return row[m];
}

struct nearest nearest_to(const char *word)
{
        return (struct nearest){ .word = word, .distance = MIN((size_t)EDITS_MAX, strlen(word) / 2) + 1 };
}

void nearest_offer(struct nearest *n, const char *name)
{
        size_t a = strlen(n->word), b = strlen(name);
        if ((a > b ? a - b : b - a) >= n->distance) /* cheap, and true of most of a thousand names */
                return;
        size_t d = distance(n->word, name);
        if (d < n->distance) {
                n->best = name;
                n->distance = d;
        }
}
