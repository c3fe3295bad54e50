/* SPDX-License-Identifier: Apache-2.0 */
/* One piece of work on one layer: making it, or removing it. Shared by layer.c and layer-remove.c only. */
#pragma once

#include "storage-pools/internal.h"

struct unpack;

struct layer_waiter {
        struct list node;
        struct operation *op;
        storage_done_fn done;
        void *data;
};

struct layer_task {
        struct list node;
        struct server *server;
        char *pool, *fingerprint;
        char *form;               /* being made */
        struct image_files image; /* a copy; empty in a removal nobody has asked to undo */
        struct list waiters;
        struct job *job;
        struct unpack *unpack;
        struct layer *removed;    /* what a removal takes away, to put it back */
        bool is_removal, has_retried;
        unsigned refs;
};

struct layer_task *layer_task_find(const char *pool, const char *fingerprint);
struct layer_task *layer_task_new(struct server *s, const struct object *pool, const char *fingerprint);
void layer_task_run(struct layer_task *t, const struct job_spec *spec, job_done_fn done);
void layer_task_restart(struct layer_task *t);
/* Answers all waiters and frees the task. */
void layer_task_end(struct layer_task *t, int r, const struct error *err);
