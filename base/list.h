/* SPDX-License-Identifier: Apache-2.0 */
/* An intrusive doubly linked list; a head is an empty list_init()ed node. Maps are uthash. */
#pragma once

#include "base/macros.h"

struct list {
        struct list *next, *prev;
};

static inline void list_init(struct list *l)
{
        l->next = l->prev = l;
}
static inline bool list_is_empty(const struct list *l)
{
        return l->next == l;
}
static inline void list_append(struct list *head, struct list *node)
{
        node->prev = head->prev;
        node->next = head;
        head->prev->next = node;
        head->prev = node;
}
/* Also right for a node that is in no list but was list_init()ed. */
static inline void list_remove(struct list *node)
{
        node->prev->next = node->next;
        node->next->prev = node->prev;
        list_init(node);
}

#define container_of(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))
/* The current node may be removed while iterating. */
#define list_for_each(var, head, member)                                                                     \
        for (typeof(*var) *var##_next = ((var) = container_of((head)->next, typeof(*var), member),           \
                                         container_of((var)->member.next, typeof(*var), member));            \
             &(var)->member != (head);                                                                       \
             (var) = var##_next, var##_next = container_of((var)->member.next, typeof(*var), member))
