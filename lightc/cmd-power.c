/* SPDX-License-Identifier: Apache-2.0 */
/* start, stop, restart, pause: one request each, differing in a word. */
#include "base/alloc.h"
#include "lightc/console.h"
#include "lightc/operation.h"
#include "lightc/output.h"
#include "lightc/target.h"

#include <stdio.h>

struct power {
        const char *action, *stage;
};

static struct json_object *state_body(const struct power *p, const struct args *a, int timeout)
{
        struct json_object *body = json_object_new_object();
        json_set_string(body, "action", p->action);
        json_set_int(body, "timeout", timeout);
        json_set_bool(body, "force", args_has(a, "force"));
        json_set_bool(body, "stateful", args_has(a, "stateful"));
        return body;
}

/* Starting a frozen instance thaws it. LXD refuses with "already running", so that is when we look. */
static int thaw_if_frozen(struct client *c, const char *word, struct error *why)
{
        _cleanup_json_ struct json_object *instance = NULL;
        _cleanup_free_ char *url = NULL, *state = NULL;
        struct power p = { .action = "unfreeze" };
        if (target_instance(c, word, &url, NULL) < 0 || client_get(c, url, &instance, NULL) < 0 ||
            !streq(json_get_string(instance, "status", ""), "Frozen"))
                return error_errno(why->code);
        _cleanup_json_ struct json_object *body = state_body(&p, &(struct args){ 0 }, -1);
        state = client_url(c, NULL, "instances", json_get_string(instance, "name", ""), "state", NULL);
        error_done(why);
        return operation_do(c, "PUT", state, body, "Resuming", why);
}

static int begin(struct client *c, const char *word, struct json_object *body, struct json_object **ret_operation,
                 struct error *err)
{
        _cleanup_free_ char *name = NULL, *url = NULL;
        _cleanup_json_ struct json_object *envelope = NULL;
        const char *rest;
        int r = target_split(word, &name, &rest, err);
        if (r < 0)
                return r;
        if (rest)
                return error_set(err, ERR_BAD_REQUEST, "\"%s\" is a snapshot, not an instance", word);
        url = client_url(c, NULL, "instances", name, "state", NULL);
        struct request req = { .method = "PUT", .url = url, .json = body };
        r = client_call(c, &req, &envelope, err);
        if (r == 0)
                *ret_operation = json_object_get(json_get_object(envelope, "metadata"));
        return r;
}

static int finish(struct client *c, const struct power *p, const char *word, struct json_object *operation,
                  struct error *err)
{
        _cleanup_free_ char *stage = xasprintf("%s %s", p->stage, word);
        int r = operation_wait(c, operation, stage, NULL, err);
        if (r < 0 && streq(p->action, "start"))
                r = thaw_if_frozen(c, word, err);
        return r;
}

/* All are begun before the first is waited for: ten instances stop in the time of the slowest. */
static int act_on(struct client *c, const struct power *p, const struct args *a, const char *const *words, size_t n,
                  struct error *err)
{
        _cleanup_free_ struct json_object **operations = xnew_array(struct json_object *, n + 1);
        int timeout, status = args_int(a, "timeout", -1, &timeout, err);
        if (status)
                return status;
        _cleanup_json_ struct json_object *body = state_body(p, a, timeout);
        for (size_t i = 0; i < n; i++) {
                _cleanup_error_ struct error why = ERROR_INIT;
                if (begin(c, words[i], body, &operations[i], &why) < 0 &&
                    (!streq(p->action, "start") || thaw_if_frozen(c, words[i], &why) < 0)) {
                        output_error(words[i], &why);
                        status = STATUS_FAILED;
                }
        }
        for (size_t i = 0; i < n; i++) {
                _cleanup_error_ struct error why = ERROR_INIT;
                if (operations[i] && finish(c, p, words[i], operations[i], &why) < 0) {
                        output_error(words[i], &why);
                        status = why.code == ERR_CANCELLED ? STATUS_INTERRUPTED : STATUS_FAILED;
                }
                json_object_put(operations[i]);
        }
        return status;
}

/* --all: those which the action can change. */
static int act_on_all(struct client *c, const struct power *p, const struct args *a, struct error *err)
{
        _cleanup_json_ struct json_object *items = NULL;
        _cleanup_free_ const char **words = NULL;
        _cleanup_free_ char *url = client_url(c, "recursion=1", "instances", NULL);
        size_t n = 0;
        int r = client_get(c, url, &items, err);
        if (r < 0)
                return r;
        words = xnew_array(const char *, json_object_array_length(items) + 1);
        for (size_t i = 0; i < json_object_array_length(items); i++) {
                struct json_object *item = json_object_array_get_idx(items, i);
                bool is_stopped = streq(json_get_string(item, "status", ""), "Stopped");
                if (is_stopped == streq(p->action, "start"))
                        words[n++] = json_get_string(item, "name", "");
        }
        return act_on(c, p, a, words, n, err);
}

static int act(struct client *c, const struct power *p, const struct args *a, struct error *err)
{
        if (args_has(a, "all"))
                return a->n_words ? args_misuse(err, "--all stands for all instances: no name may be given")
                                  : act_on_all(c, p, a, err);
        if (a->n_words == 0)
                return args_misuse(err, "Missing argument [<remote>:]<instance>");
        if (args_has(a, "console") && a->n_words != 1)
                return args_misuse(err, "--console needs exactly one instance");
        int r = act_on(c, p, a, a->words, a->n_words, err);
        return r == 0 && args_has(a, "console") ? console_attach(c, a->words[0], err) : r;
}

static int run_start(struct client *c, const struct args *a, struct error *err)
{
        return act(c, &(struct power){ "start", "Starting" }, a, err);
}

static int run_stop(struct client *c, const struct args *a, struct error *err)
{
        return act(c, &(struct power){ "stop", "Stopping" }, a, err);
}

static int run_restart(struct client *c, const struct args *a, struct error *err)
{
        return act(c, &(struct power){ "restart", "Restarting" }, a, err);
}

static int run_pause(struct client *c, const struct args *a, struct error *err)
{
        return act(c, &(struct power){ "freeze", "Pausing" }, a, err);
}

#define INSTANCES                                                                                            \
        (const struct arg[])                                                                                 \
        {                                                                                                    \
                { "[<remote>:]<instance>", .is_optional = true, .is_repeated = true }, { 0 }                 \
        }
#define OPTION_ALL { .name = "all", .help = "Every instance" }
#define OPTION_CONSOLE { .name = "console", .value = "type", .fallback = "console", .help = "Show the console afterwards" }
#define OPTION_FORCE { .name = "force", .letter = 'f', .help = "Do not ask its init system: kill it" }
#define OPTION_TIMEOUT { .name = "timeout", .value = "seconds", .help = "How long it may take to shut down; -1: as configured" }

static const struct option start_options[] = {
        OPTION_ALL, OPTION_CONSOLE, { .name = "stateless", .help = "Ignore a stored state" }, { 0 },
};
static const struct option stop_options[] = {
        OPTION_ALL, OPTION_CONSOLE, OPTION_FORCE,
        { .name = "stateful", .help = "Store the running state" }, OPTION_TIMEOUT, { 0 },
};
static const struct option restart_options[] = { OPTION_ALL, OPTION_CONSOLE, OPTION_FORCE, OPTION_TIMEOUT, { 0 } };
static const struct option pause_options[] = { OPTION_ALL, { 0 } };

const struct command cmd_start = {
        .path = "start",
        .summary = "Start instances, or let paused ones go on",
        .args = INSTANCES,
        .options = start_options,
        .run = run_start,
        .example = "lightc start c1 c2",
};

const struct command cmd_stop = {
        .path = "stop",
        .summary = "Stop instances",
        .args = INSTANCES,
        .options = stop_options,
        .run = run_stop,
        .example = "lightc stop c1 --timeout 30\nlightc stop --all --force",
};

const struct command cmd_restart = {
        .path = "restart",
        .summary = "Restart instances",
        .args = INSTANCES,
        .options = restart_options,
        .run = run_restart,
        .example = "lightc restart c1 --force",
};

const struct command cmd_pause = {
        .path = "pause",
        .summary = "Freeze instances until they are started again",
        .args = INSTANCES,
        .options = pause_options,
        .run = run_pause,
        .example = "lightc pause c1",
};
