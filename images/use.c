/* SPDX-License-Identifier: Apache-2.0 */
#include "images/use.h"
#include "base/alloc.h"
#include "base/time.h"

#include <uthash.h>

#define FLUSH_MS 500 /* one commit for a storm of launches, and soon, so that an idle daemon sleeps */

const struct object_kind image_use_kind = {
        .name = "image-use", .title = "Last use of image", .type = &image_use_type, .schema = 1
};

struct use {
        char *key; /* "project\nfingerprint" */
        char *project, *fingerprint;
        int64_t at;
        UT_hash_handle hh;
};

static struct use *fresh; /* not stored yet; one daemon per process */
static bool is_flush_planned;

static struct use *use_find(const char *key)
{
        struct use *u = NULL;
        HASH_FIND_STR(fresh, key, u);
        return u;
}

static void use_free(struct use *u)
{
        HASH_DEL(fresh, u);
        free(u->key);
        free(u->project);
        free(u->fingerprint);
        free(u);
}

static void flush(void *data)
{
        struct server *s = data;
        struct use *u, *next;
        struct change *c = change_new(s);
        is_flush_planned = false;
        HASH_ITER (hh, fresh, u, next) {
                struct image_use *body = type_new(&image_use_type);
                body->last_used_at = u->at;
                if (object_find(s, &image_kind, u->project, u->fingerprint))
                        change_put(c, &image_use_kind, u->project, u->fingerprint, OBJECT_REV_ANY, body);
                else
                        type_free(&image_use_type, body);
                use_free(u);
        }
        change_commit(c, NULL, NULL); /* a failure costs a date */
}

void image_note_use(struct server *s, const struct object *image)
{
        _cleanup_free_ char *key = xasprintf("%s\n%s", image->project, image->name);
        struct use *u = use_find(key);
        if (!u) {
                u = xnew(struct use);
                u->key = TAKE_PTR(key);
                u->project = xstrdup(image->project);
                u->fingerprint = xstrdup(image->name);
                HASH_ADD_KEYPTR(hh, fresh, u->key, strlen(u->key), u);
        }
        u->at = time_now_ns();
        if (!is_flush_planned)
                timer_start(s, FLUSH_MS, flush, s);
        is_flush_planned = true;
}

int64_t image_last_used(struct server *s, const struct object *image)
{
        _cleanup_free_ char *key = xasprintf("%s\n%s", image->project, image->name);
        const struct use *u = use_find(key);
        const struct object *o = u ? NULL : object_find(s, &image_use_kind, image->project, image->name);
        return u ? u->at : o ? ((const struct image_use *)o->body)->last_used_at : 0;
}

static void forget_all(void *data _unused_)
{
        struct use *u, *next;
        HASH_ITER (hh, fresh, u, next)
                use_free(u);
        is_flush_planned = false;
}

void image_use_register(struct server *s)
{
        object_kind_register(s, &image_use_kind);
        server_on_free(s, forget_all, NULL);
}
