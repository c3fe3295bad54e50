/* SPDX-License-Identifier: Apache-2.0 */
/* Lists: URLs or bodies, filtered on the server when the client asks. */
#include "server/request.h"
#include "api/filter.h"
#include "base/alloc.h"

int reply_list_begin(struct reply_list *l, struct request *req)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        const char *text = request_query(req, "filter");
        *l = (struct reply_list){ .req = req };
        if (!str_empty(text)) {
                int r = filter_parse(text, &l->filter, &err);
                if (r < 0) {
                        reply_error(req, &err);
                        return r;
                }
        }
        l->w = JSON_WRITER(&l->out);
        json_write_array_begin(&l->w);
        return 0;
}

bool reply_list_wants_bodies(const struct reply_list *l)
{
        return l->req->recursion > 0 || l->filter;
}

static bool is_filtered_out(struct reply_list *l, const char *json, size_t n)
{
        _cleanup_json_ struct json_object *o = NULL;
        return l->filter && (json_parse(json, n, &o, NULL) < 0 || !filter_matches(l->filter, o));
}

void reply_list_add(struct reply_list *l, const char *url, const char *json, size_t n)
{
        if (is_filtered_out(l, json, n))
                return;
        if (l->req->recursion > 0)
                json_write_raw(&l->w, json, n);
        else
                json_write_string(&l->w, url);
}

void reply_list_end(struct reply_list *l)
{
        json_write_array_end(&l->w);
        filter_free(l->filter);
        reply_text(l->req, l->out.data, l->out.len);
        strbuf_done(&l->out);
}

void reply_object_list(struct request *req, const struct object_kind *kind, const char *project, const char *url_prefix)
{
        struct reply_list l;
        struct object **objects;
        if (reply_list_begin(&l, req) < 0)
                return;
        size_t n = object_list(req->server, kind, project, &objects);
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *plain = xasprintf("%s/%s", url_prefix, objects[i]->name);
                _cleanup_free_ char *url = url_in_project(plain, objects[i]->project);
                const struct strbuf *rest = object_rest(objects[i]);
                reply_list_add(&l, url, rest->data, rest->len);
        }
        reply_list_end(&l);
}
