/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "lightc/operation.h"
#include "lightc/output.h"
#include "lightc/target.h"

#include <stdio.h>

static bool is_confirmed(const char *word)
{
        int first, ch;
        fprintf(stderr, "Delete %s? (yes/no) [no]: ", word);
        first = ch = getchar();
        while (ch != '\n' && ch != EOF)
                ch = getchar();
        return first == 'y' || first == 'Y';
}

static int stop_first(struct client *c, const char *name, struct error *err)
{
        _cleanup_json_ struct json_object *body = json_object_new_object();
        _cleanup_free_ char *url = client_url(c, NULL, "instances", name, "state", NULL);
        _cleanup_free_ char *stage = xasprintf("Stopping %s", name);
        json_set_string(body, "action", "stop");
        json_set_int(body, "timeout", -1);
        json_set_bool(body, "force", true);
        return operation_do(c, "PUT", url, body, stage, err);
}

/* Stops what runs, if that was asked for. *ret_is_gone: an ephemeral instance goes when it stops. */
static int make_deletable(struct client *c, const struct args *a, const char *url, bool *ret_is_gone, struct error *err)
{
        _cleanup_json_ struct json_object *instance = NULL;
        int r = client_get(c, url, &instance, err);
        if (r < 0 || streq(json_get_string(instance, "status", "Stopped"), "Stopped"))
                return r;
        const char *name = json_get_string(instance, "name", "");
        if (!args_has(a, "force")) {
                r = error_set(err, ERR_WRONG_STATE, "Instance \"%s\" is running", name);
                error_hint(err, "stop it first, or delete it with --force");
                return r;
        }
        r = stop_first(c, name, err);
        *ret_is_gone = r == 0 && json_get_bool(instance, "ephemeral", false);
        return r;
}

static int delete_one(struct client *c, const struct args *a, const char *word, struct error *err)
{
        _cleanup_free_ char *url = NULL, *stage = NULL;
        bool is_gone = false;
        int r = target_instance(c, word, &url, err);
        if (r < 0)
                return r;
        if (strchr(word, '/'))
                return error_set(err, ERR_UNSUPPORTED, "\"%s\" is the name of a snapshot, and there are none in this release", word);
        r = make_deletable(c, a, url, &is_gone, err);
        if (r < 0 || is_gone)
                return r;
        stage = xasprintf("Deleting %s", word);
        return operation_do(c, "DELETE", url, NULL, stage, err);
}

static int run(struct client *c, const struct args *a, struct error *err)
{
        int status = STATUS_OK;
        for (size_t i = 0; i < a->n_words; i++) {
                _cleanup_error_ struct error why = ERROR_INIT;
                if (args_has(a, "interactive") && !is_confirmed(a->words[i])) {
                        error_set(err, ERR_CANCELLED, "\"%s\" is kept: the answer was not yes", a->words[i]);
                        return STATUS_FAILED;
                }
                if (delete_one(c, a, a->words[i], &why) == 0)
                        continue;
                output_error(a->words[i], &why);
                status = STATUS_FAILED;
        }
        return status;
}

static const struct option options[] = {
        { .name = "force", .letter = 'f', .help = "Stop what is running, too" },
        { .name = "interactive", .letter = 'i', .help = "Ask before each" },
        { 0 },
};

const struct command cmd_delete = {
        .path = "delete",
        .aliases = "rm",
        .summary = "Delete instances and snapshots",
        .args = (const struct arg[]){ { "[<remote>:]<instance>[/<snapshot>]", .is_repeated = true }, { 0 } },
        .options = options,
        .run = run,
        .example = "lightc delete c1 c2\nlightc delete --force c3",
};
