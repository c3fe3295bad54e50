/* SPDX-License-Identifier: Apache-2.0 */
#include "projects/used-by.h"
#include "base/alloc.h"

#define USED_BY_MAX 32
#define NAMES_SHOWN 3

static struct {
        const char *kind;
        used_by_fn fn;
} rows[USED_BY_MAX];
static size_t n_rows;

void used_by_add(const char *kind, used_by_fn fn)
{
        for (size_t i = 0; i < n_rows; i++)
                if (rows[i].fn == fn && streq(rows[i].kind, kind))
                        return;
        assert(n_rows < USED_BY_MAX);
        rows[n_rows].kind = kind;
        rows[n_rows++].fn = fn;
}

void used_by_project(struct server *s, const struct object *o, const struct object_kind *kind, const char *url_prefix,
                     struct strlist *urls)
{
        struct object **objects;
        size_t n = object_list(s, kind, o->name, &objects);
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *plain = xasprintf("%s/%s", url_prefix, objects[i]->name);
                _cleanup_free_ char *url = url_in_project(plain, o->name);
                strlist_add(urls, url);
        }
}

void used_by_collect(struct server *s, const struct object *o, struct strlist *urls)
{
        for (size_t i = 0; i < n_rows; i++)
                if (streq(rows[i].kind, o->kind->name))
                        rows[i].fn(s, o, urls);
}

/* "/1.0/instances/c1?project=x" → "instances/c1?project=x" */
static const char *shown(const char *url)
{
        return str_starts(url, "/1.0/") ? url + strlen("/1.0/") : url;
}

int used_by_check_free(struct server *s, const struct object *o, struct error *err)
{
        struct strlist urls = { 0 };
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        used_by_collect(s, o, &urls);
        size_t n = urls.n;
        for (size_t i = 0; i < MIN(n, (size_t)NAMES_SHOWN); i++)
                strbuf_addf(&b, "%s\"%s\"", i ? ", " : "", shown(urls.items[i]));
        if (n > NAMES_SHOWN)
                strbuf_addf(&b, " and %zu more", n - NAMES_SHOWN);
        strlist_done(&urls);
        if (!n)
                return 0;
        error_set(err, ERR_IN_USE, "%s \"%s\" is in use by %s", o->kind->title, o->name, strbuf_str(&b));
        return error_object(err, o->kind->name, o->name), -EBUSY;
}

/* The kept rendering of the object ends with its brace; the list goes in before it. */
void used_by_write(struct server *s, struct object *o, struct strbuf *out)
{
        struct strlist urls = { 0 };
        const struct strbuf *rest = object_rest(o);
        strbuf_add(out, rest->data, rest->len - 1);
        strbuf_adds(out, rest->len > 2 ? ",\"used_by\":" : "\"used_by\":");
        struct json_writer w = JSON_WRITER(out);
        json_write_array_begin(&w);
        used_by_collect(s, o, &urls);
        for (size_t i = 0; i < urls.n; i++)
                json_write_string(&w, urls.items[i]);
        json_write_array_end(&w);
        strbuf_addc(out, '}');
        strlist_done(&urls);
}

void reply_used_object(struct request *req, struct object *o)
{
        char etag[OBJECT_ETAG_SIZE];
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        used_by_write(req->server, o, &b);
        reply_header(req, "ETag", object_etag(o, etag));
        reply_text(req, b.data, b.len);
}

void reply_used_list(struct request *req, const struct object_kind *kind, const char *project, const char *url_prefix)
{
        struct reply_list l;
        struct object **objects;
        if (reply_list_begin(&l, req) < 0)
                return;
        size_t n = object_list(req->server, kind, project, &objects);
        for (size_t i = 0; i < n; i++) {
                _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
                _cleanup_free_ char *plain = xasprintf("%s/%s", url_prefix, objects[i]->name);
                _cleanup_free_ char *url = url_in_project(plain, objects[i]->project);
                if (reply_list_wants_bodies(&l))
                        used_by_write(req->server, objects[i], &b);
                reply_list_add(&l, url, strbuf_str(&b), b.len);
        }
        reply_list_end(&l);
}
