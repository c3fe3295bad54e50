/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "store/protocol.h"
#include "store/store-internal.h"

#include <poll.h>

struct store_txn *store_txn_new(void)
{
        struct store_txn *txn = xnew(struct store_txn);
        txn->frame = STRBUF_INIT_MAX(STORE_TXN_MAX);
        protocol_commit_begin(&txn->frame);
        return txn;
}

struct store_txn *store_txn_free(struct store_txn *txn)
{
        if (txn)
                strbuf_done(&txn->frame);
        free(txn);
        return NULL;
}

static int check_op(const struct wire_op *op)
{
        if (str_empty(op->kind) || str_empty(op->name))
                return -EINVAL;
        if (strlen(op->kind) > STORE_NAME_MAX || strlen(op->project) > STORE_NAME_MAX ||
            strlen(op->name) > STORE_NAME_MAX)
                return -EINVAL;
        if (op->what == OP_PUT && strlen(op->json) > STORE_JSON_MAX)
                return -EFBIG;
        return 0;
}

static void add_op(struct store_txn *txn, const struct wire_op *op)
{
        int r = check_op(op);
        if (r == 0) {
                protocol_commit_add(&txn->frame, op);
                txn->n_ops++;
                r = txn->frame.is_over ? -EFBIG : 0;
        }
        if (txn->r == 0)
                txn->r = r;
}

void store_txn_put(struct store_txn *txn, const char *kind, const char *project, const char *name,
                   uint64_t expect, const char *json)
{
        add_op(txn, &(struct wire_op){ OP_PUT, expect, kind, project, name, json });
}

void store_txn_delete(struct store_txn *txn, const char *kind, const char *project, const char *name,
                      uint64_t expect)
{
        txn->is_urgent = true;
        add_op(txn, &(struct wire_op){ OP_DELETE, expect, kind, project, name, NULL });
}

void store_txn_check(struct store_txn *txn, const char *kind, const char *project, const char *name,
                     uint64_t expect)
{
        add_op(txn, &(struct wire_op){ OP_CHECK, expect, kind, project, name, NULL });
}

int store_expect(const struct wire_op *op, uint64_t rev)
{
        if (op->expect == STORE_REV_ANY)
                return op->what == OP_CHECK && rev == 0 ? -ENOENT : 0;
        if (op->expect == STORE_REV_NEW)
                return rev ? -EEXIST : 0;
        if (rev == 0)
                return -ENOENT;
        return rev == op->expect ? 0 : -ESTALE;
}

void store_txn_set_urgent(struct store_txn *txn)
{
        txn->is_urgent = true;
}

size_t store_txn_count(const struct store_txn *txn)
{
        return txn->n_ops;
}

struct store *store_free(struct store *s)
{
        return s ? s->ops->free(s) : NULL;
}

void store_load(struct store *s, store_record_fn *record, store_loaded_fn *loaded, void *data)
{
        s->ops->load(s, record, loaded, data);
}

int store_commit(struct store *s, struct store_txn *take_txn, store_done_fn *done, void *data)
{
        int r = take_txn->r;
        if (r == 0 && !s->ops->is_up(s))
                r = -EHOSTDOWN;
        if (r == 0 && s->n_pending >= STORE_PENDING_MAX)
                r = -EAGAIN;
        if (r < 0) {
                store_txn_free(take_txn);
                return r;
        }
        return s->ops->commit(s, take_txn, done, data);
}

int store_fd(const struct store *s)
{
        return s->fd;
}

void store_on_readable(struct store *s)
{
        s->ops->on_readable(s);
}

int store_poll(struct store *s, int timeout_ms)
{
        struct pollfd p = { .fd = s->fd, .events = POLLIN };
        int n = poll(&p, 1, timeout_ms);
        if (n < 0)
                return errno == EINTR ? 0 : -errno;
        if (n == 0)
                return -ETIMEDOUT;
        s->ops->on_readable(s);
        return 0;
}

bool store_is_up(const struct store *s)
{
        return s->ops->is_up(s);
}

size_t store_pending(const struct store *s)
{
        return s->n_pending;
}

pid_t store_child_pid(const struct store *s)
{
        return s->ops->child_pid(s);
}

uint32_t store_did(const struct store *s)
{
        return s->did;
}
