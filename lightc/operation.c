/* SPDX-License-Identifier: Apache-2.0 */
#include "lightc/operation.h"
#include "base/alloc.h"
#include "lightc/interrupt.h"
#include "lightc/progress.h"

#include <stdio.h>

#define TICK_MS 100

struct waiting {
        struct client *client;
        struct client side; /* asks for progress and cancels while the main connection waits */
        const char *id, *stage;
        struct progress progress;
        unsigned seen; /* Ctrl-Cs dealt with */
};

static bool is_finished(struct json_object *op)
{
        return json_get_int(op, "status_code", 0) >= 200;
}

static const char *ready_text(struct json_object *meta)
{
        if (!meta)
                return NULL;
        json_object_object_foreach(meta, key, value)
                if (str_ends(key, "_progress") && json_object_is_type(value, json_type_string) &&
                    !str_empty(json_object_get_string(value)))
                        return json_object_get_string(value);
        return NULL;
}

/*
 * The generic form is {"stage","percent"} with a ready text in <stage>_progress beside it: "42% (10MB/s)" from our own
 * daemon, "Unpack: 42% (10MB/s)", which names the stage itself, from an LXD. Texts of earlier stages stay in the
 * metadata, so the stage decides which one counts.
 */
static void show_metadata(struct waiting *w, struct json_object *op)
{
        struct json_object *meta = json_get_object(op, "metadata"), *generic = json_get_object(meta, "progress");
        const char *stage = json_get_string(generic, "stage", "");
        _cleanup_free_ char *key = xasprintf("%s_progress", stage);
        const char *text = *stage ? json_get_string(meta, key, NULL) : ready_text(meta);
        if (!*stage || (text && strchr(text, ':'))) {
                progress_show(&w->progress, w->stage, text);
                return;
        }
        _cleanup_free_ char *title = xasprintf("%s: %s", w->stage, stage);
        _cleanup_free_ char *percent = xasprintf("%s%%", json_get_string(generic, "percent", ""));
        progress_show(&w->progress, title, !str_empty(text) ? text : percent[1] ? percent : NULL);
}

static void ask_progress(struct waiting *w)
{
        _cleanup_json_ struct json_object *op = NULL;
        _cleanup_free_ char *url = client_url(&w->side, NULL, "operations", w->id, NULL);
        if (client_get(&w->side, url, &op, NULL) == 0 && !is_finished(op))
                show_metadata(w, op);
}

static void cancel(struct waiting *w)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        _cleanup_free_ char *url = client_url(&w->side, NULL, "operations", w->id, NULL);
        progress_clear(&w->progress);
        if (client_put(&w->side, "DELETE", url, NULL, NULL, &err) == 0)
                fprintf(stderr, "Cancelling; press Ctrl-C again to leave it running\n");
        else
                fprintf(stderr, "It cannot be cancelled (%s); press Ctrl-C again to leave it running\n",
                        error_message(&err));
}

static int tick(void *data)
{
        struct waiting *w = data;
        unsigned n = interrupt_count();
        if (n >= 2) {
                progress_clear(&w->progress);
                fprintf(stderr, "It goes on without you; watch it with: lightc operation show %s\n", w->id);
                return -1;
        }
        if (n > w->seen)
                cancel(w);
        w->seen = n;
        if (w->progress.is_drawn || w->progress.is_listed)
                ask_progress(w);
        return 0;
}

static int check_result(struct json_object *op, struct error *err)
{
        const char *sentence = json_get_string(op, "err", "");
        struct json_object *meta = json_get_object(op, "metadata");
        int status = (int)json_get_int(op, "status_code", 400);
        if (status == 200)
                return 0;
        enum error_code code = status == 401 ? ERR_CANCELLED : error_code_from_reason(json_get_string(meta, "reason", ""));
        int r = error_set(err, code == ERR_NONE ? ERR_INTERNAL : code, "%s",
                          *sentence ? sentence : status == 401 ? "Cancelled" : "The operation failed");
        const char *hint = json_get_string(op, "err_hint", json_get_string(meta, "hint", NULL));
        if (!str_empty(hint))
                error_hint(err, "%s", hint);
        return r;
}

static int wait_for_answer(struct client *c, struct waiting *w, struct json_object **ret, struct error *err)
{
        _cleanup_free_ char *url = client_url(c, "timeout=-1", "operations", w->id, "wait", NULL);
        struct client_tick t = { .fn = tick, .data = w, .interval_ms = TICK_MS };
        interrupt_catch();
        c->tick = &t;
        int r = client_get(c, url, ret, err);
        c->tick = NULL;
        interrupt_release();
        progress_clear(&w->progress);
        return r;
}

int operation_wait(struct client *c, struct json_object *operation, const char *stage,
                   struct json_object **ret_operation, struct error *err)
{
        _cleanup_json_ struct json_object *op = json_object_get(operation);
        struct waiting w = { .client = c, .id = json_get_string(operation, "id", ""), .stage = stage };
        if (!is_finished(op)) {
                client_init(&w.side);
                w.side.project = c->project;
                progress_init(&w.progress, c->is_quiet, c->is_verbose);
                op = (json_object_put(op), NULL);
                int r = wait_for_answer(c, &w, &op, err);
                client_done(&w.side);
                if (r < 0)
                        return r;
        }
        int r = check_result(op, err);
        if (r == 0 && ret_operation)
                *ret_operation = TAKE_PTR(op);
        return r;
}

int operation_run(struct client *c, const struct request *req, const char *stage, struct json_object **ret_operation,
                  struct error *err)
{
        _cleanup_json_ struct json_object *envelope = NULL;
        int r = client_call(c, req, &envelope, err);
        if (r < 0 || !streq(json_get_string(envelope, "type", ""), "async"))
                return r;
        return operation_wait(c, json_get_object(envelope, "metadata"), stage, ret_operation, err);
}

int operation_do(struct client *c, const char *method, const char *url, struct json_object *body, const char *stage,
                 struct error *err)
{
        struct request req = { .method = method, .url = url, .json = body };
        return operation_run(c, &req, stage, NULL, err);
}
