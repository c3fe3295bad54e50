/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "networks/host.h"
#include "networks/network-ops.h"
#include "networks/network-view.h"
#include "projects/used-by.h"
#include "server/event.h"

/* Where a request's networks live; false: answered. */
static bool find_project(struct request *req, const char **ret)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        if (project_of_request(req, PROJECT_NETWORKS, ret, &err) >= 0)
                return true;
        reply_error(req, &err);
        return false;
}

/* The managed network a request names, its If-Match checked; false: answered. */
static bool find(struct request *req, struct object **ret)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        const char *project, *name = req->params[0];
        if (!find_project(req, &project))
                return false;
        *ret = object_find(req->server, &network_kind, project, name);
        if (*ret && request_check_etag(req, *ret, &err) >= 0)
                return true;
        if (*ret)
                reply_error(req, &err);
        else if (host_has_interface(name))
                reply_errorf(req, ERR_BAD_REQUEST, "Network \"%s\" is the host's and not managed here", name);
        else
                reply_errorf(req, ERR_NOT_FOUND, "Network \"%s\" not found", name);
        return false;
}

static void get_list(struct request *req)
{
        struct reply_list l;
        const char *project = NULL;
        if (!req->is_all_projects && !find_project(req, &project))
                return;
        if (reply_list_begin(&l, req) == 0) {
                network_list(&l, project);
                reply_list_end(&l);
        }
}

static void get_one(struct request *req)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        char etag[OBJECT_ETAG_SIZE];
        const char *project;
        if (!find_project(req, &project))
                return;
        struct object *o = object_find(req->server, &network_kind, project, req->params[0]);
        if (!o && !host_has_interface(req->params[0])) {
                reply_errorf(req, ERR_NOT_FOUND, "Network \"%s\" not found", req->params[0]);
                return;
        }
        if (o) {
                network_write(req->server, o, &b);
                reply_header(req, "ETag", object_etag(o, etag));
        } else {
                network_write_host(req->server, req->params[0], &b);
        }
        reply_text(req, b.data, b.len);
}

/* A change on its way; the answer is made when it is through. */
struct pending {
        struct request *req;
        const char *action;
        char *project, *name;
        route_fn retry; /* somebody else's change came first: read, check If-Match and merge again */
};

static struct pending *pending_new(struct request *req, const char *action, const char *project, const char *name)
{
        struct pending *p = xnew(struct pending);
        p->req = req;
        p->action = action;
        p->project = xstrdup(project);
        p->name = xstrdup(name);
        return p;
}

static void on_changed(void *data, int r, struct error *err)
{
        struct pending *p = data;
        _cleanup_free_ char *source = xasprintf("/1.0/networks/%s", p->name);
        if (r >= 0) {
                event_lifecycle(p->req->server, p->req, p->action, p->project, source, NULL);
                reply_etag(p->req, object_find(p->req->server, &network_kind, p->project, p->name));
        }
        if (r < 0 && err->code == ERR_CONFLICT && p->retry)
                p->retry(p->req);
        else if (r < 0)
                reply_error(p->req, err);
        else if (streq(p->action, "network-created"))
                reply_created(p->req, "%s", source);
        else
                reply_empty(p->req);
        free(p->project);
        free(p->name);
        free(p);
}

static void post_list(struct request *req)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        const char *project;
        if (!find_project(req, &project))
                return;
        struct network *n = type_new(&network_type);
        int r = request_decode(req, &network_type, TYPE_REPLACE, n, &err);
        if (r >= 0) {
                config_drop_empty(&n->config);
                if (str_empty(n->type)) {
                        free(n->type);
                        n->type = xstrdup("bridge");
                }
                if (!n->name)
                        n->name = xstrdup("");
                network_fill(n, host_has_ipv6());
                r = network_check(n, &err);
        }
        if (r < 0) {
                type_free(&network_type, n);
                reply_error(req, &err);
                return;
        }
        network_create(req->server, project, n, on_changed, pending_new(req, "network-created", project, n->name));
}

static void update(struct request *req, enum type_mode mode, route_fn retry)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct object *o;
        if (!find(req, &o))
                return;
        struct network *next = type_copy(&network_type, o->body);
        int r = request_decode(req, &network_type, mode, next, &err);
        if (r >= 0) {
                /* A client sends the whole object back; name and type are not for changing here. */
                free(next->name);
                free(next->type);
                next->name = xstrdup(o->name);
                next->type = xstrdup(((struct network *)o->body)->type);
                config_drop_empty(&next->config);
                r = network_check(next, &err);
        }
        if (r < 0) {
                type_free(&network_type, next);
                reply_error(req, &err);
                return;
        }
        struct pending *p = pending_new(req, "network-updated", o->project, o->name);
        p->retry = retry;
        network_update(req->server, o->project, next, o->rev, on_changed, p);
}

static void put_one(struct request *req)
{
        update(req, TYPE_REPLACE, put_one);
}

static void patch_one(struct request *req)
{
        update(req, TYPE_PATCH, patch_one);
}

static void delete_one(struct request *req)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct object *o;
        if (!find(req, &o))
                return;
        if (used_by_check_free(req->server, o, &err) < 0) {
                reply_error(req, &err);
                return;
        }
        network_delete(req->server, o->project, o->name, on_changed,
                       pending_new(req, "network-deleted", o->project, o->name));
}

static void get_state(struct request *req)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        const char *project;
        if (!find_project(req, &project))
                return;
        if (!host_has_interface(req->params[0])) {
                reply_errorf(req, ERR_NOT_FOUND, "Network \"%s\" has no interface on this host", req->params[0]);
                return;
        }
        network_write_state(req->server, req->params[0], &b);
        reply_text(req, b.data, b.len);
}

static void get_leases(struct request *req)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        struct object *o;
        if (!find(req, &o))
                return;
        network_write_leases(req->server, o, &b);
        reply_text(req, b.data, b.len);
}

const struct route network_routes[] = {
        { METHOD_GET, "/1.0/networks", get_list, PERM_VIEW, ROUTE_PROJECT,
          "List the managed networks and the host's interfaces." },
        { METHOD_POST, "/1.0/networks", post_list, PERM_SERVER, ROUTE_PROJECT | ROUTE_BODY, "Create a network." },
        { METHOD_GET, "/1.0/networks/{name}", get_one, PERM_VIEW, ROUTE_PROJECT, "One network." },
        { METHOD_PUT, "/1.0/networks/{name}", put_one, PERM_SERVER, ROUTE_PROJECT | ROUTE_BODY,
          "Replace the configuration and description of a network." },
        { METHOD_PATCH, "/1.0/networks/{name}", patch_one, PERM_SERVER, ROUTE_PROJECT | ROUTE_BODY,
          "Change parts of a network; a null or empty value unsets a key." },
        { METHOD_DELETE, "/1.0/networks/{name}", delete_one, PERM_SERVER, ROUTE_PROJECT,
          "Delete a network that nobody uses." },
        { METHOD_GET, "/1.0/networks/{name}/state", get_state, PERM_VIEW, ROUTE_PROJECT,
          "Addresses, counters and ports of a network's interface." },
        { METHOD_GET, "/1.0/networks/{name}/leases", get_leases, PERM_VIEW, ROUTE_PROJECT,
          "Addresses that are given out." },
        { 0 },
};
