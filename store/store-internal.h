/* SPDX-License-Identifier: Apache-2.0 */
/* What the engines of store.h share. Nothing outside store/ includes this. */
#pragma once

#include "base/list.h"
#include "base/strbuf.h"
#include "store/store.h"

struct store_txn {
        struct strbuf frame; /* a COMMIT frame in the making: no second copy on its way to the child */
        uint32_t n_ops;
        bool is_urgent;
        int r; /* the first thing that is wrong with it, told by store_commit() */
};

struct store_ops {
        struct store *(*free)(struct store *s);
        void (*load)(struct store *s, store_record_fn *record, store_loaded_fn *loaded, void *data);
        int (*commit)(struct store *s, struct store_txn *take_txn, store_done_fn *done, void *data);
        void (*on_readable)(struct store *s);
        bool (*is_up)(const struct store *s);
        pid_t (*child_pid)(const struct store *s);
};

struct store {
        const struct store_ops *ops;
        int fd;
        size_t n_pending;
        uint32_t did;
};

/* The one rule of expectations: rev is the object's revision now, 0 if it does not exist. */
struct wire_op;
int store_expect(const struct wire_op *op, uint64_t rev);
