/* SPDX-License-Identifier: Apache-2.0 */
#include "lightd/dump.h"
#include "lightd/commands.h"
#include "lightd/daemon.h"
#include "api/extensions.h"
#include "base/effect.h"
#include "base/json.h"
#include "config/keys.h"
#include "instances/devices.h"
#include "networks/network.h"
#include "server/route.h"
#include "storage-pools/driver.h"

#include <stdio.h>

/* ---- keys ---- */

static struct json_object *key_as_json(const struct config_key *key)
{
        struct json_object *o = json_object_new_object();
        json_set_string(o, "name", key->name);
        json_set_string(o, "type", key->type->name);
        json_set_string(o, "form", key->type->form);
        if (key->choices) {
                struct json_object *choices = json_object_new_array();
                for (const char *const *c = key->choices; *c; c++)
                        json_array_add_string(choices, *c);
                json_set_take(o, "choices", choices);
        }
        if (key->type->has_range && key->max) {
                json_set_int(o, "min", key->min);
                json_set_int(o, "max", key->max);
        }
        if (key->fallback)
                json_set_string(o, "default", key->fallback);
        json_set_string(o, "update", config_update_name(key->update));
        json_set_string(o, "restriction", config_restriction_name(key->restriction));
        json_set_string(o, "since", key->since);
        json_set_string(o, "summary", key->summary);
        return o;
}

static void add_keys(struct json_object *groups, const char *title, config_tables tables)
{
        struct json_object *keys = json_object_new_array(), *group = json_object_new_object();
        for (; *tables; tables++)
                for (const struct config_key *key = *tables; key->name; key++)
                        json_object_array_add(keys, key_as_json(key));
        json_set_string(group, "title", title);
        json_set_take(group, "keys", keys);
        json_object_array_add(groups, group);
}

static struct json_object *dump_config(void)
{
        struct json_object *groups = json_object_new_array();
        const char *type;
        config_tables tables;
        add_keys(groups, "Instances and profiles", config_tables_instance);
        for (size_t i = 0; (tables = device_type_keys(i, &type)); i++) {
                char title[64];
                snprintf(title, sizeof title, "Devices of type %s", type);
                add_keys(groups, title, tables);
        }
        add_keys(groups, "Networks", network_tables);
        for (const struct storage_driver *const *d = storage_drivers; *d; d++) {
                char title[64];
                snprintf(title, sizeof title, "Storage pools of driver %s", (*d)->name);
                add_keys(groups, title, storage_driver_tables(*d));
        }
        add_keys(groups, "The server", config_tables_server);
        return groups;
}

/* ---- the other tables ---- */

static const char *const permission_names[] = {
        [PERM_PUBLIC] = "public", [PERM_VIEW] = "view", [PERM_EDIT] = "edit", [PERM_SERVER] = "server"
};

static struct json_object *route_as_json(const struct route *r)
{
        struct json_object *o = json_object_new_object();
        json_set_string(o, "method", http_method_name(r->method));
        json_set_string(o, "path", r->path);
        json_set_string(o, "permission", permission_names[r->permission]);
        json_set_bool(o, "project", r->flags & ROUTE_PROJECT);
        json_set_string(o, "summary", r->doc);
        return o;
}

static struct json_object *dump_routes(void)
{
        struct json_object *rows = json_object_new_array();
        struct server *s = server_new(NULL, "");
        const struct route *r;
        daemon_register(s);
        for (size_t i = 0; (r = router_next(s, &i));)
                if (!(r->flags & ROUTE_INTERNAL))
                        json_object_array_add(rows, route_as_json(r));
        server_free(s);
        return rows;
}

static struct json_object *dump_errors(void)
{
        struct json_object *rows = json_object_new_array(), *o;
#define ERROR_CODE(code, why, err, http, status, words)                                                      \
        o = json_object_new_object();                                                                        \
        json_set_string(o, "reason", why);                                                                   \
        json_set_int(o, "http", http);                                                                       \
        json_set_string(o, "words", words);                                                                  \
        json_object_array_add(rows, o);
#include "base/error-codes.def"
#undef ERROR_CODE
        return rows;
}

static struct json_object *dump_effects(void)
{
        struct json_object *rows = json_object_new_array();
        for (int e = 0; e < _EFFECT_MAX; e++) {
                struct json_object *o = json_object_new_object();
                json_set_string(o, "name", effect_name((enum effect)e));
                json_set_string(o, "leaves", effect_leaves((enum effect)e));
                json_set_string(o, "undo", effect_undo((enum effect)e));
                json_object_array_add(rows, o);
        }
        return rows;
}

static struct json_object *dump_extensions(void)
{
        struct json_object *rows = json_object_new_array();
        for (const char *const *e = api_extensions; *e; e++)
                json_array_add_string(rows, *e);
        return rows;
}

static struct json_object *dump_commands(void)
{
        struct json_object *rows = json_object_new_array();
        for (const struct lightd_command *c = lightd_commands; c->name; c++) {
                struct json_object *o = json_object_new_object();
                json_set_string(o, "name", c->name);
                json_set_string(o, "summary", c->summary);
                json_object_array_add(rows, o);
        }
        return rows;
}

static const struct {
        const char *name;
        struct json_object *(*make)(void);
} tables[] = {
        { "commands", dump_commands }, { "config", dump_config }, { "effects", dump_effects },
        { "errors", dump_errors },     { "extensions", dump_extensions }, { "routes", dump_routes },
};

int dump_table(const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
                if (streq(tables[i].name, name)) {
                        _cleanup_json_ struct json_object *o = tables[i].make();
                        puts(json_text(o));
                        return 0;
                }
        fprintf(stderr, "Error: there is no table \"%s\". --dump knows:", name);
        for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
                fprintf(stderr, " %s", tables[i].name);
        fputc('\n', stderr);
        return 2;
}
