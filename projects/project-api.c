/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "projects/plain-family.h"
#include "projects/projects.h"
#include "projects/used-by.h"

static char *project_url(const char *name)
{
        return xasprintf("/1.0/projects/%s", name);
}

static const struct plain_family projects = {
        .kind = &project_kind,
        .is_server_wide = true,
        .name_offset = offsetof(struct project, name),
        .has_users = true,
        .url = project_url,
        .created = "project-created",
        .updated = "project-updated",
        .renamed = "project-renamed",
        .deleted = "project-deleted",
        .create = project_create,
        .update = project_update,
        .rename = project_rename,
        .remove = project_delete,
};

static int64_t count(const struct strlist *urls, const char *prefix)
{
        int64_t n = 0;
        for (size_t i = 0; i < urls->n; i++)
                n += str_starts(urls->items[i], prefix);
        return n;
}

static void write_resource(struct json_writer *w, const char *name, int64_t usage)
{
        json_write_key(w, name);
        json_write_object_begin(w);
        json_write_key_int(w, "Limit", -1); /* none */
        json_write_key_int(w, "Usage", usage);
        json_write_object_end(w);
}

/*
 * As LXD means it: what is countable is counted; of cpu, disk, memory and processes the limits of the project's instances are
 * summed up, and no instance can have such a limit yet.
 */
static void write_state(struct server *s, const struct object *project, struct json_writer *w)
{
        struct strlist urls = { 0 };
        used_by_collect(s, project, &urls);
        int64_t instances = count(&urls, "/1.0/instances/");
        json_write_object_begin(w);
        json_write_key(w, "resources");
        json_write_object_begin(w);
        write_resource(w, "containers", instances);
        write_resource(w, "cpu", 0);
        write_resource(w, "disk", 0);
        write_resource(w, "instances", instances);
        write_resource(w, "memory", 0);
        write_resource(w, "networks", count(&urls, "/1.0/networks/"));
        write_resource(w, "processes", 0);
        write_resource(w, "virtual-machines", 0);
        json_write_object_end(w);
        json_write_object_end(w);
        strlist_done(&urls);
}

static void get_state(struct request *req)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        struct json_writer w = JSON_WRITER(&b);
        struct object *o;
        if (object_get(req->server, &project_kind, "", req->params[0], &o, &err) < 0) {
                reply_error(req, &err);
                return;
        }
        write_state(req->server, o, &w);
        reply_text(req, b.data, b.len);
}

#define ONE "/1.0/projects/{name}"

/* Projects are the server's, so their changes ask for more than those of the plain families inside one. */
static const struct route routes[] = {
        { METHOD_GET, "/1.0/projects", plain_list, PERM_VIEW, 0, "List the projects.", &projects },
        { METHOD_POST, "/1.0/projects", plain_create, PERM_SERVER, ROUTE_BODY, "Create a project.", &projects },
        { METHOD_GET, ONE, plain_get, PERM_VIEW, 0, "One project.", &projects },
        { METHOD_PUT, ONE, plain_put, PERM_SERVER, ROUTE_BODY, "Replace a project's settings.", &projects },
        { METHOD_PATCH, ONE, plain_patch, PERM_SERVER, ROUTE_BODY, "Change some of a project's settings.", &projects },
        { METHOD_POST, ONE, plain_rename, PERM_SERVER, ROUTE_BODY, "Rename a project.", &projects },
        { METHOD_DELETE, ONE, plain_delete, PERM_SERVER, 0, "Delete an empty project.", &projects },
        { METHOD_GET, ONE "/state", get_state, PERM_VIEW, 0, "What a project uses of its limits." },
        { 0 },
};

void projects_register(struct server *s)
{
        object_kind_register(s, &project_kind);
        router_add(s, routes);
}
