/* SPDX-License-Identifier: Apache-2.0 */
/* wait: until an instance is as somebody needs it. */
#include "base/alloc.h"
#include "base/time.h"
#include "lightc/client.h"
#include "lightc/target.h"

#include <poll.h>

#define ASK_MS 250 /* asked for again and again: no event tells that a guest got an address, or how far its systemd is */

struct condition {
        const char *name, *means;
        bool (*holds)(struct client *c, const char *name, struct json_object *instance);
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
        { "ip", "an address", has_ip },
        { "ipv4", "an IPv4 address", has_ipv4 },
        { "ipv6", "an IPv6 address", has_ipv6 },
        { "running", "to run", is_running },
        { "stopped", "to have stopped", is_stopped },
        { "systemd", "its systemd to be through", is_booted },
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

/* 1: it holds. An instance that is not there is an error; one that has stopped may be started again. */
static int look(struct client *c, const struct condition *cond, const char *name, struct error *err)
{
        _cleanup_json_ struct json_object *instance = NULL;
        _cleanup_free_ char *url = client_url(c, "recursion=1", "instances", name, NULL);
        int r = client_get(c, url, &instance, err);
        return r < 0 ? r : cond->holds(c, name, instance);
}

static int wait_for(struct client *c, const struct condition *cond, const char *name, int timeout, struct error *err)
{
        uint64_t start = time_monotonic_ms();
        for (;;) {
                int r = look(c, cond, name, err);
                if (r != 0)
                        return r < 0 ? r : 0;
                if (timeout >= 0 && time_monotonic_ms() - start >= (uint64_t)timeout * 1000)
                        break;
                poll(NULL, 0, ASK_MS);
        }
        error_set(err, ERR_TIMEOUT, "Instance \"%s\" was waited for %d s: %s is not there yet", name, timeout, cond->means);
        error_hint(err, "lightc info %s --show-log, and lightc console %s --show-log, may say why", name, name);
        return STATUS_FAILED;
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
