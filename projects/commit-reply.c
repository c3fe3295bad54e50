/* SPDX-License-Identifier: Apache-2.0 */
#include "projects/commit-reply.h"
#include "base/alloc.h"

struct pending {
        struct request *req;
        struct commit_reply reply;
        char *project;
};

static void pending_free(struct pending *p)
{
        free(p->project);
        free(p->reply.take_name);
        free(p->reply.take_source);
        json_object_put(p->reply.take_context);
        free(p);
}

static void succeed(struct pending *p)
{
        struct request *req = p->req;
        event_lifecycle(req->server, req, p->reply.action, p->project, p->reply.take_source,
                        TAKE_PTR(p->reply.take_context));
        _cleanup_free_ char *url = url_in_project(p->reply.take_source, p->project);
        reply_etag(req, object_find(req->server, p->reply.kind, p->project, p->reply.take_name));
        if (p->reply.is_created)
                reply_created(req, "%s", url);
        else
                reply_empty(req);
}

static void on_committed(void *data, int r, struct error *err)
{
        struct pending *p = data;
        route_fn retry = r < 0 && (err->code == ERR_CONFLICT || err->code == ERR_NOT_FOUND) ? p->reply.retry : NULL;
        struct request *req = p->req;
        if (r >= 0)
                succeed(p);
        else if (!retry)
                reply_error(req, err);
        pending_free(p);
        if (retry)
                retry(req);
}

void commit_and_reply(struct request *req, struct change *take_c, const struct commit_reply *reply)
{
        struct pending *p = xnew(struct pending);
        p->req = req;
        p->reply = *reply;
        p->project = xstrdup(reply->project);
        change_commit(take_c, on_committed, p);
}
