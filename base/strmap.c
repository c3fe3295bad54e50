/* SPDX-License-Identifier: Apache-2.0 */
#include "base/strmap.h"
#include "base/alloc.h"
#include "base/units.h"

void strmap_done(struct strmap *m)
{
        for (size_t i = 0; i < m->n; i++) {
                free(m->items[i].key);
                free(m->items[i].value);
        }
        free(m->items);
        *m = STRMAP_INIT;
}

/* Index of the key, or of the place where it belongs. */
static size_t find(const struct strmap *m, const char *key, bool *ret_found)
{
        size_t lo = 0, hi = m->n;
        *ret_found = false;
        while (lo < hi) {
                size_t mid = (lo + hi) / 2;
                int c = strcmp(m->items[mid].key, key);
                if (c == 0) {
                        *ret_found = true;
                        return mid;
                }
                if (c < 0)
                        lo = mid + 1;
                else
                        hi = mid;
        }
        return lo;
}

const char *strmap_get(const struct strmap *m, const char *key)
{
        bool found;
        size_t i = find(m, key, &found);
        return found ? m->items[i].value : NULL;
}

void strmap_set(struct strmap *m, const char *key, const char *value)
{
        bool found;
        size_t i = find(m, key, &found);
        if (!value) {
                strmap_remove(m, key);
        } else if (found) {
                char *copy = xstrdup(value);
                free(m->items[i].value);
                m->items[i].value = copy;
        } else {
                struct strpair pair = { xstrdup(key), xstrdup(value) };
                m->items = xreallocarray(m->items, m->n + 1, sizeof *m->items);
                memmove(m->items + i + 1, m->items + i, (m->n - i) * sizeof *m->items);
                m->items[i] = pair;
                m->n++;
        }
}

bool strmap_remove(struct strmap *m, const char *key)
{
        bool found;
        size_t i = find(m, key, &found);
        if (!found)
                return false;
        free(m->items[i].key);
        free(m->items[i].value);
        m->n--;
        memmove(m->items + i, m->items + i + 1, (m->n - i) * sizeof *m->items);
        return true;
}

void strmap_copy(struct strmap *to, const struct strmap *from)
{
        strmap_done(to);
        to->items = xnew_array(struct strpair, from->n);
        to->n = from->n;
        for (size_t i = 0; i < from->n; i++)
                to->items[i] = (struct strpair){ xstrdup(from->items[i].key), xstrdup(from->items[i].value) };
}

void strmap_merge(struct strmap *to, const struct strmap *from)
{
        for (size_t i = 0; i < from->n; i++)
                strmap_set(to, from->items[i].key, from->items[i].value);
}

bool strmap_equal(const struct strmap *a, const struct strmap *b)
{
        if (a->n != b->n)
                return false;
        for (size_t i = 0; i < a->n; i++)
                if (!streq(a->items[i].key, b->items[i].key) || !streq(a->items[i].value, b->items[i].value))
                        return false;
        return true;
}

bool strmap_get_bool(const struct strmap *m, const char *key, bool fallback)
{
        const char *text = strmap_get(m, key);
        bool value;
        return text && units_parse_bool(text, &value) == 0 ? value : fallback;
}
