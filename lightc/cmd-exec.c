/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "lightc/operation.h"
#include "lightc/output.h"
#include "lightc/relay.h"
#include "lightc/target.h"

#include <stdio.h>
#include <unistd.h>

static int choose_mode(const struct args *a, bool *ret_is_interactive, struct error *err)
{
        const char *mode = args_value(a, "mode", "auto");
        bool is_forced = args_has(a, "force-interactive"), is_refused = args_has(a, "force-noninteractive");
        if (is_forced && is_refused)
                return args_misuse(err, "--force-interactive and --force-noninteractive exclude each other");
        if (!streq(mode, "auto") && !streq(mode, "interactive") && !streq(mode, "non-interactive"))
                return args_misuse(err, "Unknown mode \"%s\": it is one of auto, interactive, non-interactive", mode);
        if (is_forced || is_refused || !streq(mode, "auto"))
                *ret_is_interactive = is_forced || (!is_refused && streq(mode, "interactive"));
        else
                *ret_is_interactive = isatty(STDIN_FILENO) && isatty(STDOUT_FILENO) && !args_has(a, "disable-stdin");
        return 0;
}

static int fill_environment(struct json_object *env, const struct args *a, bool is_interactive, struct error *err)
{
        const char *word, *term = getenv("TERM");
        if (is_interactive && !str_empty(term))
                json_set_string(env, "TERM", term);
        for (size_t i = 0; (word = args_value_nth(a, "env", i)); i++) {
                const char *equals = strchr(word, '=');
                if (equals == word)
                        return args_misuse(err, "\"%s\" is not of the form NAME=value", word);
                _cleanup_free_ char *key = xstrndup(word, equals ? (size_t)(equals - word) : strlen(word));
                json_set_string(env, key, equals ? equals + 1 : "");
        }
        return 0;
}

static int make_body(struct json_object *body, const struct args *a, const char *const *command, bool is_interactive,
                     struct error *err)
{
        struct json_object *words = json_object_new_array();
        int user, group, width, height;
        int r = args_int(a, "user", 0, &user, err);
        if (r == 0)
                r = args_int(a, "group", 0, &group, err);
        json_set_take(body, "command", words);
        for (; *command; command++)
                json_array_add_string(words, *command);
        if (r == 0)
                r = fill_environment(object_map(body, "environment"), a, is_interactive, err);
        if (r)
                return r;
        json_set_bool(body, "wait-for-websocket", true);
        json_set_bool(body, "interactive", is_interactive);
        json_set_int(body, "user", user);
        json_set_int(body, "group", group);
        json_set_string(body, "cwd", args_value(a, "cwd", ""));
        if (is_interactive) {
                relay_window_size(&width, &height);
                json_set_int(body, "width", width);
                json_set_int(body, "height", height);
        }
        return 0;
}

/*
 * The command's own status is ours. A failed operation that still has a status is a command that could not be run
 * at all: 127 not found, 126 not executable.
 */
static int result_of(struct json_object *op, const char *command, const char *name, struct error *err)
{
        struct json_object *meta = json_get_object(op, "metadata");
        const char *sentence = json_get_string(op, "err", "");
        int64_t status = json_get_int(meta, "return", -1);
        if (status < 0 && output_names(sentence, name))
                return error_set(err, ERR_INTERNAL, "%s", sentence);
        if (status < 0)
                return error_set(err, ERR_INTERNAL, "Running \"%s\" in \"%s\" failed: %s", command, name,
                                 *sentence ? sentence : "the daemon gave no exit status");
        if (!*sentence)
                sentence = json_get_string(meta, "message", "");
        if (*sentence && status == 127)
                error_set(err, ERR_NOT_FOUND, "\"%s\": command not found in %s", command, name);
        else if (*sentence && status == 126)
                error_set(err, ERR_FORBIDDEN, "\"%s\": not executable in %s", command, name);
        else if (*sentence)
                error_set(err, ERR_INTERNAL, "\"%s\" in %s: %s", command, name, sentence);
        return (int)status;
}

static int attach(struct client *c, const struct args *a, const char *name, struct json_object *operation,
                  bool is_interactive, struct json_object **ret, struct error *err)
{
        _cleanup_(relay_done) struct relay relay = RELAY_INIT;
        enum relay_end end;
        relay.is_terminal = is_interactive;
        relay.stdin_fd = args_has(a, "disable-stdin") ? -EBADF : STDIN_FILENO;
        int r = relay_open(c, &relay, operation, err);
        if (r == 0)
                r = relay_run(&relay, &end, err);
        if (r < 0)
                return r;
        if (end == RELAY_LEFT)
                return error_set(err, ERR_CANCELLED, "Left: the command may still be running");
        if (end == RELAY_LOST)
                return error_set(err, ERR_UNAVAILABLE, "The daemon ended, and with it the command in \"%s\"; the instance runs on",
                                 name);
        _cleanup_free_ char *url = client_url(c, "timeout=-1", "operations", json_get_string(operation, "id", ""),
                                              "wait", NULL);
        return client_get(c, url, ret, err);
}

static int execute(struct client *c, const struct args *a, const char *word, const char *const *command,
                   struct error *err)
{
        _cleanup_json_ struct json_object *body = json_object_new_object(), *envelope = NULL, *op = NULL;
        _cleanup_free_ char *name = NULL;
        const char *rest;
        bool is_interactive = false;
        int r = choose_mode(a, &is_interactive, err);
        if (r == 0)
                r = target_split(word, &name, &rest, err);
        if (r == 0)
                r = make_body(body, a, command, is_interactive, err);
        if (r)
                return r;
        _cleanup_free_ char *url = client_url(c, NULL, "instances", name, "exec", NULL);
        struct request req = { .method = "POST", .url = url, .json = body };
        r = client_call(c, &req, &envelope, err);
        if (r == 0)
                r = attach(c, a, name, json_get_object(envelope, "metadata"), is_interactive, &op, err);
        return r < 0 ? r : result_of(op, command[0], name, err);
}

static int run(struct client *c, const struct args *a, struct error *err)
{
        return execute(c, a, a->words[0], a->words + 1, err);
}

static int run_shell(struct client *c, const struct args *a, struct error *err)
{
        static const char *const login[] = { "su", "-l", NULL };
        return execute(c, a, a->words[0], a->n_words > 1 ? a->words + 1 : login, err);
}

#define EXEC_OPTIONS                                                                                         \
        { .name = "cwd", .value = "directory", .help = "Where to run it (/root)" },                          \
        { .name = "env", .value = "NAME=value", .is_repeated = true, .help = "Environment variable" },       \
        { .name = "user", .value = "uid", .help = "User to run as (0)" },                                    \
        { .name = "group", .value = "gid", .help = "Group to run as (0)" },                                  \
        { .name = "disable-stdin", .letter = 'n', .help = "Nothing on its standard input" },                 \
        { .name = "force-interactive", .letter = 't', .help = "On a terminal of its own in any case" },      \
        { .name = "force-noninteractive", .letter = 'T', .help = "On plain streams in any case" },           \
        { .name = "mode", .value = "mode", .help = "auto, interactive or non-interactive" }

static const struct option options[] = { EXEC_OPTIONS, { 0 } };

const struct command cmd_exec = {
        .path = "exec",
        .summary = "Run a command in an instance; its exit status is ours",
        .args = (const struct arg[]){ { "[<remote>:]<instance>" }, { "[--] <command>" },
                                      { "<argument>", .is_optional = true, .is_repeated = true }, { 0 } },
        .options = options,
        .run = run,
        .is_rest_verbatim = true,
        .example = "lightc exec c1 -- apt-get update\nlightc exec c1 --env LANG=C -- sh -c 'cd /srv && ls'",
};

const struct command cmd_shell = {
        .path = "shell",
        .summary = "Open a login shell in an instance",
        .args = (const struct arg[]){ { "[<remote>:]<instance>" },
                                      { "[--] <command>", .is_optional = true, .is_repeated = true }, { 0 } },
        .options = options,
        .run = run_shell,
        .is_rest_verbatim = true,
        .example = "lightc shell c1\nlightc shell c1 --env EDITOR=vi",
};
