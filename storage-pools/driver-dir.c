/* SPDX-License-Identifier: Apache-2.0 */
/* Dir: every volume is a directory that holds the whole image. Needs nothing of the file system but id-mapped mounts. */
#include "storage-pools/driver.h"
#include "storage-pools/unpack.h"
#include "base/alloc.h"

static const struct config_key keys[] = { {} };

static void on_unpacked(void *data, int r, struct json_object *result _unused_, struct error *err)
{
        struct volume_task *t = data;
        t->unpack = NULL;
        volume_task_end(t, r, err);
}

static void fill(struct volume_task *t)
{
        _cleanup_free_ char *parent = storage_pool_part(t->pool, "instances");
        _cleanup_free_ char *final = volume_path(t->pool, t->num);
        _cleanup_free_ char *temporary = xasprintf("%s/.%u.new", parent, t->num);
        const struct unpack_spec spec = {
                .files = &t->image, .temporary = temporary, .inner = "rootfs", .final = final, .data = t,
                .progress = volume_task_progress, .done = on_unpacked,
        };
        t->unpack = unpack_start(t->server, &spec);
}

static struct json_object *rootfs(const char *volume, const char *const *layers _unused_, size_t n_layers _unused_,
                                  bool create _unused_)
{
        struct json_object *o = json_object_new_object();
        json_set_string(o, "type", "dir");
        json_set_string(o, "volume", volume);
        json_set_bool(o, "create", false); /* it was made whole, or there is nothing to start */
        return o;
}

const struct storage_driver dir_driver = {
        .name = "dir",
        .summary = "Directories that each hold a whole image",
        .keys = keys,
        .usage_part = "rootfs",
        .volume_fill = fill,
        .rootfs = rootfs,
};
