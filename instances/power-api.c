/* SPDX-License-Identifier: Apache-2.0 */
/*
 * PUT /1.0/instances/{name}/state and DELETE: start, stop, restart, freeze, unfreeze, delete as operations. PUT /1.0/instances
 * does one of them with all instances for which it makes sense.
 */
#include "instances/power-api.h"
#include "instances/delete.h"
#include "base/alloc.h"
#include "projects/project.h"

enum then { THEN_NOTHING, THEN_START, THEN_DELETE };

struct bulk;

struct action {
        struct instance *instance;
        struct operation *op;
        struct bulk *bulk; /* NULL: alone, the operation ends with it */
        const char *event;
        enum then then;
};

/* One action for many instances, side by side. */
struct bulk {
        struct operation *op;
        size_t n_left, n_failed;
        struct error error; /* the first failure */
};

static void bulk_release(struct bulk *b)
{
        if (--b->n_left > 0)
                return;
        if (b->n_failed > 1)
                error_prefix(&b->error, "%zu instances failed, the first so", b->n_failed);
        if (b->n_failed)
                operation_fail(b->op, &b->error);
        else
                operation_succeed(b->op, NULL);
        error_done(&b->error);
        free(b);
}

static void bulk_failed(struct bulk *b, struct error *err)
{
        if (b->n_failed++ == 0)
                error_move(&b->error, err);
}

static void end(struct action *a, int r, struct error *err, bool is_gone)
{
        if (!is_gone)
                instance_release(a->instance);
        if (a->bulk && r < 0)
                bulk_failed(a->bulk, err);
        if (a->bulk)
                bulk_release(a->bulk);
        else if (r < 0)
                operation_fail(a->op, err);
        else
                operation_succeed(a->op, NULL);
        free(a);
}

static void on_deleted(void *data, int r, struct error *err)
{
        end(data, r, err, r >= 0);
}

static void on_started(void *data, int r, struct error *err)
{
        struct action *a = data;
        if (r >= 0)
                instance_event(a->instance, NULL, a->event, NULL);
        end(a, r, err, false);
}

static void on_stopped(void *data, int r, struct error *err)
{
        struct action *a = data;
        if (r >= 0 && a->then == THEN_START) {
                instance_start(a->instance, a->op, on_started, a);
                return;
        }
        if (r >= 0)
                instance_event(a->instance, NULL, a->event, NULL);
        if (r >= 0 && a->then == THEN_DELETE)
                instance_delete(a->instance, on_deleted, a);
        else
                end(a, r, err, false);
}

static void on_cancel(struct operation *op _unused_, void *data)
{
        struct action *a = data;
        instance_stop_cancel(a->instance);
}

struct wish {
        bool is_force;
        uint64_t timeout_ms;
};

struct action_row {
        const char *name, *description, *event;
        int (*check)(struct instance *i, struct error *err);
        void (*run)(struct action *a, const struct wish *w);
};

static int need_stopped(struct instance *i, struct error *err)
{
        if (i->state == INSTANCE_STOPPED)
                return 0;
        error_set(err, ERR_WRONG_STATE, "Instance \"%s\" is already running", i->name);
        return error_object(err, "instance", i->name);
}

static int need_running(struct instance *i, struct error *err)
{
        if (instance_is_running(i))
                return 0;
        error_set(err, ERR_WRONG_STATE, "Instance \"%s\" is not running", i->name);
        error_hint(err, "lightc start %s", i->name);
        return error_object(err, "instance", i->name);
}

/* To be told how to start it is no help to whom it should stop. */
static int need_not_stopped(struct instance *i, struct error *err)
{
        if (instance_is_running(i))
                return 0;
        error_set(err, ERR_WRONG_STATE, "Instance \"%s\" is not running", i->name);
        return error_object(err, "instance", i->name);
}

static int need_unfrozen(struct instance *i, struct error *err)
{
        int r = need_running(i, err);
        if (r < 0 || i->state != INSTANCE_FROZEN)
                return r;
        error_set(err, ERR_WRONG_STATE, "Instance \"%s\" is already frozen", i->name);
        return error_object(err, "instance", i->name);
}

static int need_frozen(struct instance *i, struct error *err)
{
        if (i->state == INSTANCE_FROZEN)
                return 0;
        error_set(err, ERR_WRONG_STATE, "Instance \"%s\" is not frozen", i->name);
        return error_object(err, "instance", i->name);
}

static void run_start(struct action *a, const struct wish *w _unused_)
{
        instance_start(a->instance, a->op, on_started, a);
}

/* A frozen init hears nothing: asking it to stop thaws it first. */
static void run_stop(struct action *a, const struct wish *w)
{
        struct instance *i = a->instance;
        if (i->state == INSTANCE_FROZEN && !w->is_force)
                instance_freeze(i, false, NULL);
        if (a->then != THEN_START && !w->is_force)
                a->event = "instance-shutdown";
        if (a->then == THEN_NOTHING && instance_body(i)->ephemeral)
                a->then = THEN_DELETE;
        instance_stop(i, w->is_force, w->timeout_ms, on_stopped, a);
}

static void run_restart(struct action *a, const struct wish *w)
{
        a->then = THEN_START;
        a->instance->is_restart = true;
        run_stop(a, w);
}

static void freeze(struct action *a, bool is_frozen)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        int r = instance_freeze(a->instance, is_frozen, &err);
        if (r >= 0)
                instance_event(a->instance, NULL, a->event, NULL);
        end(a, r, &err, false);
}

static void run_freeze(struct action *a, const struct wish *w _unused_)
{
        freeze(a, true);
}

static void run_unfreeze(struct action *a, const struct wish *w _unused_)
{
        freeze(a, false);
}

static const struct action_row actions[] = {
        { "start", "Starting instance", "instance-started", need_stopped, run_start },
        { "stop", "Stopping instance", "instance-stopped", need_not_stopped, run_stop },
        { "restart", "Restarting instance", "instance-restarted", need_running, run_restart },
        { "freeze", "Freezing instance", "instance-paused", need_unfrozen, run_freeze },
        { "unfreeze", "Unfreezing instance", "instance-resumed", need_frozen, run_unfreeze },
};

static int find_action(const char *name, const struct action_row **ret, struct error *err)
{
        for (size_t i = 0; i < ARRAY_SIZE(actions); i++)
                if (streq(actions[i].name, name)) {
                        *ret = &actions[i];
                        return 0;
                }
        return error_set(err, ERR_BAD_REQUEST, "Unknown action \"%.32s\": start, stop, restart, freeze or unfreeze", name);
}

static struct action *action_new(struct request *req, struct instance *i, const char *description, const char *event,
                                 bool may_cancel)
{
        struct action *a = xnew(struct action);
        struct operation_spec spec = { .class = OPERATION_TASK, .description = description, .project = i->project,
                                       INSTANCE_RESOURCE(i->name),
                                       .cancel = may_cancel ? on_cancel : NULL, .data = a };
        a->instance = i;
        a->event = event;
        a->op = operation_new(req->server, req, &spec);
        return a;
}

static int read_wish(struct json_object *body, const struct action_row **ret_row, struct wish *ret, struct error *err)
{
        struct instance_state_put put = { 0 };
        int r = type_decode(&instance_state_put_type, body, TYPE_REPLACE, &put, err);
        if (r >= 0)
                r = find_action(put.action, ret_row, err);
        if (r >= 0 && put.is_stateful)
                r = error_set(err, ERR_UNSUPPORTED, "Stateful stop and start are not there in this release");
        ret->is_force = put.is_force;
        ret->timeout_ms = put.timeout > 0 ? (uint64_t)MIN(put.timeout, 86400) * 1000 : 0;
        type_done(&instance_state_put_type, &put);
        return r;
}

void instance_put_state(struct request *req)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        const struct action_row *row = NULL;
        struct wish w;
        struct instance *i = instance_of_request(req);
        if (!i)
                return;
        int r = read_wish(req->body, &row, &w, &err);
        if (r >= 0 && !i->busy)
                r = row->check(i, &err);
        if (r >= 0)
                r = instance_claim(i, row->name, NULL, &err);
        if (r < 0) {
                reply_error(req, &err);
                return;
        }
        struct action *a = action_new(req, i, row->description, row->event, row->run == run_stop || row->run == run_restart);
        i->busy_op = a->op;
        reply_operation(req, a->op);
        row->run(a, &w);
}

static bool is_meant(struct request *req, const char *project, const struct action_row *row, struct instance *i)
{
        return !instance_tree_is_empty(req) && streq(i->project, project) && row->check(i, NULL) >= 0;
}

/* Claims the instance for the bulk; NULL: it is busy, which is a failure of its own. */
static struct action *bulk_add(struct bulk *b, struct instance *i, const struct action_row *row)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        _cleanup_free_ char *url = instance_url(i);
        operation_add_resource(b->op, "instances", url);
        if (instance_claim(i, row->name, b->op, &err) < 0) {
                bulk_failed(b, &err);
                return NULL;
        }
        struct action *a = xnew(struct action);
        *a = (struct action){ .instance = i, .op = b->op, .bulk = b, .event = row->event };
        b->n_left++;
        return a;
}

void instances_put(struct request *req)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        const struct action_row *row = NULL;
        const char *project;
        struct wish w;
        size_t n = 0;
        int r = project_of_request(req, PROJECT_INSTANCES, &project, &err);
        if (r >= 0)
                r = read_wish(json_get_object(req->body, "state"), &row, &w, &err);
        if (r < 0) {
                reply_error(req, &err);
                return;
        }
        struct operation_spec spec = { .class = OPERATION_TASK, .description = row->description, .project = project };
        struct bulk *b = xnew(struct bulk);
        struct action **actions = xnew_array(struct action *, instance_count(req->server) + 1);
        b->op = operation_new(req->server, req, &spec);
        b->n_left = 1; /* this function's own */
        for (struct instance *i = instance_next(req->server, NULL); i; i = instance_next(req->server, i))
                if (is_meant(req, project, row, i) && (actions[n] = bulk_add(b, i, row)))
                        n++;
        reply_operation(req, b->op);
        for (size_t k = 0; k < n; k++)
                row->run(actions[k], &w);
        bulk_release(b);
        free(actions);
}

void instance_delete_request(struct request *req)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct instance *i = instance_of_request(req);
        if (!i)
                return;
        int r = instance_claim(i, "delete", NULL, &err);
        if (r >= 0 && i->state != INSTANCE_STOPPED) {
                instance_release(i);
                r = error_set(&err, ERR_WRONG_STATE, "Instance \"%s\" is running", i->name);
                error_hint(&err, "Stop it first, or: lightc delete --force %s", i->name);
        }
        if (r < 0) {
                reply_error(req, &err);
                return;
        }
        struct action *a = action_new(req, i, "Deleting instance", "instance-deleted", false);
        i->busy_op = a->op;
        reply_operation(req, a->op);
        instance_delete(i, on_deleted, a);
}
