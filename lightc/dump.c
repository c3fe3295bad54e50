/* SPDX-License-Identifier: Apache-2.0 */
#include "lightc/dump.h"
#include "lightc/commands.h"
#include "lightc/help.h"
#include "base/json.h"

#include <stdio.h>

static struct json_object *options_as_json(const struct option *table)
{
        struct json_object *rows = json_object_new_array();
        for (const struct option *o = table; o && o->name; o++) {
                struct json_object *row = json_object_new_object();
                _cleanup_strbuf_ struct strbuf label = STRBUF_INIT;
                help_option_label(&label, o);
                json_set_string(row, "label", strbuf_str(&label));
                json_set_string(row, "help", o->help);
                json_set_bool(row, "repeated", o->is_repeated);
                json_object_array_add(rows, row);
        }
        return rows;
}

static struct json_object *args_as_json(const struct arg *table)
{
        struct json_object *rows = json_object_new_array();
        for (const struct arg *a = table; a && a->name; a++) {
                struct json_object *row = json_object_new_object();
                json_set_string(row, "name", a->name);
                json_set_bool(row, "optional", a->is_optional);
                json_set_bool(row, "repeated", a->is_repeated);
                json_object_array_add(rows, row);
        }
        return rows;
}

static struct json_object *command_as_json(const struct command *c)
{
        struct json_object *o = json_object_new_object();
        _cleanup_strbuf_ struct strbuf usage = STRBUF_INIT;
        help_usage_line(&usage, c);
        json_set_string(o, "path", c->path);
        json_set_string(o, "usage", strbuf_str(&usage));
        json_set_string(o, "aliases", c->aliases ? c->aliases : "");
        json_set_string(o, "summary", c->summary);
        json_set_string(o, "example", c->example);
        json_set_bool(o, "group", !c->run);
        json_set_take(o, "args", args_as_json(c->args));
        json_set_take(o, "options", options_as_json(c->options));
        return o;
}

void dump_commands(void)
{
        _cleanup_json_ struct json_object *o = json_object_new_object();
        struct json_object *rows = json_object_new_array();
        for (const struct command *const *c = commands; *c; c++)
                json_object_array_add(rows, command_as_json(*c));
        json_set_take(o, "commands", rows);
        json_set_take(o, "options", options_as_json(command_global_options));
        puts(json_text(o));
}
