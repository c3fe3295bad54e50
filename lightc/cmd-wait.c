/* SPDX-License-Identifier: Apache-2.0 */
/* wait: until an instance is as somebody needs it. */
#include "base/alloc.h"
#include "base/time.h"
#include "lightc/client.h"
#include "lightc/interrupt.h"
#include "lightc/stream.h"
#include "lightc/target.h"

#include <poll.h>
#include <stdio.h>

#define ASK_MS 250 /* no event tells that a guest got an address, or how far its systemd is */
#define LOOK_MS 5000 /* where events tell: a look all the same, for a start that fails by itself has none */
#define RETURN_MS 30000 /* how long a daemon that went away may take to come back */
#define RETRY_MS 100

struct condition {
        const char *name, *means;
        bool (*holds)(struct client *c, const char *name, struct json_object *instance);
        int ask_ms;
};

static bool is_running(struct client *c _unused_, const char *name _unused_, struct json_object *instance)
{
        return streq(json_get_string(instance, "status", ""), "Running");
}

static bool is_stopped(struct client *c _unused_, const char *name _unused_, struct json_object *instance)
{
        return streq(json_get_string(instance, "status", ""), "Stopped");
}

static bool has_address(struct json_object *instance, const char *family)
{
        struct json_object *network = json_get_object(json_get_object(instance, "state"), "network");
        if (!network)
                return false;
        json_object_object_foreach(network, nic, o) {
                struct json_object *list = json_get_array(o, "addresses");
                for (size_t i = 0; !streq(nic, "lo") && list && i < json_object_array_length(list); i++) {
                        struct json_object *a = json_object_array_get_idx(list, i);
                        if (streq(json_get_string(a, "scope", ""), "global") &&
                            (!family || streq(json_get_string(a, "family", ""), family)))
                                return true;
                }
        }
        return false;
}

static bool has_ip(struct client *c _unused_, const char *name _unused_, struct json_object *instance)
{
        return has_address(instance, NULL);
}

static bool has_ipv4(struct client *c _unused_, const char *name _unused_, struct json_object *instance)
{
        return has_address(instance, "inet");
}

static bool has_ipv6(struct client *c _unused_, const char *name _unused_, struct json_object *instance)
{
        return has_address(instance, "inet6");
}

/* What "systemctl is-system-running" ends with: 0 for "running"; "degraded" is up, too, with something that failed. */
static bool is_booted(struct client *c, const char *name, struct json_object *instance)
{
        static const char script[] = "case $(systemctl is-system-running) in running|degraded) exit 0;; esac; exit 1";
        _cleanup_json_ struct json_object *body = json_object_new_object(), *command = json_object_new_array(), *op = NULL;
        _cleanup_json_ struct json_object *envelope = NULL;
        if (!is_running(c, name, instance))
                return false;
        json_array_add_string(command, "sh");
        json_array_add_string(command, "-c");
        json_array_add_string(command, script);
        json_set_take(body, "command", TAKE_PTR(command));
        json_set_bool(body, "record-output", false);
        json_set_bool(body, "wait-for-websocket", false);
        _cleanup_free_ char *url = client_url(c, NULL, "instances", name, "exec", NULL);
        struct request req = { .method = "POST", .url = url, .json = body };
        if (client_call(c, &req, &envelope, NULL) < 0)
                return false;
        _cleanup_free_ char *wait_url = client_url(
                c, "timeout=-1", "operations", json_get_string(json_get_object(envelope, "metadata"), "id", ""), "wait", NULL);
        if (client_get(c, wait_url, &op, NULL) < 0)
                return false;
        return json_get_int(json_get_object(op, "metadata"), "return", -1) == 0;
}

static const struct condition conditions[] = {
        { "ip", "an address", has_ip, ASK_MS },
        { "ipv4", "an IPv4 address", has_ipv4, ASK_MS },
        { "ipv6", "an IPv6 address", has_ipv6, ASK_MS },
        { "running", "to run", is_running, LOOK_MS },
        { "stopped", "to have stopped", is_stopped, LOOK_MS },
        { "systemd", "its systemd to be through", is_booted, ASK_MS },
};

static int find_condition(const struct args *a, const struct condition **ret, struct error *err)
{
        const char *word = args_value(a, "for", "running");
        for (size_t i = 0; i < ARRAY_SIZE(conditions); i++)
                if (streq(conditions[i].name, word)) {
                        *ret = &conditions[i];
                        return 0;
                }
        return args_misuse(err, "\"%s\" is nothing to wait for: it is one of ip, ipv4, ipv6, running, stopped, systemd", word);
}

struct waiting {
        struct client *client;
        const struct condition *condition;
        const char *name;
        struct stream events;
        struct strbuf message;
        uint64_t end; /* of time_monotonic_ms(); UINT64_MAX: never */
        int timeout;  /* as it was given */
        bool is_seen; /* the instance was there at the first look */
        bool is_news; /* an event named it */
};

/* While an answer is waited for, too. */
static int tick(void *data)
{
        const struct waiting *w = data;
        return interrupt_count() || time_monotonic_ms() >= w->end ? -1 : 0;
}

/* ---- how it may end without the condition ---- */

static int say_interrupted(const struct waiting *w, struct error *err)
{
        error_set(err, ERR_CANCELLED, "Interrupted: instance \"%s\" was waited for, and nothing was changed", w->name);
        return STATUS_INTERRUPTED;
}

static int say_timeout(const struct waiting *w, struct error *err)
{
        error_set(err, ERR_TIMEOUT, "Instance \"%s\" was waited for %d s: %s is not there yet", w->name, w->timeout,
                  w->condition->means);
        error_hint(err, "lightc info %s --show-log, and lightc console %s --show-log, may say why", w->name, w->name);
        return STATUS_FAILED;
}

static int say_deleted(const struct waiting *w, struct error *err)
{
        error_set(err, ERR_NOT_FOUND, "Instance \"%s\" was deleted or renamed while it was waited for", w->name);
        error_hint(err, "lightc list shows what there is");
        return STATUS_FAILED;
}

static int say_gone(const struct waiting *w, struct error *err)
{
        error_set(err, ERR_UNAVAILABLE, "The daemon went away while instance \"%s\" was waited for, and did not come back", w->name);
        error_hint(err, "its instances run on; journalctl -u lightd may say why it went");
        return STATUS_FAILED;
}

/* What an interrupt or the end of time makes of a failure; 0: neither. */
static int say_why_given_up(const struct waiting *w, struct error *err)
{
        if (interrupt_count())
                return say_interrupted(w, err);
        return time_monotonic_ms() >= w->end ? say_timeout(w, err) : 0;
}

/* ---- events ---- */

/* ".../instances/c1?project=x", in a lifecycle's source or among an operation's resources */
static bool is_about(const char *url, const char *name)
{
        const char *last = strrchr(url, '/');
        size_t n = last ? strcspn(last + 1, "?") : 0;
        return last && n == strlen(name) && memcmp(last + 1, name, n) == 0;
}

static bool names_instance(struct json_object *event, const char *name)
{
        struct json_object *meta = json_get_object(event, "metadata");
        struct json_object *list = json_get_array(json_get_object(meta, "resources"), "instances");
        if (is_about(json_get_string(meta, "source", ""), name))
                return true;
        for (size_t i = 0; list && i < json_object_array_length(list); i++)
                if (is_about(json_object_get_string(json_object_array_get_idx(list, i)), name))
                        return true;
        return false;
}

static int take_piece(void *data, const char *bytes, size_t n, bool is_message_end)
{
        struct waiting *w = data;
        _cleanup_json_ struct json_object *event = NULL;
        strbuf_add(&w->message, bytes, n);
        if (!is_message_end)
                return 0;
        if (json_parse(strbuf_str(&w->message), w->message.len, &event, NULL) >= 0)
                w->is_news |= names_instance(event, w->name);
        strbuf_clear(&w->message);
        return 0;
}

/* Before the first look, so that nothing falls between. */
static int open_events(struct waiting *w, struct error *err)
{
        _cleanup_free_ char *url = client_url(w->client, "type=lifecycle,operation", "events", NULL);
        stream_done(&w->events);
        w->events = STREAM_INIT;
        strbuf_clear(&w->message);
        int r = stream_begin(w->client, &w->events, url, err);
        return r < 0 ? r : stream_finish(&w->events, err);
}

/* Until an event names the instance, or it is time to look. -EHOSTDOWN: the daemon is gone. */
static int wait_for_news(struct waiting *w)
{
        uint64_t end = time_monotonic_ms() + (uint64_t)w->condition->ask_ms, now;
        if (end > w->end)
                end = w->end;
        w->is_news = false;
        while (!w->is_news && !interrupt_count() && (now = time_monotonic_ms()) < end) {
                struct pollfd p = { .fd = w->events.fd, .events = POLLIN };
                int n = w->events.n_pos ? 1 : poll(&p, 1, (int)(end - now));
                if (n > 0 && (stream_read(&w->events, take_piece, w) < 0 || w->events.is_ended))
                        return -EHOSTDOWN;
        }
        return 0;
}

/* ---- looking ---- */

/* A restart of the daemon is nothing to fail for: its instances run on, and their news with them. */
static int wait_for_daemon(struct waiting *w, struct error *err)
{
        uint64_t end = time_monotonic_ms() + RETURN_MS;
        fprintf(stderr, "The daemon went away; waiting for it to come back\n");
        for (;;) {
                _cleanup_error_ struct error e = ERROR_INIT;
                client_disconnect(w->client);
                int r = open_events(w, &e);
                if (r >= 0)
                        return 0;
                r = say_why_given_up(w, err);
                if (r)
                        return r;
                if (time_monotonic_ms() >= end)
                        return say_gone(w, err);
                poll(NULL, 0, RETRY_MS);
        }
}

/* 1: it holds. An instance that is not there is an error; one that has stopped may be started again. */
static int look(struct waiting *w, struct error *err)
{
        _cleanup_json_ struct json_object *instance = NULL;
        _cleanup_free_ char *url = client_url(w->client, "recursion=1", "instances", w->name, NULL);
        int r = client_get(w->client, url, &instance, err);
        if (r < 0)
                return r;
        w->is_seen = true;
        return w->condition->holds(w->client, w->name, instance);
}

/* look(), with every way it may fail told. 1: it holds; 0: not yet. Else what run() returns. */
static int try_once(struct waiting *w, struct error *err, bool *ret_holds)
{
        int r = look(w, err);
        *ret_holds = r == 1;
        if (r >= 0)
                return 0;
        int why = say_why_given_up(w, err);
        if (why)
                return why;
        if (err->code == ERR_NOT_FOUND && w->is_seen)
                return say_deleted(w, err);
        if (err->code != ERR_UNAVAILABLE || !w->is_seen)
                return r;
        error_done(err);
        return wait_for_daemon(w, err);
}

static int wait_until(struct waiting *w, struct error *err)
{
        bool holds = false;
        int r = open_events(w, err);
        while (r == 0) {
                r = try_once(w, err, &holds);
                if (r || holds)
                        break;
                r = say_why_given_up(w, err);
                if (r == 0 && wait_for_news(w) < 0)
                        r = wait_for_daemon(w, err);
        }
        return r;
}

static int wait_for(struct client *c, const struct condition *cond, const char *name, int timeout, struct error *err)
{
        struct waiting w = { .client = c, .condition = cond, .name = name, .timeout = timeout, .events = STREAM_INIT };
        struct client_tick t = { .fn = tick, .data = &w, .interval_ms = ASK_MS };
        w.end = timeout < 0 ? UINT64_MAX : time_monotonic_ms() + (uint64_t)timeout * 1000;
        interrupt_catch();
        c->tick = timeout ? &t : NULL; /* "--timeout 0" looks once */
        int r = wait_until(&w, err);
        c->tick = NULL;
        interrupt_release();
        stream_done(&w.events);
        strbuf_done(&w.message);
        return r;
}

static int run(struct client *c, const struct args *a, struct error *err)
{
        const struct condition *cond;
        int timeout, r = find_condition(a, &cond, err);
        if (r == 0)
                r = args_int(a, "timeout", -1, &timeout, err);
        for (size_t i = 0; r == 0 && i < a->n_words; i++) {
                _cleanup_free_ char *name = NULL;
                const char *rest;
                r = target_split(a->words[i], &name, &rest, err);
                if (r == 0)
                        r = wait_for(c, cond, name, timeout, err);
        }
        return r;
}

static const struct option options[] = {
        { .name = "for", .value = "ip|ipv4|ipv6|running|stopped|systemd", .help = "What to wait for; without it, running" },
        { .name = "timeout", .value = "seconds", .help = "Give up after so long; without it, never" },
        { 0 },
};

const struct command cmd_wait = {
        .path = "wait",
        .summary = "Wait until instances run, have an address, or are through with their start",
        .args = (const struct arg[]){ { "[<remote>:]<instance>", .is_repeated = true }, { 0 } },
        .options = options,
        .run = run,
        .example = "lightc wait c1 --for ip --timeout 30\nlightc wait c1 c2 --for systemd",
};
