/* SPDX-License-Identifier: Apache-2.0 */
#include "server/object.h"
#include "server/internal.h"
#include "base/alloc.h"
#include "base/log.h"
#include "base/names.h"
#include "base/nearest.h"
#include "store/store.h"

#include <inttypes.h>
#include <stdio.h>

#define KINDS_MAX 32
#define LOAD_TIMEOUT_MS 60000

struct table {
        const struct object_kind *kind;
        struct object **items; /* sorted by project, name */
        size_t n;
        object_changed_fn changed;
        struct object **listed; /* what object_list() last gave out */
};

struct object_store {
        struct store *store;
        struct watch *watch;
        struct table tables[KINDS_MAX];
        size_t n_tables;
        struct list in_flight, waiting; /* changes */
        struct server *server;
        int load_result;
        bool is_loaded;
        struct error load_error;
};

struct step {
        const struct object_kind *kind;
        char *project, *name;
        uint64_t expected_rev;
        void *body; /* NULL: delete */
};

struct change {
        struct server *server;
        struct list node;
        struct step *steps;
        size_t n;
        change_done_fn done;
        void *data;
        int r;
        struct error err;
};

struct object_store *object_store_new(void)
{
        struct object_store *o = xnew(struct object_store);
        list_init(&o->in_flight);
        list_init(&o->waiting);
        return o;
}

static void object_free(struct object *o)
{
        type_free(o->kind->type, o->body);
        free(o->project);
        free(o->name);
        strbuf_done(&o->rest);
        free(o);
}

void object_store_free(struct object_store *os)
{
        for (size_t t = 0; t < os->n_tables; t++) {
                for (size_t i = 0; i < os->tables[t].n; i++)
                        object_free(os->tables[t].items[i]);
                free(os->tables[t].items);
                free(os->tables[t].listed);
        }
        error_done(&os->load_error);
        free(os);
}

void object_kind_register(struct server *s, const struct object_kind *kind)
{
        struct object_store *os = s->objects;
        assert(os->n_tables < KINDS_MAX);
        os->tables[os->n_tables++] = (struct table){ .kind = kind };
}

static struct table *table_of(struct server *s, const struct object_kind *kind)
{
        for (size_t t = 0; t < s->objects->n_tables; t++)
                if (s->objects->tables[t].kind == kind)
                        return &s->objects->tables[t];
        fprintf(stderr, "fatal: kind \"%s\" is not registered\n", kind->name);
        abort();
}

static struct table *table_by_name(struct object_store *os, const char *kind)
{
        for (size_t t = 0; t < os->n_tables; t++)
                if (streq(os->tables[t].kind->name, kind))
                        return &os->tables[t];
        return NULL;
}

void object_on_change(struct server *s, const struct object_kind *kind, object_changed_fn fn)
{
        table_of(s, kind)->changed = fn;
}

static int compare_to(const struct object *o, const char *project, const char *name)
{
        int c = strcmp(o->project, project);
        return c ? c : strcmp(o->name, name);
}

static size_t place_of(const struct table *t, const char *project, const char *name, bool *ret_found)
{
        size_t lo = 0, hi = t->n;
        *ret_found = false;
        while (lo < hi) {
                size_t mid = (lo + hi) / 2;
                int c = compare_to(t->items[mid], project, name);
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

struct object *object_find(struct server *s, const struct object_kind *kind, const char *project, const char *name)
{
        bool found;
        struct table *t = table_of(s, kind);
        size_t i = place_of(t, project, name, &found);
        return found ? t->items[i] : NULL;
}

/* What a person asks next: whether it was a slip, or which ones there are. */
static void hint_at_list(struct server *s, const struct object_kind *kind, const char *project, const char *name,
                         struct error *err)
{
        static const char *const lists[][2] = {
                { "instance", "list" },          { "profile", "profile list" }, { "storage-pool", "storage list" },
                { "network", "network list" }, { "image-alias", "image alias list" },
        };
        struct nearest near = nearest_to(name);
        struct table *t = table_of(s, kind);
        for (size_t i = 0; i < t->n; i++)
                if (streq(t->items[i]->project, project))
                        nearest_offer(&near, t->items[i]->name);
        for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
                if (streq(lists[i][0], kind->name) && near.best)
                        error_hint(err, "did you mean \"%s\"? \"lightc %s\" shows the ones there are", near.best, lists[i][1]);
                else if (streq(lists[i][0], kind->name))
                        error_hint(err, "\"lightc %s\" shows the ones there are", lists[i][1]);
}

int object_get(struct server *s, const struct object_kind *kind, const char *project, const char *name,
               struct object **ret, struct error *err)
{
        *ret = object_find(s, kind, project, name);
        if (*ret)
                return 0;
        _cleanup_free_ char *shown = name_printable(name);
        if (str_empty(project) || streq(project, "default"))
                error_set(err, ERR_NOT_FOUND, "%s \"%s\" not found", kind->title, shown);
        else
                error_set(err, ERR_NOT_FOUND, "%s \"%s\" not found in project \"%s\"", kind->title, shown, project);
        hint_at_list(s, kind, project, name, err);
        return error_object(err, kind->name, name);
}

size_t object_list(struct server *s, const struct object_kind *kind, const char *project, struct object ***ret)
{
        struct table *t = table_of(s, kind);
        size_t n = 0;
        t->listed = xreallocarray(t->listed, t->n, sizeof *t->listed);
        for (size_t i = 0; i < t->n; i++)
                if (!project || streq(t->items[i]->project, project))
                        t->listed[n++] = t->items[i];
        *ret = t->listed;
        return n;
}

const struct strbuf *object_rest(struct object *o)
{
        if (!o->rest.len) {
                struct json_writer w = JSON_WRITER(&o->rest);
                type_encode(o->kind->type, o->body, TYPE_REST, &w);
        }
        return &o->rest;
}

char *object_etag(const struct object *o, char buf[static OBJECT_ETAG_SIZE])
{
        snprintf(buf, OBJECT_ETAG_SIZE, "r%" PRIx64, o->rev);
        return buf;
}

/* Swaps memory for one committed step. */
static void apply_put(struct table *t, const char *project, const char *name, uint64_t rev, void *take_body)
{
        bool found;
        size_t i = place_of(t, project, name, &found);
        if (!found) {
                t->items = xreallocarray(t->items, t->n + 1, sizeof *t->items);
                memmove(t->items + i + 1, t->items + i, (t->n - i) * sizeof *t->items);
                t->items[i] = xnew(struct object);
                t->items[i]->kind = t->kind;
                t->items[i]->project = xstrdup(project);
                t->items[i]->name = xstrdup(name);
                t->n++;
        }
        struct object *o = t->items[i];
        type_free(t->kind->type, o->body);
        o->body = take_body;
        o->rev = rev;
        strbuf_clear(&o->rest);
}

static void apply_delete(struct table *t, const char *project, const char *name)
{
        bool found;
        size_t i = place_of(t, project, name, &found);
        if (!found)
                return;
        object_free(t->items[i]);
        t->n--;
        memmove(t->items + i, t->items + i + 1, (t->n - i) * sizeof *t->items);
}

struct change *change_new(struct server *s)
{
        struct change *c = xnew(struct change);
        c->server = s;
        list_init(&c->node);
        return c;
}

void change_free(struct change *c)
{
        if (!c)
                return;
        for (size_t i = 0; i < c->n; i++) {
                free(c->steps[i].project);
                free(c->steps[i].name);
                type_free(c->steps[i].kind->type, c->steps[i].body);
        }
        free(c->steps);
        error_done(&c->err);
        list_remove(&c->node);
        free(c);
}

static void add_step(struct change *c, const struct object_kind *kind, const char *project, const char *name,
                     uint64_t expected_rev, void *take_body)
{
        c->steps = xreallocarray(c->steps, c->n + 1, sizeof *c->steps);
        c->steps[c->n++] = (struct step){ kind, xstrdup(project), xstrdup(name), expected_rev, take_body };
}

void change_put(struct change *c, const struct object_kind *kind, const char *project, const char *name,
                uint64_t expected_rev, void *take_body)
{
        add_step(c, kind, project, name, expected_rev, take_body);
}

void change_delete(struct change *c, const struct object_kind *kind, const char *project, const char *name,
                   uint64_t expected_rev)
{
        add_step(c, kind, project, name, expected_rev, NULL);
}

static bool shares_a_key(const struct change *a, const struct change *b)
{
        for (size_t i = 0; i < a->n; i++)
                for (size_t k = 0; k < b->n; k++)
                        if (a->steps[i].kind == b->steps[k].kind && streq(a->steps[i].name, b->steps[k].name) &&
                            streq(a->steps[i].project, b->steps[k].project))
                                return true;
        return false;
}

static bool must_wait(struct object_store *os, const struct change *c)
{
        struct change *other;
        list_for_each (other, &os->in_flight, node)
                if (shares_a_key(other, c))
                        return true;
        list_for_each (other, &os->waiting, node) {
                if (other == c)
                        break;
                if (shares_a_key(other, c))
                        return true;
        }
        return false;
}

static void start_change(struct change *c);

static void finish(struct change *c)
{
        struct object_store *os = c->server->objects;
        list_remove(&c->node);
        if (c->done)
                c->done(c->data, c->r, &c->err);
        change_free(c);
        struct change *next;
        list_for_each (next, &os->waiting, node)
                if (!must_wait(os, next)) {
                        start_change(next);
                        break; /* the lists may have changed: the next finish looks again */
                }
}

static void finish_later(void *data)
{
        finish(data);
}

static void apply(struct change *c, uint64_t rev)
{
        for (size_t i = 0; i < c->n; i++) {
                struct step *step = &c->steps[i];
                struct table *t = table_of(c->server, step->kind);
                if (step->body)
                        apply_put(t, step->project, step->name, rev, TAKE_PTR(step->body));
                else
                        apply_delete(t, step->project, step->name);
        }
        for (size_t i = 0; i < c->n; i++) {
                struct table *t = table_of(c->server, c->steps[i].kind);
                if (t->changed)
                        t->changed(c->server, t->kind, c->steps[i].project, c->steps[i].name);
        }
}

static void say_why(struct change *c, int r, size_t op)
{
        const struct step *step = &c->steps[MIN(op, c->n - 1)];
        c->r = r;
        switch (r) {
        case -EEXIST:
                error_set(&c->err, ERR_EXISTS, "%s \"%s\" already exists", step->kind->title, step->name);
                break;
        case -ENOENT:
                error_set(&c->err, ERR_NOT_FOUND, "%s \"%s\" not found", step->kind->title, step->name);
                break;
        case -ESTALE:
                error_set(&c->err, ERR_CONFLICT, "%s \"%s\" was changed by somebody else meanwhile", step->kind->title,
                          step->name);
                error_hint(&c->err, "Read it again and repeat the change");
                break;
        case -EHOSTDOWN:
                error_set(&c->err, ERR_UNAVAILABLE, "The database cannot be written now");
                error_hint(&c->err, "See the daemon's log; reading still works");
                break;
        default:
                error_set_errno(&c->err, r, "Storing %s \"%s\"", step->kind->name, step->name);
        }
        error_object(&c->err, step->kind->name, step->name);
}

static void on_stored(void *data, const struct store_result *result)
{
        struct change *c = data;
        if (result->r == 0)
                apply(c, result->rev);
        else
                say_why(c, result->r, result->op);
        finish(c);
}

/* The first expectation that memory already knows to be wrong; -1: none. */
static int check_expectations(struct change *c, size_t *ret_op)
{
        for (size_t i = 0; i < c->n; i++) {
                const struct step *step = &c->steps[i];
                struct object *o = object_find(c->server, step->kind, step->project, step->name);
                *ret_op = i;
                if (step->expected_rev == OBJECT_REV_NEW && o)
                        return -EEXIST;
                if (step->expected_rev == OBJECT_REV_ANY || step->expected_rev == OBJECT_REV_NEW)
                        continue;
                if (!o)
                        return -ENOENT;
                if (o->rev != step->expected_rev)
                        return -ESTALE;
        }
        return 0;
}

static struct store_txn *encode(struct change *c)
{
        struct store_txn *txn = store_txn_new();
        for (size_t i = 0; i < c->n; i++) {
                _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
                struct json_writer w = JSON_WRITER(&b);
                const struct step *step = &c->steps[i];
                if (!step->body) {
                        store_txn_delete(txn, step->kind->name, step->project, step->name, step->expected_rev);
                        continue;
                }
                type_encode(step->kind->type, step->body, TYPE_STORED, &w);
                store_txn_put(txn, step->kind->name, step->project, step->name, step->expected_rev, b.data);
        }
        return txn;
}

static void start_change(struct change *c)
{
        struct object_store *os = c->server->objects;
        size_t op = 0;
        list_remove(&c->node);
        list_append(&os->in_flight, &c->node);
        int r = check_expectations(c, &op);
        if (r == 0 && c->n)
                r = store_commit(os->store, encode(c), on_stored, c);
        if (r < 0)
                say_why(c, r, op);
        if (r < 0 || !c->n)
                timer_start(c->server, 0, finish_later, c);
}

void change_commit(struct change *c, change_done_fn done, void *data)
{
        struct object_store *os = c->server->objects;
        c->done = done;
        c->data = data;
        list_append(&os->waiting, &c->node);
        if (!must_wait(os, c))
                start_change(c);
}

static void on_record(void *data, const struct store_record *rec)
{
        struct object_store *os = data;
        _cleanup_json_ struct json_object *json = NULL;
        struct table *t = table_by_name(os, rec->kind);
        if (!t) {
                log_warning("store: object \"%s\" of unknown kind \"%s\" is kept, not used", rec->name, rec->kind);
                return;
        }
        void *body = type_new(t->kind->type);
        struct error *err = &os->load_error;
        int r = json_parse(rec->json, strlen(rec->json), &json, err);
        if (r >= 0)
                r = type_decode(t->kind->type, json, TYPE_LOAD, body, err);
        if (r < 0) {
                error_prefix(err, "Loading %s \"%s\"", rec->kind, rec->name);
                os->load_result = r;
                type_free(t->kind->type, body);
                return;
        }
        apply_put(t, rec->project, rec->name, rec->rev, body);
}

static void on_loaded(void *data, int r, const struct error *err)
{
        struct object_store *os = data;
        os->is_loaded = true;
        if (r < 0) {
                os->load_result = r;
                error_set(&os->load_error, err->code, "%s", error_message(err));
                if (err->hint)
                        error_hint(&os->load_error, "%s", err->hint);
        }
}

/* For failpoints aimed at the store: workers inherit it. */
static void announce_child(struct server *s)
{
        char pid[16];
        snprintf(pid, sizeof pid, "%d", (int)store_child_pid(s->objects->store));
        setenv("LIGHTD_STORE_PID", pid, 1);
}

static void on_state(void *data, bool is_up, const char *why)
{
        if (is_up)
                announce_child(data);
        if (is_up)
                log_info("store: writable again");
        else
                log_error("store: read-only: %s", why);
}

static void on_store_readable(void *data, int fd _unused_, int events _unused_)
{
        struct object_store *os = data;
        store_on_readable(os->store);
}

static int load(struct server *s, struct error *err)
{
        struct object_store *os = s->objects;
        os->server = s;
        store_load(os->store, on_record, on_loaded, os);
        while (!os->is_loaded) {
                int r = store_poll(os->store, LOAD_TIMEOUT_MS);
                if (r < 0)
                        return error_set_errno(err, r, "Opening the database in \"%s\"", s->dir);
        }
        if (os->load_result < 0) {
                int r = os->load_result;
                error_move(err, &os->load_error);
                return r;
        }
        os->watch = watch_start(s, store_fd(os->store), UV_READABLE, on_store_readable, os);
        return 0;
}

int object_store_open(struct server *s, struct error *err)
{
        static const char digits[] = "0123456789abcdefghjkmnpqrstvwxyz";
        _cleanup_free_ char *dir = xasprintf("%s/database", s->dir);
        struct store_options options = { .dir = dir, .on_state = on_state, .data = s };
        int r = store_open(&options, &s->objects->store, err);
        if (r >= 0)
                r = load(s, err);
        if (r < 0)
                return r;
        uint32_t did = store_did(s->objects->store);
        for (int i = 0; i < 4; i++)
                s->did[i] = digits[(did >> (15 - 5 * i)) & 31];
        announce_child(s);
        return 0;
}

int object_store_open_memory(struct server *s, unsigned commit_ms)
{
        s->objects->store = store_memory_new(commit_ms);
        memcpy(s->did, "test", 5);
        return load(s, NULL);
}

void object_store_close(struct server *s)
{
        watch_stop(TAKE_PTR(s->objects->watch));
        s->objects->store = s->objects->store ? store_free(s->objects->store) : NULL;
}

bool object_store_is_writable(struct server *s)
{
        return s->objects->store && store_is_up(s->objects->store);
}
