/* SPDX-License-Identifier: Apache-2.0 */
#include "images/turn.h"

static struct list waiting = { &waiting, &waiting }; /* the first one has the turn; one daemon per process */

void turn_take(struct turn *t, void (*fn)(void *data), void *data)
{
        bool is_free = list_is_empty(&waiting);
        t->fn = fn;
        t->data = data;
        list_append(&waiting, &t->node);
        if (is_free)
                fn(data);
}

void turn_end(struct turn *t)
{
        list_remove(&t->node);
        if (list_is_empty(&waiting))
                return;
        struct turn *next = container_of(waiting.next, struct turn, node);
        next->fn(next->data);
}
