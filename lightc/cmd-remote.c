/* SPDX-License-Identifier: Apache-2.0 */
/* remote: the daemons lightc can talk to. It is the one of this machine, until others can be reached over TLS. */
#include "lightc/client.h"
#include "lightc/output.h"

static const struct remote {
        const char *name, *address, *protocol, *auth_type;
} remotes[] = {
        { "local", "unix://", "lxd", "file access" },
};
#define DEFAULT_REMOTE (&remotes[0])

static struct json_object *remote_object(const struct remote *r)
{
        struct json_object *o = json_object_new_object();
        json_set_string(o, "Name", r->name);
        json_set_string(o, "Addr", r->address);
        json_set_string(o, "AuthType", r->auth_type);
        json_set_string(o, "Protocol", r->protocol);
        json_set_bool(o, "Default", r == DEFAULT_REMOTE);
        json_set_bool(o, "Public", false);
        json_set_bool(o, "Static", true);
        json_set_bool(o, "Global", false);
        return o;
}

static void cell_name(struct json_object *item, const struct column *column, struct strbuf *out)
{
        strbuf_addf(out, "%s%s", json_get_string(item, column->key, ""),
                    json_get_bool(item, "Default", false) ? " (current)" : "");
}

static void cell_flag(struct json_object *item, const struct column *column, struct strbuf *out)
{
        strbuf_adds(out, json_get_bool(item, column->key, false) ? "YES" : "NO");
}

static int run_list(struct client *c _unused_, const struct args *a, struct error *err)
{
        static const struct column columns[] = {
                { .header = "NAME", .key = "Name", .cell = cell_name },
                { .header = "URL", .key = "Addr" },
                { .header = "PROTOCOL", .key = "Protocol" },
                { .header = "AUTH TYPE", .key = "AuthType" },
                { .header = "PUBLIC", .key = "Public", .cell = cell_flag },
                { .header = "STATIC", .key = "Static", .cell = cell_flag },
                { .header = "GLOBAL", .key = "Global", .cell = cell_flag },
        };
        _cleanup_json_ struct json_object *list = json_object_new_array();
        for (size_t i = 0; i < ARRAY_SIZE(remotes); i++)
                json_object_array_add(list, remote_object(&remotes[i]));
        return output_list(a, list, columns, ARRAY_SIZE(columns), OUTPUT_SORT, err);
}

static int run_get_default(struct client *c _unused_, const struct args *a _unused_, struct error *err _unused_)
{
        output_line("%s", DEFAULT_REMOTE->name);
        return 0;
}

static const struct option list_options[] = { OPTION_FORMAT, { 0 } };

const struct command cmd_remote = {
        .path = "remote",
        .summary = "Look at the daemons lightc can talk to",
        .example = "lightc remote list",
};

const struct command cmd_remote_get_default = {
        .path = "remote get-default",
        .summary = "Print the one that is meant when none is named",
        .run = run_get_default,
        .example = "lightc remote get-default",
};

const struct command cmd_remote_list = {
        .path = "remote list",
        .aliases = "ls",
        .summary = "List them: in this release the daemon of this machine",
        .options = list_options,
        .run = run_list,
        .example = "lightc remote list",
};
