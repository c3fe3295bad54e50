/* SPDX-License-Identifier: Apache-2.0 */
#include "instances/copy.h"
#include "base/alloc.h"

static int check_source(struct json_object *source, const char *project, struct error *err)
{
        const char *from_project = json_get_string(source, "project", "");
        if (!str_empty(from_project) && !streq(from_project, project))
                return error_set(err, ERR_UNSUPPORTED, "Copying from another project is not there in this release");
        if (json_get_bool(source, "refresh", false))
                return error_set(err, ERR_UNSUPPORTED, "Refreshing a copy is not there in this release");
        if (json_get_bool(source, "live", false))
                return error_set(err, ERR_UNSUPPORTED, "Copying the memory of an instance is not there in this release");
        return 0;
}

int copy_find_source(struct server *s, const char *project, struct json_object *source, struct instance **ret,
                     struct error *err)
{
        const char *name = json_get_string(source, "source", "");
        int r = check_source(source, project, err);
        if (r < 0)
                return r;
        if (strchr(name, '/'))
                return error_set(err, ERR_UNSUPPORTED, "Copying a snapshot is not there in this release");
        struct instance *i = instance_find(s, project, name);
        if (!i) {
                struct object *none;
                return object_get(s, &instance_kind, project, name, &none, err);
        }
        if (i->state != INSTANCE_STOPPED) {
                error_set(err, ERR_BAD_REQUEST, "Instance \"%s\" is running, and only a stopped one can be copied", name);
                error_hint(err, "Stop it first: lightc stop %s", name);
                return error_object(err, "instance", name);
        }
        *ret = i;
        return 0;
}

static void inherit_config(const struct instance_body *from, struct instance_body *b)
{
        for (size_t k = 0; k < from->config.n; k++)
                if (!strmap_get(&b->config, from->config.items[k].key))
                        strmap_set(&b->config, from->config.items[k].key, from->config.items[k].value);
}

static void inherit_devices(const struct instance_body *from, struct instance_body *b)
{
        for (size_t k = 0; k < from->devices.n; k++)
                if (!devices_get(&b->devices, from->devices.items[k].name))
                        devices_set(&b->devices, from->devices.items[k].name, &from->devices.items[k].keys);
}

static void inherit_list(const struct strlist *from, struct strlist *to)
{
        for (size_t k = 0; k < from->n; k++)
                strlist_add(to, from->items[k]);
        to->is_null = false;
}

static char *inherit_text(char *own, const char *from)
{
        if (!str_empty(own))
                return own;
        free(own);
        return xstrdup(from ? from : "");
}

void copy_inherit(struct instance *i, struct instance_body *b, struct strmap *volatile_config)
{
        const struct instance_body *from = instance_body(i);
        const char *base = strmap_get(instance_volatile(i), "volatile.base_image");
        if (b->profiles.is_null)
                inherit_list(&from->profiles, &b->profiles);
        inherit_config(from, b);
        inherit_devices(from, b);
        inherit_list(&from->layers, &b->layers);
        b->architecture = inherit_text(b->architecture, from->architecture);
        b->description = inherit_text(b->description, from->description);
        b->image = inherit_text(b->image, from->image);
        b->metadata = json_object_get(from->metadata);
        b->template_files = json_object_get(from->template_files);
        if (base)
                strmap_set(volatile_config, "volatile.base_image", base);
        strmap_set(volatile_config, "volatile.apply_template", "copy");
}
