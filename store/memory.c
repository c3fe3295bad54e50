/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The test store: a hash table whose commits are applied and answered after a delay, so that nobody reads his
 * own write too early. Its descriptor is a timer.
 */
#include "base/alloc.h"
#include "base/fd.h"
#include "base/time.h"
#include "store/migrate.h"
#include "store/protocol.h"
#include "store/store-internal.h"

#include <sys/timerfd.h>
#include <unistd.h>

#define uthash_malloc(size) xmalloc(size)
#define uthash_free(p, size) free(p)
#include <uthash.h>

struct object {
        char *key; /* kind NUL project NUL name */
        size_t key_len;
        char *kind, *project, *name, *json;
        uint64_t rev;
        UT_hash_handle hh;
};

struct delayed {
        struct list link;
        struct store_txn *txn;
        store_done_fn *done;
        void *data;
        uint64_t due_ms;
        int failure;
};

struct memory_store {
        struct store base;
        struct object *objects;
        struct list delayed;
        uint64_t rev;
        unsigned delay_ms;
        int next_failure;
        bool is_loaded;
        store_record_fn *record;
        store_loaded_fn *loaded;
        void *load_data;
};

/* How to take a step back: the object as it was, or NULL if there was none. */
struct undo {
        struct wire_op op;
        struct object *before;
};

static struct memory_store *memory(const struct store *s)
{
        return container_of((struct store *)s, struct memory_store, base);
}

static void object_free(struct object *o)
{
        if (!o)
                return;
        free(o->key);
        free(o->kind);
        free(o->project);
        free(o->name);
        free(o->json);
        free(o);
}

static void make_key(const struct wire_op *op, struct strbuf *out)
{
        strbuf_add(out, op->kind, strlen(op->kind) + 1);
        strbuf_add(out, op->project, strlen(op->project) + 1);
        strbuf_adds(out, op->name);
}

static struct object *find(struct memory_store *m, const struct wire_op *op)
{
        _cleanup_strbuf_ struct strbuf key = STRBUF_INIT;
        struct object *o;
        make_key(op, &key);
        HASH_FIND(hh, m->objects, key.data, key.len, o);
        return o;
}

static void insert(struct memory_store *m, const struct wire_op *op, uint64_t rev)
{
        struct strbuf key = STRBUF_INIT;
        struct object *o = xnew(struct object);
        make_key(op, &key);
        o->key_len = key.len;
        o->key = strbuf_take(&key);
        o->kind = xstrdup(op->kind);
        o->project = xstrdup(op->project);
        o->name = xstrdup(op->name);
        o->json = xstrdup(op->json);
        o->rev = rev;
        HASH_ADD_KEYPTR(hh, m->objects, o->key, o->key_len, o);
}

static void apply_op(struct memory_store *m, const struct wire_op *op, struct undo *ret_undo)
{
        struct object *o = find(m, op);
        *ret_undo = (struct undo){ *op, o };
        if (op->what == OP_CHECK)
                return;
        if (o)
                HASH_DELETE(hh, m->objects, o);
        if (op->what == OP_PUT)
                insert(m, op, m->rev + 1);
}

static void take_back(struct memory_store *m, struct undo *u)
{
        if (u->op.what == OP_CHECK)
                return;
        struct object *o = find(m, &u->op);
        if (o) {
                HASH_DELETE(hh, m->objects, o);
                object_free(o);
        }
        if (u->before)
                HASH_ADD_KEYPTR(hh, m->objects, u->before->key, u->before->key_len, u->before);
}

static void apply_txn(struct memory_store *m, struct store_txn *txn, struct store_result *res)
{
        _cleanup_free_ struct undo *undo = xnew_array(struct undo, txn->n_ops);
        struct wire_commit c;
        struct frame f;
        struct wire_op op;
        size_t used, n = 0;

        protocol_commit_seal(&txn->frame, &(struct wire_commit){ .n_ops = txn->n_ops });
        res->r = protocol_next_frame(txn->frame.data, txn->frame.len, &f, &used) > 0 ? 0 : -EBADMSG;
        if (res->r == 0)
                res->r = protocol_read_commit(&f, &c);
        while (res->r == 0 && protocol_next_op(&c, &op) > 0) {
                struct object *o = find(m, &op);
                res->r = store_expect(&op, o ? o->rev : 0);
                if (res->r == 0)
                        apply_op(m, &op, &undo[n++]);
        }
        if (res->r == 0)
                res->rev = ++m->rev;
        else
                res->op = n;
        while (n-- > 0)
                if (res->r < 0)
                        take_back(m, &undo[n]);
                else if (undo[n].op.what != OP_CHECK)
                        object_free(undo[n].before);
}

/* Zero would stop the timer: what is due is due in a nanosecond. */
static void arm(struct memory_store *m)
{
        struct itimerspec when = { 0 };
        if (m->loaded) {
                when.it_value.tv_nsec = 1;
        } else if (!list_is_empty(&m->delayed)) {
                struct delayed *d = container_of(m->delayed.next, struct delayed, link);
                uint64_t now = time_monotonic_ms(), wait = d->due_ms > now ? d->due_ms - now : 0;
                when.it_value = (struct timespec){ (time_t)(wait / 1000), (long)(wait % 1000) * 1000000 + 1 };
        }
        timerfd_settime(m->base.fd, 0, &when, NULL);
}

static int by_key(struct object *a, struct object *b)
{
        int r = strcmp(a->kind, b->kind);
        if (r == 0)
                r = strcmp(a->project, b->project);
        return r ? r : strcmp(a->name, b->name);
}

static void answer_load(struct memory_store *m)
{
        store_loaded_fn *loaded = TAKE_PTR(m->loaded);
        HASH_SORT(m->objects, by_key);
        for (struct object *o = m->objects; o; o = o->hh.next) {
                struct store_record record = {
                        o->kind, o->project, o->name, o->rev, migrate_newest(store_migrations, o->kind),
                        o->json
                };
                m->record(m->load_data, &record);
        }
        m->is_loaded = true;
        loaded(m->load_data, 0, NULL);
}

static void finish(struct memory_store *m, struct delayed *d, struct store_result *res)
{
        list_remove(&d->link);
        m->base.n_pending--;
        if (res->r == 0)
                apply_txn(m, d->txn, res);
        d->done(d->data, res);
        store_txn_free(d->txn);
        free(d);
}

static void memory_on_readable(struct store *s)
{
        struct memory_store *m = memory(s);
        uint64_t ticks, now = time_monotonic_ms();
        size_t n = s->n_pending; /* what a callback commits waits for the next turn, even without a delay */
        (void)!read(s->fd, &ticks, sizeof ticks); /* only to make it unreadable again */
        if (m->loaded)
                answer_load(m);
        while (n-- > 0) {
                struct delayed *d = container_of(m->delayed.next, struct delayed, link);
                if (d->due_ms > now)
                        break;
                struct store_result res = { .r = d->failure };
                finish(m, d, &res);
        }
        arm(m);
}

static void memory_load(struct store *s, store_record_fn *record, store_loaded_fn *loaded, void *data)
{
        struct memory_store *m = memory(s);
        m->record = record;
        m->loaded = loaded;
        m->load_data = data;
        arm(m);
}

static int memory_commit(struct store *s, struct store_txn *take_txn, store_done_fn *done, void *data)
{
        struct memory_store *m = memory(s);
        struct delayed *d = xnew(struct delayed);
        *d = (struct delayed){ .txn = take_txn, .done = done, .data = data };
        d->due_ms = time_monotonic_ms() + m->delay_ms;
        d->failure = m->next_failure;
        m->next_failure = 0;
        list_append(&m->delayed, &d->link);
        s->n_pending++;
        arm(m);
        return 0;
}

static struct store *memory_free(struct store *s)
{
        struct memory_store *m = memory(s);
        struct object *o, *next;
        while (!list_is_empty(&m->delayed)) {
                struct store_result res = { .r = -ECANCELED };
                finish(m, container_of(m->delayed.next, struct delayed, link), &res);
        }
        HASH_ITER (hh, m->objects, o, next) {
                HASH_DEL(m->objects, o);
                object_free(o);
        }
        fd_close(s->fd);
        free(m);
        return NULL;
}

static bool memory_is_up(const struct store *s)
{
        return memory(s)->is_loaded;
}

static pid_t memory_child_pid(const struct store *s _unused_)
{
        return 0;
}

static const struct store_ops memory_ops = {
        .free = memory_free,
        .load = memory_load,
        .commit = memory_commit,
        .on_readable = memory_on_readable,
        .is_up = memory_is_up,
        .child_pid = memory_child_pid,
};

struct store *store_memory_new(unsigned delay_ms)
{
        struct memory_store *m = xnew(struct memory_store);
        m->base = (struct store){ .ops = &memory_ops, .did = 0x12345 };
        m->base.fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
        if (m->base.fd < 0)
                abort();
        m->delay_ms = delay_ms;
        list_init(&m->delayed);
        return &m->base;
}

void store_memory_fail_next(struct store *s, int r)
{
        assert(s->ops == &memory_ops);
        memory(s)->next_failure = r;
}
