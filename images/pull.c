/* SPDX-License-Identifier: Apache-2.0 */
/* POST /1.0/images with a JSON body: an image of a remote that stays, as against one kept because it was
 * used. */
#include "images/fetch.h"
#include "images/image-ops.h"
#include "base/alloc.h"

struct pull {
        struct server *server;
        char *project, *fingerprint;
        struct image_wishes wishes;
        struct operation *op;
};

static void pull_free(struct pull *p)
{
        free(p->project);
        free(p->fingerprint);
        image_wishes_done(&p->wishes);
        free(p);
}

static void fail(struct pull *p, const struct error *err)
{
        operation_fail(p->op, err);
        pull_free(p);
}

static void adopt(struct pull *p);

static void on_adopted(void *data, int r, struct error *err)
{
        struct pull *p = data;
        if (r < 0 && err->code == ERR_CONFLICT) {
                adopt(p);
                return;
        }
        if (r < 0) {
                fail(p, err);
                return;
        }
        struct object *o = object_find(p->server, &image_kind, p->project, p->fingerprint);
        _cleanup_free_ char *size = xasprintf("%lld", o ? (long long)((struct image *)o->body)->size : 0);
        struct json_object *m = json_object_new_object();
        json_set_string(m, "fingerprint", p->fingerprint);
        json_set_string(m, "size", size);
        operation_succeed(p->op, m);
        pull_free(p);
}

static struct image *with_wishes(const struct object *o, const struct image *wishes)
{
        struct image *next = type_copy(&image_type, o->body);
        next->is_cached = false;
        next->is_public = wishes->is_public;
        strmap_merge(&next->properties, &wishes->properties);
        if (wishes->expires_at)
                next->expires_at = wishes->expires_at;
        if (wishes->profiles.n) {
                strlist_done(&next->profiles);
                for (size_t i = 0; i < wishes->profiles.n; i++)
                        strlist_add(&next->profiles, wishes->profiles.items[i]);
        }
        if (!str_empty(wishes->filename)) {
                free(next->filename);
                next->filename = xstrdup(wishes->filename);
        }
        return next;
}

static void adopt(struct pull *p)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct object *o = NULL;
        struct change *c = change_new(p->server);
        int r = object_get(p->server, &image_kind, p->project, p->fingerprint, &o, &err);
        if (r >= 0)
                r = image_put_aliases(p->server, c, p->project, &p->wishes.aliases, p->fingerprint, &err);
        if (r < 0) {
                change_free(c);
                fail(p, &err);
                return;
        }
        change_put(c, &image_kind, p->project, o->name, o->rev, with_wishes(o, &p->wishes.image));
        change_commit(c, on_adopted, p);
}

static void on_fetched(void *data, int r, struct object *image, struct error *err)
{
        struct pull *p = data;
        if (r < 0) {
                fail(p, err);
                return;
        }
        p->fingerprint = xstrdup(image->name);
        adopt(p);
}

static void cancel(struct operation *op _unused_, void *data)
{
        struct pull *p = data;
        image_fetch_cancel(p->server, p);
}

static int check_source(struct json_object *source, struct error *err)
{
        static const char *const instances[] = { "instance", "container", "virtual-machine", "snapshot" };
        const char *type = json_get_string(source, "type", "");
        if (!source || !*type)
                return error_set(err, ERR_BAD_REQUEST, "source.type is missing");
        if (streq(type, "url"))
                return error_set(err, ERR_UNSUPPORTED, "Images from a URL are not part of this release");
        for (size_t i = 0; i < ARRAY_SIZE(instances); i++)
                if (streq(type, instances[i]))
                        return error_set(err, ERR_UNSUPPORTED,
                                         "Making an image of an instance is not part of this release");
        if (!streq(type, "image"))
                return error_set(err, ERR_BAD_REQUEST, "Unknown source type \"%.32s\"", type);
        if (!streq(json_get_string(source, "mode", "pull"), "pull") && *json_get_string(source, "mode", ""))
                return error_set(err, ERR_UNSUPPORTED, "source.mode: only \"pull\" is possible");
        return 0;
}

static int find_recipe(struct json_object *source, struct recipe *ret, struct error *err)
{
        int r = check_source(source, err);
        if (r >= 0)
                r = recipe_from_source(source, ret, err);
        if (r >= 0 && !ret->remote)
                r = error_set(err, ERR_BAD_REQUEST, "source.server is missing: the image is here already");
        return r;
}

/* Said before minutes of work and not after them; whoever takes one meanwhile is found at the end. */
static int check_aliases(struct server *s, const char *project, const struct alias_list *aliases, struct error *err)
{
        for (size_t i = 0; i < aliases->n; i++)
                if (object_find(s, &image_alias_kind, project, aliases->items[i].name)) {
                        error_set(err, ERR_EXISTS, "Image alias \"%s\" already exists", aliases->items[i].name);
                        return error_hint(err, "Delete it, or give another name");
                }
        return 0;
}

int image_pull(struct request *req, const char *project, struct error *err)
{
        _cleanup_recipe_ struct recipe recipe = { 0 };
        struct image_wishes wishes = { 0 };
        int r = find_recipe(json_get_object(req->body, "source"), &recipe, err);
        if (r >= 0 && *json_get_string(req->body, "compression_algorithm", ""))
                r = error_set(err, ERR_UNSUPPORTED,
                              "compression_algorithm is only for making an image of an instance");
        if (r >= 0)
                r = image_wishes_from_json(req->body, &wishes, err);
        if (r >= 0)
                r = image_check_profiles(req->server, project, &wishes.image, err);
        if (r >= 0)
                r = check_aliases(req->server, project, &wishes.aliases, err);
        if (r < 0) {
                image_wishes_done(&wishes);
                return r;
        }
        struct pull *p = xnew(struct pull);
        p->server = req->server;
        p->project = xstrdup(project);
        p->wishes = wishes;
        struct operation_spec spec = { .class = OPERATION_TASK,
                                       .description = "Downloading image",
                                       .project = project,
                                       .cancel = cancel,
                                       .data = p };
        p->op = operation_new(req->server, req, &spec);
        reply_operation(req, p->op);
        image_fetch(p->server, p->project, &recipe, p->op, on_fetched, p);
        return 0;
}
