/* SPDX-License-Identifier: Apache-2.0 */
/* get, set, unset, show: of an instance, or of the daemon when no instance is named. */
#include "base/alloc.h"
#include "lightc/operation.h"
#include "lightc/output.h"
#include "lightc/target.h"

/* NULL or "local:" is the daemon itself. */
static int load(struct client *c, const char *word, struct object *ret, struct error *err)
{
        char *url = NULL;
        if (!word || target_is_remote_only(word))
                return object_load(c, "server", client_url(c, NULL, NULL), ret, err);
        int r = target_instance(c, word, &url, err);
        return r < 0 ? r : object_load(c, strchr(word, '/') ? "snapshot" : "instance", url, ret, err);
}

static char *stage_of(const char *word)
{
        return xasprintf("Configuring %s", word ? word : "the daemon");
}

/* With one word it is a key of the daemon; so is "key value" where the key has a dot, which no name has. */
static size_t words_of_target(const struct args *a)
{
        if (a->n_words == 0 || strchr(a->words[0], '=') || (a->n_words == 2 && strchr(a->words[0], '.')))
                return 0;
        return a->n_words > 1;
}

static int run_set(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_object_ struct object o = { 0 };
        size_t n = words_of_target(a);
        if (n == 0 && a->n_words && !strpbrk(a->words[0], "=."))
                return args_misuse(err, "Missing argument <key>=<value>");
        _cleanup_free_ char *stage = stage_of(n ? a->words[0] : NULL);
        int r = load(c, n ? a->words[0] : NULL, &o, err);
        if (r == 0)
                r = target_set_words(object_map(o.body, "config"), a, n, err);
        return r ? r : object_save(c, &o, stage, err);
}

static int run_unset(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_object_ struct object o = { 0 };
        const char *word = a->n_words > 1 ? a->words[0] : NULL, *key = a->words[a->n_words - 1];
        _cleanup_free_ char *stage = stage_of(word);
        int r = load(c, word, &o, err);
        if (r < 0)
                return r;
        struct json_object *config = object_map(o.body, "config");
        if (!json_has(config, key))
                return 0;
        json_object_object_del(config, key);
        return object_save(c, &o, stage, err);
}

static int get_whole(struct client *c, const char *word, struct json_object **ret, struct error *err)
{
        _cleanup_free_ char *url = NULL;
        if (!word || target_is_remote_only(word))
                url = client_url(c, NULL, NULL);
        else {
                int r = target_instance(c, word, &url, err);
                if (r < 0)
                        return r;
        }
        return client_get(c, url, ret, err);
}

static int run_get(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_json_ struct json_object *whole = NULL;
        const char *word = a->n_words > 1 ? a->words[0] : NULL, *key = a->words[a->n_words - 1];
        struct json_object *value = NULL;
        int r = get_whole(c, word, &whole, err);
        if (r < 0)
                return r;
        struct json_object *config = json_get_object(whole, args_has(a, "expanded") ? "expanded_config" : "config");
        if (config)
                json_object_object_get_ex(config, key, &value);
        output_line("%s", value ? json_object_get_string(value) : "");
        return 0;
}

static void use_expanded(struct json_object *whole, const char *key, const char *expanded)
{
        struct json_object *v = NULL;
        if (json_object_object_get_ex(whole, expanded, &v))
                json_object_object_add(whole, key, json_object_get(v));
}

static int run_show(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_json_ struct json_object *whole = NULL, *shown = NULL;
        const char *word = args_word(a, 0);
        bool is_server = !word || target_is_remote_only(word);
        int r = get_whole(c, word, &whole, err);
        if (r < 0)
                return r;
        if (args_has(a, "expanded")) {
                use_expanded(whole, "config", "expanded_config");
                use_expanded(whole, "devices", "expanded_devices");
        }
        /* A snapshot is shown whole: what it was like is what one asks of it. */
        if (!is_server && strchr(word, '/'))
                return output_yaml(whole, err);
        shown = object_writable(is_server ? "server" : "instance", whole);
        return output_yaml(shown, err);
}

static int run_edit(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_object_ struct object o = { 0 };
        int r = load(c, args_word(a, 0), &o, err);
        if (r < 0)
                return r;
        return object_edit(c, &o, "# Lines that begin with # are ignored. Keys that are taken out are unset.\n", "Configuring",
                           err);
}

#define TARGET { "[<remote>:][<instance>]", .is_optional = true }
#define OPTION_EXPANDED { .name = "expanded", .letter = 'e', .help = "With what comes from profiles" }
#define OPTION_TARGET { .name = "target", .value = "member", .help = "Cluster member (there is no cluster: ignored)" }

static const struct option target_options[] = { OPTION_TARGET, { 0 } };
static const struct option expanded_options[] = { OPTION_EXPANDED, OPTION_TARGET, { 0 } };

const struct command cmd_config_set = {
        .path = "config set",
        .summary = "Set keys of an instance, or of the daemon",
        .args = (const struct arg[]){ TARGET, { "<key>=<value>", .is_repeated = true }, { 0 } },
        .options = target_options,
        .run = run_set,
        .example = "lightc config set c1 boot.autostart=true user.owner=ann\n"
                   "lightc config set c1 user.user-data=- < user-data.yaml\n"
                   "lightc config set core.https_address=:8443",
};

const struct command cmd_config_unset = {
        .path = "config unset",
        .summary = "Take a key away from an instance, or from the daemon",
        .args = (const struct arg[]){ TARGET, { "<key>" }, { 0 } },
        .options = target_options,
        .run = run_unset,
        .example = "lightc config unset c1 user.owner",
};

const struct command cmd_config_get = {
        .path = "config get",
        .summary = "Print the value of one key",
        .args = (const struct arg[]){ TARGET, { "<key>" }, { 0 } },
        .options = expanded_options,
        .run = run_get,
        .example = "lightc config get c1 boot.autostart",
};

const struct command cmd_config_show = {
        .path = "config show",
        .summary = "Show the configuration of an instance, a snapshot or the daemon",
        .args = (const struct arg[]){ { "[<remote>:][<instance>[/<snapshot>]]", .is_optional = true }, { 0 } },
        .options = expanded_options,
        .run = run_show,
        .example = "lightc config show c1 --expanded",
};

const struct command cmd_config_edit = {
        .path = "config edit",
        .summary = "Change a configuration in an editor, or from standard input",
        .args = (const struct arg[]){ { "[<remote>:][<instance>[/<snapshot>]]", .is_optional = true }, { 0 } },
        .options = target_options,
        .run = run_edit,
        .example = "lightc config edit c1\nlightc config edit c1 < c1.yaml",
};
