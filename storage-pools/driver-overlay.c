/* SPDX-License-Identifier: Apache-2.0 */
/* Overlay: an instance's volume is a writable directory on top of its image's layer, shared with all others of it. */
#include "storage-pools/driver.h"
#include "storage-pools/layer.h"

static const struct config_key keys[] = { {} };

static void on_layer(void *data, int r, struct error *err)
{
        volume_task_end(data, r, err);
}

/* The volume's own directories are made by its first start: until then there is nothing to undo. */
static void fill(struct volume_task *t)
{
        layer_ensure(t->server, t->pool, &t->image, t->op, on_layer, t);
}

static struct json_object *rootfs(const char *volume, const char *const *layers, size_t n_layers, bool create)
{
        struct json_object *o = json_object_new_object(), *lowers = json_object_new_array();
        for (size_t i = 0; i < n_layers; i++)
                json_array_add_string(lowers, layers[i]);
        json_set_string(o, "type", "overlay");
        json_set_take(o, "lowers", lowers);
        json_set_string(o, "volume", volume);
        json_set_bool(o, "create", create);
        return o;
}

const struct storage_driver overlay_driver = {
        .name = "overlay",
        .summary = "Directories on shared, read-only image layers",
        .keys = keys,
        .uses_layers = true,
        .needs_overlay = true,
        .usage_part = "upper",
        .volume_fill = fill,
        .rootfs = rootfs,
};
