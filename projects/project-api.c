/* SPDX-License-Identifier: Apache-2.0 */
#include "projects/projects.h"
#include "projects/used-by.h"

static void get_list(struct request *req)
{
        reply_used_list(req, &project_kind, NULL, "/1.0/projects");
}

static void get_one(struct request *req)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct object *o;
        if (object_get(req->server, &project_kind, "", req->params[0], &o, &err) < 0)
                reply_error(req, &err);
        else
                reply_used_object(req, o);
}

static const struct route routes[] = {
        { METHOD_GET, "/1.0/projects", get_list, PERM_VIEW, 0, "List the projects." },
        { METHOD_GET, "/1.0/projects/{name}", get_one, PERM_VIEW, 0, "One project." },
        { 0 },
};

void projects_register(struct server *s)
{
        object_kind_register(s, &project_kind);
        router_add(s, routes);
}
