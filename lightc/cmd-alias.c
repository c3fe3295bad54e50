/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "lightc/alias.h"
#include "lightc/client.h"
#include "lightc/output.h"

#include <stdlib.h>

static void add_row(struct json_object *list, const char *name, const char *target, bool is_built_in)
{
        struct json_object *o = json_object_new_object();
        json_set_string(o, "alias", name);
        json_set_string(o, "target", target);
        json_set_bool(o, "built_in", is_built_in);
        json_object_array_add(list, o);
}

/* The other names in the table of commands, unless somebody has taken them for his own. */
static void add_built_in(struct json_object *list, struct json_object *own)
{
        for (const struct command *const *c = commands; *c; c++)
                for (const char *p = (*c)->aliases; p && *p; p += strspn(p, " ")) {
                        size_t n = strcspn(p, " ");
                        _cleanup_free_ char *word = xstrndup(p, n);
                        size_t prefix = strlen((*c)->path) - strlen(command_word(*c));
                        _cleanup_free_ char *name = xasprintf("%.*s%s", (int)prefix, (*c)->path, word);
                        if (!json_has(own, name))
                                add_row(list, name, (*c)->path, true);
                        p += n;
                }
}

static int run_list(struct client *c _unused_, const struct args *a, struct error *err)
{
        static const struct column columns[] = { { .header = "ALIAS", .key = "alias" }, { .header = "TARGET", .key = "target" } };
        _cleanup_json_ struct json_object *config = NULL, *list = json_object_new_array();
        int r = alias_load(&config, err);
        if (r < 0)
                return r;
        json_object_object_foreach(alias_map(config), name, target)
                add_row(list, name, json_object_get_string(target), false);
        add_built_in(list, alias_map(config));
        return output_list(a, list, columns, ARRAY_SIZE(columns), OUTPUT_SORT, err);
}

static int not_found(const char *name, struct error *err)
{
        int r = error_set(err, ERR_NOT_FOUND, "There is no alias \"%s\" of yours", name);
        error_hint(err, "\"lightc alias list\" shows them");
        return r;
}

static int run_add(struct client *c _unused_, const struct args *a, struct error *err)
{
        _cleanup_json_ struct json_object *config = NULL;
        const char *name = a->words[0];
        if (!*name || *name == '-' || !a->words[1][strspn(a->words[1], " ")])
                return args_misuse(err, "An alias has a name that is no option, and a target");
        int r = alias_load(&config, err);
        if (r < 0)
                return r;
        if (json_has(alias_map(config), name))
                return error_set(err, ERR_EXISTS, "The alias \"%s\" already exists", name);
        json_set_string(alias_map(config), name, a->words[1]);
        return alias_save(config, err);
}

static int run_remove(struct client *c _unused_, const struct args *a, struct error *err)
{
        _cleanup_json_ struct json_object *config = NULL;
        int r = alias_load(&config, err);
        if (r < 0)
                return r;
        if (!json_has(alias_map(config), a->words[0]))
                return not_found(a->words[0], err);
        json_object_object_del(alias_map(config), a->words[0]);
        return alias_save(config, err);
}

static int run_rename(struct client *c _unused_, const struct args *a, struct error *err)
{
        _cleanup_json_ struct json_object *config = NULL;
        int r = alias_load(&config, err);
        if (r < 0)
                return r;
        struct json_object *map = alias_map(config);
        if (!json_has(map, a->words[0]))
                return not_found(a->words[0], err);
        if (json_has(map, a->words[1]))
                return error_set(err, ERR_EXISTS, "The alias \"%s\" already exists", a->words[1]);
        json_set_string(map, a->words[1], json_get_string(map, a->words[0], ""));
        json_object_object_del(map, a->words[0]);
        return alias_save(config, err);
}

static const struct option list_options[] = { OPTION_FORMAT, { 0 } };

const struct command cmd_alias = {
        .path = "alias",
        .summary = "Names of your own for commands",
        .example = "lightc alias add up \"start @ARGS@\"\nlightc up c1",
};

const struct command cmd_alias_add = {
        .path = "alias add",
        .summary = "Give a command a name",
        .args = (const struct arg[]){ { "<alias-name>" }, { "<target>" }, { 0 } },
        .run = run_add,
        .example = "lightc alias add up \"start @ARGS@\"\nlightc alias add login \"exec @ARG1@ -- su -l @ARG2@\"",
};

const struct command cmd_alias_list = {
        .path = "alias list",
        .aliases = "ls",
        .summary = "List your names for commands, and the ones that come along",
        .options = list_options,
        .run = run_list,
        .example = "lightc alias list",
};

const struct command cmd_alias_remove = {
        .path = "alias remove",
        .aliases = "rm",
        .summary = "Forget a name",
        .args = (const struct arg[]){ { "<alias-name>" }, { 0 } },
        .run = run_remove,
        .example = "lightc alias remove up",
};

const struct command cmd_alias_rename = {
        .path = "alias rename",
        .aliases = "mv",
        .summary = "Rename a name",
        .args = (const struct arg[]){ { "<alias-name>" }, { "<new-name>" }, { 0 } },
        .run = run_rename,
        .example = "lightc alias rename up go",
};
