/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boot and shutdown of the whole set. volatile.last_state.power remembers "RUNNING" over `lightd shutdown` and over a
 * host's reboot; without boot.autostart it decides.
 */
#include "instances/autostart.h"
#include "instances/delete.h"
#include "instances/instances.h"
#include "instances/power.h"
#include "base/alloc.h"
#include "base/log.h"

/* Not a pointer: an instance may be deleted before its turn, and another may get its number. */
struct turn {
        uint32_t num;
        int64_t created_at;
};

struct boot {
        struct server *server;
        struct turn *queue;
        size_t n, next;
};

static int64_t number(struct instance *i, const char *key, int64_t fallback)
{
        const char *text = strmap_get(instance_config(i), key);
        return str_empty(text) ? fallback : strtoll(text, NULL, 10);
}

static struct instance_volatile *volatile_next(struct instance *i, const char *last_state)
{
        struct instance_volatile *v = type_new(&instance_volatile_type);
        strmap_copy(&v->config, instance_volatile(i));
        strmap_set(&v->config, VOLATILE_POWER, last_state);
        return v;
}

static void note(struct instance *i, const char *last_state, uint64_t expected_rev)
{
        struct change *c = change_new(i->server);
        change_put(c, &instance_volatile_kind, i->project, i->name, expected_rev, volatile_next(i, last_state));
        change_commit(c, NULL, NULL);
}

/* Of one that is not claimed; by its revision, so that what is being deleted does not come back. */
static void forget_last_state(struct instance *i)
{
        struct object *o = object_find(i->server, &instance_volatile_kind, i->project, i->name);
        if (o)
                note(i, NULL, o->rev);
}

void autostart_note_lost(struct instance *i)
{
        note(i, "RUNNING", OBJECT_REV_ANY);
}

static bool starts_by_itself(struct instance *i)
{
        const char *wish = strmap_get(instance_config(i), "boot.autostart");
        if (streq(instance_power(i)->state, "restarting"))
                return true; /* a reboot or a restart that the last daemon did not live to finish */
        if (!str_empty(wish))
                return strmap_get_bool(instance_config(i), "boot.autostart", false);
        return streq(strmap_get(instance_volatile(i), VOLATILE_POWER), "RUNNING");
}

/* Anything but "stopped" in the store: it runs, or ran when its host went down. */
bool instances_want_daemon(struct server *s)
{
        struct object **objects;
        size_t n = object_list(s, &instance_kind, NULL, &objects);
        for (size_t k = 0; k < n; k++)
                instance_load(s, objects[k]);
        for (struct instance *i = instance_next(s, NULL); i; i = instance_next(s, i))
                if (!streq(instance_power(i)->state, "stopped") || starts_by_itself(i))
                        return true;
        return false;
}

/* Higher boot.autostart.priority first, then by name. */
static int compare_boot(const void *a, const void *b)
{
        struct instance *x = *(struct instance *const *)a, *y = *(struct instance *const *)b;
        int64_t px = number(x, "boot.autostart.priority", 0), py = number(y, "boot.autostart.priority", 0);
        if (px != py)
                return px > py ? -1 : 1;
        return strcmp(x->key, y->key);
}

/* NULL when it is no more. */
static struct instance *instance_of_turn(const struct boot *b, size_t k)
{
        struct instance *i = instance_find_num(b->server, b->queue[k].num);
        bool is_it = i && instance_object(i) && instance_body(i)->created_at == b->queue[k].created_at;
        return is_it ? i : NULL;
}

static void boot_next(void *data);

static void on_started(void *data, int r, struct error *err)
{
        struct boot *b = data;
        struct instance *i = instance_of_turn(b, b->next++); /* still there, for it was claimed */
        instance_release(i);
        if (r < 0)
                log_error("autostart of instance \"%s\": %s", i->name, error_message(err));
        else
                instance_event(i, NULL, "instance-started", NULL);
        timer_start(b->server, (uint64_t)MAX(number(i, "boot.autostart.delay", 0), 0) * 1000, boot_next, b);
}

static void boot_next(void *data)
{
        struct boot *b = data;
        while (b->next < b->n) {
                struct instance *i = instance_of_turn(b, b->next);
                if (i && i->state == INSTANCE_STOPPED && instance_claim(i, "start", NULL, NULL) == 0) {
                        instance_start(i, NULL, on_started, b);
                        return;
                }
                b->next++;
        }
        for (size_t k = 0; k < b->n; k++) {
                struct instance *i = instance_of_turn(b, k);
                if (i)
                        forget_last_state(i);
        }
        free(b->queue);
        free(b);
}

/* Its run ended while nobody was there to delete it. One that never ran is kept. */
static bool is_used_up(struct instance *i)
{
        return instance_body(i)->ephemeral && instance_power(i)->started_at &&
               streq(instance_power(i)->state, "stopped");
}

static void delete_used_up(struct server *s)
{
        for (struct instance *i = instance_next(s, NULL); i; i = instance_next(s, i))
                if (!i->busy && is_used_up(i))
                        instance_delete_ephemeral(i);
}

void instances_autostart(struct server *s)
{
        struct boot *b = xnew(struct boot);
        delete_used_up(s);
        b->server = s;
        struct instance **list = xnew_array(struct instance *, instance_count(s));
        for (struct instance *i = instance_next(s, NULL); i; i = instance_next(s, i))
                if (i->state == INSTANCE_STOPPED && starts_by_itself(i))
                        list[b->n++] = i;
        if (b->n)
                qsort(list, b->n, sizeof *list, compare_boot);
        b->queue = xnew_array(struct turn, b->n);
        for (size_t k = 0; k < b->n; k++)
                b->queue[k] = (struct turn){ list[k]->num, instance_body(list[k])->created_at };
        free(list);
        boot_next(b);
}

/* ---- shutdown ---- */

struct shutdown {
        struct server *server;
        uint64_t timeout_ms;
        size_t n_open;
        int64_t priority; /* being stopped now */
        instances_done_fn done;
        void *data;
};

struct shutdown_one {
        struct shutdown *shutdown;
        struct instance *instance;
        bool is_forced;
};

static void stop_priority(struct shutdown *sd);

static void on_one_stopped(void *data, int r, struct error *err)
{
        struct shutdown_one *o = data;
        struct shutdown *sd = o->shutdown;
        if (r < 0 && !o->is_forced) {
                log_warning("%s; it is ended by force", error_message(err));
                o->is_forced = true;
                instance_stop(o->instance, true, 0, on_one_stopped, o);
                return;
        }
        instance_release(o->instance);
        free(o);
        if (--sd->n_open == 0)
                stop_priority(sd);
}

static void stop_one(struct shutdown *sd, struct instance *i)
{
        struct shutdown_one *o = xnew(struct shutdown_one);
        int64_t own = number(i, "boot.host_shutdown_timeout", 0);
        o->shutdown = sd;
        o->instance = i;
        sd->n_open++;
        note(i, "RUNNING", OBJECT_REV_ANY);
        if (i->state == INSTANCE_FROZEN)
                instance_freeze(i, false, NULL);
        instance_stop(i, false, own > 0 ? (uint64_t)own * 1000 : MAX(sd->timeout_ms, (uint64_t)1), on_one_stopped, o);
}

static bool highest_priority(struct server *s, int64_t *ret)
{
        bool found = false;
        for (struct instance *i = instance_next(s, NULL); i; i = instance_next(s, i)) {
                int64_t p = number(i, "boot.stop.priority", 0);
                if (instance_is_running(i) && !i->busy && (!found || p > *ret)) {
                        *ret = p;
                        found = true;
                }
        }
        return found;
}

/* All of one priority at once; the next when they are through. */
static void stop_priority(struct shutdown *sd)
{
        struct server *s = sd->server;
        if (!highest_priority(s, &sd->priority)) {
                sd->done(s, sd->data);
                free(sd);
                return;
        }
        for (struct instance *i = instance_next(s, NULL); i; i = instance_next(s, i))
                if (instance_is_running(i) && number(i, "boot.stop.priority", 0) == sd->priority &&
                    instance_claim(i, "stop", NULL, NULL) == 0)
                        stop_one(sd, i);
}

void instances_shutdown_all(struct server *s, uint64_t timeout_ms, instances_done_fn done, void *data)
{
        struct shutdown *sd = xnew(struct shutdown);
        sd->server = s;
        sd->timeout_ms = timeout_ms;
        sd->done = done;
        sd->data = data;
        stop_priority(sd);
}
