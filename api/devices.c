/* SPDX-License-Identifier: Apache-2.0 */
#include "api/devices.h"
#include "base/alloc.h"

void devices_done(struct devices *d)
{
        for (size_t i = 0; i < d->n; i++) {
                free(d->items[i].name);
                strmap_done(&d->items[i].keys);
        }
        free(d->items);
        *d = (struct devices){ 0 };
}

static size_t place_of(const struct devices *d, const char *name, bool *ret_found)
{
        size_t i = 0;
        while (i < d->n && strcmp(d->items[i].name, name) < 0)
                i++;
        *ret_found = i < d->n && streq(d->items[i].name, name);
        return i;
}

struct strmap *devices_get(const struct devices *d, const char *name)
{
        bool found;
        size_t i = place_of(d, name, &found);
        return found ? &d->items[i].keys : NULL;
}

void devices_set(struct devices *d, const char *name, const struct strmap *keys)
{
        bool found;
        size_t i = place_of(d, name, &found);
        if (!found) {
                d->items = xreallocarray(d->items, d->n + 1, sizeof *d->items);
                memmove(d->items + i + 1, d->items + i, (d->n - i) * sizeof *d->items);
                d->items[i] = (struct device){ .name = xstrdup(name) };
                d->n++;
        }
        strmap_copy(&d->items[i].keys, keys);
}

bool devices_remove(struct devices *d, const char *name)
{
        bool found;
        size_t i = place_of(d, name, &found);
        if (!found)
                return false;
        free(d->items[i].name);
        strmap_done(&d->items[i].keys);
        d->n--;
        memmove(d->items + i, d->items + i + 1, (d->n - i) * sizeof *d->items);
        return true;
}

void devices_copy(struct devices *to, const struct devices *from)
{
        devices_done(to);
        devices_merge(to, from);
}

void devices_merge(struct devices *to, const struct devices *from)
{
        for (size_t i = 0; i < from->n; i++)
                devices_set(to, from->items[i].name, &from->items[i].keys);
}
