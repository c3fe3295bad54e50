/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Removing a layer: its object first, so that a crash leaves files without a name, which start-up removes; then the
 * mount, then the files into the trash.
 */
#include "storage-pools/layer-task.h"
#include "base/alloc.h"

static bool (*image_check)(struct server *s, const char *fingerprint);

void layers_set_image_check(bool (*fn)(struct server *s, const char *fingerprint))
{
        image_check = fn;
}

struct search {
        const char *pool, *fingerprint;
        bool is_found;
};

static void visit(void *data, const struct volume_info *v)
{
        struct search *f = data;
        if (!streq(v->pool, f->pool))
                return;
        for (size_t i = 0; i < v->n_layers; i++)
                f->is_found = f->is_found || streq(v->layers[i], f->fingerprint);
}

static bool is_needed(struct server *s, const struct layer *l)
{
        struct search f = { l->pool, l->fingerprint, false };
        if ((image_check && image_check(s, l->fingerprint)) || layer_users(l->pool, l->fingerprint) ||
            volume_is_made_on(l->pool, l->fingerprint))
                return true;
        volumes_each(s, visit, &f);
        return f.is_found;
}

static struct object *pool_of(const struct layer_task *t)
{
        return object_find(t->server, &storage_pool_kind, "", t->pool);
}

static void on_trashed(void *data, int r _unused_, struct json_object *result _unused_, struct error *err _unused_)
{
        struct layer_task *t = data;
        t->job = NULL;
        _cleanup_free_ char *trash = storage_pool_part(pool_of(t), "trash");
        job_start_forgotten(t->server, "trash-empty", args_with_path(trash));
        layer_task_restart(t);
}

/* Its form was forgotten with the object: the task has kept it. */
static void on_unmounted(void *data, int r _unused_, struct error *err _unused_)
{
        struct layer_task *t = data;
        struct object *pool = pool_of(t);
        _cleanup_free_ char *dir = storage_pool_part(pool, "layers"), *to = trash_path(pool, t->fingerprint);
        _cleanup_free_ char *name = layer_file_name(t->fingerprint, t->form);
        _cleanup_free_ char *path = xasprintf("%s/%s", dir, name);
        struct job_spec spec = JOB_SPEC_INIT;
        spec.program = "lightrun";
        spec.name = "volume-trash";
        spec.take_args = args_with_path(path);
        json_set_string(spec.take_args, "to", to);
        layer_task_run(t, &spec, on_trashed);
}

static void on_named_again(void *data, int r, struct error *err)
{
        layer_task_end(data, r, err);
}

static void name_again(struct layer_task *t)
{
        struct change *c = change_new(t->server);
        _cleanup_free_ char *name = layer_object_name(t->pool, t->fingerprint);
        change_put(c, &layer_kind, "", name, OBJECT_REV_NEW, TAKE_PTR(t->removed));
        change_commit(c, on_named_again, t);
}

/*
 * An instance may have been on its way to the disk when nobody seemed to need the layer. The store keeps the order of
 * commits, so it is there now; and from the beginning of this task nobody has been given the layer any more.
 */
static void on_unnamed(void *data, int r, struct error *err)
{
        struct layer_task *t = data;
        if (r < 0 && layer_exists(t->server, t->pool, t->fingerprint))
                layer_task_end(t, 0, err); /* it stays, so whoever waits for it has it */
        else if (r >= 0 && is_needed(t->server, t->removed))
                name_again(t);
        else
                layer_mount_drop(t->server, t->pool, t->fingerprint, on_unmounted, t);
}

static void remove_layer(struct server *s, const struct object *o)
{
        const struct layer *l = o->body;
        const struct object *pool = object_find(s, &storage_pool_kind, "", l->pool);
        if (!pool || layer_task_find(l->pool, l->fingerprint))
                return;
        struct layer_task *t = layer_task_new(s, pool, l->fingerprint);
        struct change *c = change_new(s);
        t->is_removal = true;
        t->form = xstrdup(l->form);
        t->removed = type_copy(layer_kind.type, l);
        change_delete(c, &layer_kind, "", o->name, o->rev);
        change_commit(c, on_unnamed, t);
}

void layers_collect(struct server *s)
{
        struct object **layers;
        size_t n = object_list(s, &layer_kind, NULL, &layers);
        for (size_t i = 0; i < n; i++)
                if (!is_needed(s, layers[i]->body))
                        remove_layer(s, layers[i]);
}
