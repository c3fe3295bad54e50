/* SPDX-License-Identifier: Apache-2.0 */
#include "lightc/console.h"
#include "lightc/operation.h"
#include "lightc/output.h"
#include "lightc/relay.h"
#include "lightc/target.h"
#include "base/time.h"

#include <poll.h>
#include <stdio.h>
#include <unistd.h>

#define AGAIN_MS 60000
#define AGAIN_POLL_MS 100

static int console_url(struct client *c, const char *word, char **ret, struct error *err)
{
        _cleanup_free_ char *name = NULL;
        const char *rest;
        int r = target_split(word, &name, &rest, err);
        if (r == 0)
                *ret = client_url(c, NULL, "instances", name, "console", NULL);
        return r;
}

static int begin(struct client *c, const char *url, struct json_object **ret, struct error *err)
{
        _cleanup_json_ struct json_object *body = json_object_new_object();
        int width, height;
        relay_window_size(&width, &height);
        json_set_int(body, "width", width);
        json_set_int(body, "height", height);
        json_set_string(body, "type", "console");
        struct request req = { .method = "POST", .url = url, .json = body };
        return client_call(c, &req, ret, err);
}

static int attach(struct client *c, const char *url, enum relay_end *ret_end, struct error *err)
{
        _cleanup_json_ struct json_object *envelope = NULL;
        _cleanup_(relay_done) struct relay relay = RELAY_INIT;
        int r = begin(c, url, &envelope, err);
        if (r < 0)
                return r;
        relay.is_terminal = relay.has_escape = true;
        r = relay_open(c, &relay, json_get_object(envelope, "metadata"), err);
        if (r < 0)
                return r;
        fprintf(stderr, "Ctrl-a q leaves the console; Enter may be needed to see a prompt\n");
        r = relay_run(&relay, ret_end, err);
        if (r == 0 && isatty(STDERR_FILENO))
                fputs("\r\n", stderr);
        return r;
}

/* The daemon is starting anew; its monitor may not have seen yet that the old one's viewer is gone. */
static bool is_passing(const struct error *err)
{
        return err->code == ERR_UNAVAILABLE || err->code == ERR_IN_USE;
}

/* The monitor has kept the console, and what it has shown: an upgrade of the daemon is only a short pause. */
static int attach_again(struct client *c, const char *url, enum relay_end *ret_end, struct error *err)
{
        uint64_t end = time_monotonic_ms() + AGAIN_MS;
        fprintf(stderr, "The daemon ended; waiting for the next one to attach again (Ctrl-C gives up)\n");
        for (;;) {
                int r;
                client_disconnect(c);
                error_done(err);
                r = attach(c, url, ret_end, err);
                if (r == 0 || !is_passing(err) || time_monotonic_ms() >= end)
                        return r;
                poll(NULL, 0, AGAIN_POLL_MS);
        }
}

int console_attach(struct client *c, const char *word, struct error *err)
{
        _cleanup_free_ char *url = NULL;
        enum relay_end end;
        int r = console_url(c, word, &url, err);
        if (r == 0)
                r = attach(c, url, &end, err);
        while (r == 0 && end == RELAY_LOST)
                r = attach_again(c, url, &end, err);
        return r;
}

int console_print_log(struct client *c, const char *word, struct error *err)
{
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        _cleanup_free_ char *url = NULL;
        int r = console_url(c, word, &url, err);
        if (r < 0)
                return r;
        struct request req = { .method = "GET", .url = url };
        int status = client_begin(c, &req, err);
        if (status < 0)
                return status;
        r = status >= 400 ? client_read_error(c, status, err) : client_read_text(c, &text, err);
        return r < 0 ? r : output_console(&text);
}

static int run(struct client *c, const struct args *a, struct error *err)
{
        if (args_has(a, "show-log"))
                return console_print_log(c, a->words[0], err);
        if (!streq(args_value(a, "type", "console"), "console"))
                return args_misuse(err, "There is no \"%s\" console: containers have only \"console\"",
                                   args_value(a, "type", ""));
        return console_attach(c, a->words[0], err);
}

static int run_logs(struct client *c, const struct args *a, struct error *err)
{
        return console_print_log(c, a->words[0], err);
}

static const struct option options[] = {
        { .name = "show-log", .help = "Print what the console has shown and end" },
        { .name = "type", .letter = 't', .value = "type", .help = "Only \"console\"" },
        { 0 },
};

const struct command cmd_console = {
        .path = "console",
        .summary = "Attach to an instance's console",
        .args = (const struct arg[]){ { "[<remote>:]<instance>" }, { 0 } },
        .options = options,
        .run = run,
        .example = "lightc console c1\nlightc console c1 --show-log",
};

const struct command cmd_logs = {
        .path = "logs",
        .summary = "Print what an instance's console has shown",
        .args = (const struct arg[]){ { "[<remote>:]<instance>" }, { 0 } },
        .run = run_logs,
        .example = "lightc logs c1",
};
