/* SPDX-License-Identifier: Apache-2.0 */
#include "lightc/client.h"
#include "lightc/output.h"

/* The daemon's half is best effort: a version command that fails because a daemon is down helps nobody. */
static int run(struct client *c, const struct args *a _unused_, struct error *err _unused_)
{
        _cleanup_error_ struct error why = ERROR_INIT;
        struct json_object *server = NULL;
        int r = client_server(c, &server, &why);
        struct json_object *env = json_get_object(server, "environment");
        const char *own = json_get_string(env, "lightvisor_version", NULL);
        output_line("Client version: %s", LIGHTVISOR_VERSION);
        if (r < 0)
                output_line("Server version: unreachable");
        else if (own)
                output_line("Server version: %s (speaks LXD %s)", own, json_get_string(env, "server_version", "?"));
        else
                output_line("Server version: %s", json_get_string(env, "server_version", "?"));
        return STATUS_OK;
}

const struct command cmd_version = {
        .path = "version",
        .summary = "Show the versions of client and daemon",
        .args = (const struct arg[]){ { "<remote>:", .is_optional = true }, { 0 } },
        .run = run,
        .example = "lightc version",
};
