/* SPDX-License-Identifier: Apache-2.0 */
#include "images/image.h"
#include "images/use.h"
#include "base/alloc.h"
#include "base/names.h"
#include "base/time.h"
#include "images/remotes.h"

const struct object_kind image_kind = { .name = "image", .title = "Image", .type = &image_type, .schema = 1 };
const struct object_kind image_alias_kind = {
        .name = "image-alias", .title = "Image alias", .type = &image_alias_type, .schema = 1
};

static int not_found(const char *word, struct error *err)
{
        _cleanup_free_ char *shown = name_printable(word);
        error_set(err, ERR_NOT_FOUND, "Image \"%s\" not found", shown);
        error_object(err, image_kind.name, shown);
        const struct remote *remote;
        if (remote_find(word, NULL, &remote, NULL) >= 0 && remote)
                return error_hint(err, "\"%s:%s\" is %s %s, made here on first use", remote->name,
                                  remote->releases->number, remote->title, remote->releases->number);
        return error_hint(err, "\"lightc image list\" shows the images there are");
}

int image_get(struct server *s, const char *project, const char *fingerprint, struct object **ret,
              struct error *err)
{
        struct object **images, *found = NULL;
        if (name_check_fingerprint(fingerprint, NULL) < 0)
                return not_found(fingerprint, err);
        size_t n = object_list(s, &image_kind, project, &images);
        for (size_t i = 0; i < n; i++) {
                if (!str_starts(images[i]->name, fingerprint))
                        continue;
                if (found) {
                        error_set(err, ERR_BAD_REQUEST,
                                  "Fingerprint \"%s\" is the beginning of more than one image", fingerprint);
                        return error_hint(err, "Give more of its digits");
                }
                found = images[i];
        }
        if (!found)
                return not_found(fingerprint, err);
        *ret = found;
        return 0;
}

int image_resolve(struct server *s, const char *project, const char *word, struct object **ret,
                  struct error *err)
{
        struct object *alias = object_find(s, &image_alias_kind, project, word);
        const struct image_alias *body = alias ? alias->body : NULL;
        return image_get(s, project, body ? body->target : word, ret, err);
}

bool image_is_stored(struct server *s, const char *fingerprint)
{
        struct object **images;
        size_t n = object_list(s, &image_kind, NULL, &images);
        for (size_t i = 0; i < n; i++)
                if (streq(images[i]->name, fingerprint))
                        return true;
        return false;
}

char *image_dir(struct server *s)
{
        return xasprintf("%s/images", s->dir);
}

char *image_file(struct server *s, const char *fingerprint, bool is_rootfs)
{
        return xasprintf("%s/images/%s%s", s->dir, fingerprint, is_rootfs ? ".rootfs" : "");
}

char *image_meta_path(struct server *s, const struct object *image)
{
        return image_file(s, image->name, false);
}

char *image_rootfs_path(struct server *s, const struct object *image)
{
        const struct image *body = image->body;
        return streq(body->layout, "split") ? image_file(s, image->name, true) : NULL;
}

char *image_url(const char *fingerprint)
{
        return xasprintf("/1.0/images/%s", fingerprint);
}

char *image_alias_url(const char *name)
{
        struct strbuf b = STRBUF_INIT;
        strbuf_adds(&b, "/1.0/images/aliases/");
        uri_encode(&b, name);
        return strbuf_take(&b);
}

static void write_aliases(struct server *s, const struct object *o, struct json_writer *w)
{
        struct object **aliases;
        size_t n = object_list(s, &image_alias_kind, o->project, &aliases);
        json_write_array_begin(w);
        for (size_t i = 0; i < n; i++) {
                const struct image_alias *a = aliases[i]->body;
                if (!streq(a->target, o->name))
                        continue;
                json_write_object_begin(w);
                json_write_key_string(w, "name", a->name);
                json_write_key_string(w, "description", a->description);
                json_write_object_end(w);
        }
        json_write_array_end(w);
}

/* The kept rendering of the object ends with its brace; what is not the image's own goes in before it. */
void image_write(struct server *s, struct object *o, struct strbuf *out)
{
        char stamp[TIME_TEXT_SIZE];
        const struct strbuf *rest = object_rest(o);
        struct json_writer w = JSON_WRITER(out);
        strbuf_add(out, rest->data, rest->len - 1);
        strbuf_addf(out, ",\"last_used_at\":\"%s\",\"aliases\":",
                    time_format_rfc3339(image_last_used(s, o), stamp));
        write_aliases(s, o, &w);
        strbuf_addc(out, '}');
}

void alias_list_add(struct alias_list *l, const char *name, const char *description)
{
        l->items = xreallocarray(l->items, l->n + 1, sizeof *l->items);
        l->items[l->n++] = (struct image_alias){ .name = xstrdup(name), .description = xstrdup(description) };
}

void alias_list_done(struct alias_list *l)
{
        for (size_t i = 0; i < l->n; i++)
                type_done(&image_alias_type, &l->items[i]);
        free(l->items);
        *l = (struct alias_list){ 0 };
}

int image_put_aliases(struct server *s, struct change *c, const char *project,
                      const struct alias_list *aliases, const char *target, struct error *err)
{
        for (size_t i = 0; i < aliases->n; i++) {
                const struct image_alias *from = &aliases->items[i];
                int r = name_check_alias(from->name, err);
                if (r >= 0 && object_find(s, &image_alias_kind, project, from->name))
                        r = error_set(err, ERR_EXISTS, "Image alias \"%s\" already exists", from->name);
                if (r < 0)
                        return r;
                struct image_alias *a = type_copy(&image_alias_type, from);
                free(a->target);
                free(a->type);
                a->target = xstrdup(target);
                a->type = xstrdup("container");
                change_put(c, &image_alias_kind, project, a->name, OBJECT_REV_NEW, a);
        }
        return 0;
}
