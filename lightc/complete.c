/* SPDX-License-Identifier: Apache-2.0 */
#include "lightc/complete.h"
#include "base/alloc.h"
#include "lightc/client.h"
#include "lightc/commands.h"

#include <stdio.h>

struct line {
        const struct command *command; /* as far as the words name one */
        const struct option *expecting; /* the option whose value the last word is */
        size_t n_positional;            /* words of the command before the last one */
        const char *first;              /* the first of them */
        const char *current;
};

/* ---- what stands before ---- */

static const struct option *find_option(const struct command *c, const char *word)
{
        const struct option *const tables[] = { c ? c->options : NULL, command_global_options };
        for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
                for (const struct option *o = tables[i]; o && o->name; o++)
                        if ((word[1] == '-' && streq(word + 2, o->name)) ||
                            (word[1] && !word[2] && word[1] == o->letter))
                                return o;
        return NULL;
}

static void take_word(struct line *l, const char *word)
{
        const struct command *child;
        l->expecting = NULL;
        if (*word == '-') {
                const struct option *o = find_option(l->command, word);
                l->expecting = o && o->value && !o->fallback ? o : NULL;
        } else if ((!l->command || !l->command->run) && (child = command_child(l->command, word))) {
                l->command = child;
        } else if (l->n_positional++ == 0) {
                l->first = word;
        }
}

static struct line read_line(const char *const *words, int n)
{
        struct line l = { .current = n > 0 ? words[n - 1] : "" };
        for (int i = 0; i + 1 < n; i++) {
                if (l.expecting)
                        l.expecting = NULL; /* its value */
                else
                        take_word(&l, words[i]);
        }
        return l;
}

/* ---- what could stand there ---- */

static void offer(const struct line *l, const char *word)
{
        if (str_starts(word, l->current))
                puts(word);
}

static void offer_options(const struct line *l)
{
        const struct option *const tables[] = { l->command ? l->command->options : NULL, command_global_options };
        for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
                for (const struct option *o = tables[i]; o && o->name; o++) {
                        _cleanup_free_ char *word = xasprintf("--%s", o->name);
                        offer(l, word);
                }
}

static void offer_commands(const struct line *l)
{
        for (const struct command *const *c = commands; *c; c++)
                if (command_is_child(l->command, *c))
                        offer(l, command_word(*c));
}

/* The last part of each address, for the daemon lists addresses; of aliases it holds a '/', too. */
static void offer_objects(const struct line *l, const char *collection)
{
        struct client c;
        _cleanup_json_ struct json_object *list = NULL;
        client_init(&c);
        _cleanup_free_ char *url = xasprintf("/1.0/%s", collection);
        if (client_get(&c, url, &list, NULL) >= 0 && json_object_is_type(list, json_type_array))
                for (size_t i = 0; i < json_object_array_length(list); i++) {
                        const char *address = json_object_get_string(json_object_array_get_idx(list, i));
                        size_t skip = strlen(url) + 1;
                        if (address && strlen(address) > skip) {
                                _cleanup_free_ char *name = xstrndup(address + skip, strcspn(address + skip, "?"));
                                offer(l, name);
                        }
                }
        client_done(&c);
}

/* Templates of the instance before. */
static void offer_templates(const struct line *l)
{
        struct client c;
        _cleanup_json_ struct json_object *list = NULL;
        client_init(&c);
        _cleanup_free_ char *url = client_url(&c, NULL, "instances", l->first, "metadata", "templates", NULL);
        if (client_get(&c, url, &list, NULL) >= 0 && json_object_is_type(list, json_type_array))
                for (size_t i = 0; i < json_object_array_length(list); i++)
                        offer(l, json_object_get_string(json_object_array_get_idx(list, i)));
        client_done(&c);
}

/* Keys of one instance's or profile's devices. */
static void offer_devices(const struct line *l)
{
        struct client c;
        _cleanup_json_ struct json_object *o = NULL;
        client_init(&c);
        _cleanup_free_ char *url = client_url(&c, NULL, "instances", l->first, NULL);
        if (client_get(&c, url, &o, NULL) >= 0 && json_get_object(o, "expanded_devices")) {
                json_object_object_foreach(json_get_object(o, "expanded_devices"), name, device) {
                        (void)device;
                        offer(l, name);
                }
        }
        client_done(&c);
}

/* Keys that are set: the ones to be read or unset. */
static void offer_keys(const struct line *l)
{
        struct client c;
        _cleanup_json_ struct json_object *o = NULL;
        client_init(&c);
        _cleanup_free_ char *url = client_url(&c, NULL, "instances", l->first, NULL);
        if (client_get(&c, url, &o, NULL) >= 0 && json_get_object(o, "config")) {
                json_object_object_foreach(json_get_object(o, "config"), key, value) {
                        (void)value;
                        offer(l, key);
                }
        }
        client_done(&c);
}

/* "bash|fish|zsh" */
static void offer_choices(const struct line *l, const char *what)
{
        while (*what) {
                size_t n = strcspn(what, "|");
                _cleanup_free_ char *choice = xstrndup(what, n);
                offer(l, choice);
                what += n + (what[n] == '|');
        }
}

static void offer_images(const struct line *l)
{
        static const char *const built[] = { "debian:11", "debian:12", "debian:13" };
        offer_objects(l, "images/aliases");
        for (size_t i = 0; l->command && streq(l->command->path, "launch") && i < ARRAY_SIZE(built); i++)
                offer(l, built[i]);
}

/* What an argument is stands in its name: "[<remote>:]<instance>". */
static void offer_argument(const struct line *l, const char *what)
{
        static const struct {
                const char *part, *collection;
        } kinds[] = {
                { "<instance>", "instances" }, { "<profile>", "profiles" }, { "<network>", "networks" },
                { "<pool>", "storage-pools" }, { "<operation>", "operations" }, { "<project>", "projects" },
                { "<alias>", "images/aliases" },
        };
        if (strstr(what, "<image>"))
                offer_images(l);
        if (strstr(what, "<device>") && l->first)
                offer_devices(l);
        if (strstr(what, "<template>") && l->first)
                offer_templates(l);
        if (str_starts(what, "<key>") && l->first && l->n_positional == 1)
                offer_keys(l);
        if (strchr(what, '|') && !strchr(what, '<'))
                offer_choices(l, what);
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if (strstr(what, kinds[i].part))
                        offer_objects(l, kinds[i].collection);
}

static void offer_value(const struct line *l)
{
        static const struct {
                const char *option, *what;
        } values[] = { { "profile", "<profile>" }, { "network", "<network>" }, { "storage", "<pool>" }, { "project", "<project>" } };
        if (strchr(l->expecting->value, '|'))
                offer_choices(l, l->expecting->value);
        for (size_t i = 0; i < ARRAY_SIZE(values); i++)
                if (streq(l->expecting->name, values[i].option))
                        offer_argument(l, values[i].what);
}

void complete_line(const char *const *words, int n_words)
{
        struct line l = read_line(words, n_words);
        if (l.expecting)
                offer_value(&l);
        else if (*l.current == '-')
                offer_options(&l);
        else if (!l.command || !l.command->run)
                offer_commands(&l);
        else if (command_argument(l.command, l.n_positional))
                offer_argument(&l, command_argument(l.command, l.n_positional)->name);
}
