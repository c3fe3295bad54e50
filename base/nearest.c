/* SPDX-License-Identifier: Apache-2.0 */
#include "base/nearest.h"

#define WORD_MAX 64

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

const char *nearest_word(const char *const *words, const char *text, size_t max)
{
        const char *best = NULL;
        size_t best_distance = max + 1;
        for (; *words; words++) {
                size_t d = distance(*words, text);
                if (d < best_distance) {
                        best = *words;
                        best_distance = d;
                }
        }
        return best;
}
