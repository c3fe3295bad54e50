/* SPDX-License-Identifier: Apache-2.0 */
/* "Did you mean …": the nearest of a list of words, by edit distance. */
#pragma once

#include "base/macros.h"

/* The word at most `max` edits away from text, the nearest of them; NULL: none. words is ended by NULL. */
const char *nearest_word(const char *const *words, const char *text, size_t max);
