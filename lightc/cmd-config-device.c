/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "lightc/operation.h"
#include "lightc/output.h"
#include "lightc/target.h"

static int load(struct client *c, const struct args *a, struct object *ret, struct error *err)
{
        char *url = NULL;
        int r = target_instance(c, a->words[0], &url, err);
        return r < 0 ? r : object_load(c, "instance", url, ret, err);
}

static int save(struct client *c, const struct args *a, const struct object *o, struct error *err)
{
        _cleanup_free_ char *stage = xasprintf("Configuring %s", a->words[0]);
        return object_save(c, o, stage, err);
}

/* The device named by the second word, which must be the instance's own. */
static int find(const struct args *a, const struct object *o, struct json_object **ret, struct error *err)
{
        *ret = json_get_object(json_get_object(o->body, "devices"), a->words[1]);
        if (*ret)
                return 0;
        int r = error_set(err, ERR_NOT_FOUND, "Instance \"%s\" has no device \"%s\" of its own", a->words[0], a->words[1]);
        error_hint(err, "to change a device that comes from a profile: lightc config device override %s %s", a->words[0],
                   a->words[1]);
        return r;
}

static int run_add(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_object_ struct object o = { 0 };
        int r = load(c, a, &o, err);
        if (r < 0)
                return r;
        struct json_object *devices = object_map(o.body, "devices");
        if (json_has(devices, a->words[1]))
                return error_set(err, ERR_EXISTS, "Instance \"%s\" already has a device \"%s\"", a->words[0], a->words[1]);
        struct json_object *device = object_map(devices, a->words[1]);
        json_set_string(device, "type", a->words[2]);
        for (size_t i = 3; i < a->n_words; i++) {
                r = target_set(device, a->words[i], err);
                if (r)
                        return r;
        }
        return save(c, a, &o, err);
}

/* From the profiles into the instance itself, where it can be changed. */
static int run_override(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_object_ struct object o = { 0 };
        _cleanup_json_ struct json_object *whole = NULL;
        int r = load(c, a, &o, err);
        if (r == 0)
                r = client_get(c, o.url, &whole, err);
        if (r < 0)
                return r;
        struct json_object *devices = object_map(o.body, "devices");
        struct json_object *inherited = json_get_object(json_get_object(whole, "expanded_devices"), a->words[1]);
        if (json_has(devices, a->words[1]))
                return error_set(err, ERR_EXISTS, "Instance \"%s\" already has a device \"%s\" of its own", a->words[0],
                                 a->words[1]);
        if (!inherited)
                return error_set(err, ERR_NOT_FOUND, "No profile of instance \"%s\" has a device \"%s\"", a->words[0],
                                 a->words[1]);
        json_object_object_add(devices, a->words[1], json_object_get(inherited));
        for (size_t i = 2; i < a->n_words; i++) {
                r = target_set(inherited, a->words[i], err);
                if (r)
                        return r;
        }
        return save(c, a, &o, err);
}

static int run_set(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_object_ struct object o = { 0 };
        struct json_object *device;
        int r = load(c, a, &o, err);
        if (r == 0)
                r = find(a, &o, &device, err);
        if (r == 0)
                r = target_set_words(device, a, 2, err);
        return r ? r : save(c, a, &o, err);
}

static int run_unset(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_object_ struct object o = { 0 };
        struct json_object *device;
        int r = load(c, a, &o, err);
        if (r == 0)
                r = find(a, &o, &device, err);
        if (r < 0)
                return r;
        json_object_object_del(device, a->words[2]);
        return save(c, a, &o, err);
}

static int run_get(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_object_ struct object o = { 0 };
        struct json_object *device;
        int r = load(c, a, &o, err);
        if (r == 0)
                r = find(a, &o, &device, err);
        if (r == 0)
                output_line("%s", json_get_string(device, a->words[2], ""));
        return r;
}

static int run_remove(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_object_ struct object o = { 0 };
        int r = load(c, a, &o, err);
        if (r < 0)
                return r;
        struct json_object *devices = object_map(o.body, "devices");
        for (size_t i = 1; i < a->n_words; i++) {
                if (!json_has(devices, a->words[i]))
                        return error_set(err, ERR_NOT_FOUND, "Instance \"%s\" has no device \"%s\" of its own",
                                         a->words[0], a->words[i]);
                json_object_object_del(devices, a->words[i]);
        }
        return save(c, a, &o, err);
}

static int run_list(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_object_ struct object o = { 0 };
        int r = load(c, a, &o, err);
        if (r < 0)
                return r;
        json_object_object_foreach(object_map(o.body, "devices"), name, device) {
                (void)device;
                output_line("%s", name);
        }
        return 0;
}

static int run_show(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_object_ struct object o = { 0 };
        int r = load(c, a, &o, err);
        return r < 0 ? r : output_yaml(object_map(o.body, "devices"), err);
}

#define INSTANCE { "[<remote>:]<instance>" }
#define SETTINGS(opt) { "<key>=<value>", .is_optional = (opt), .is_repeated = true }

const struct command cmd_config_device_add = {
        .path = "config device add",
        .summary = "Give an instance a device",
        .args = (const struct arg[]){ INSTANCE, { "<device>" }, { "<type>" }, SETTINGS(true), { 0 } },
        .run = run_add,
        .example = "lightc config device add c1 share disk source=/srv/data path=/data",
};

const struct command cmd_config_device_get = {
        .path = "config device get",
        .summary = "Print one key of a device",
        .args = (const struct arg[]){ INSTANCE, { "<device>" }, { "<key>" }, { 0 } },
        .run = run_get,
        .example = "lightc config device get c1 root size",
};

const struct command cmd_config_device_list = {
        .path = "config device list",
        .aliases = "ls",
        .summary = "List an instance's own devices",
        .args = (const struct arg[]){ INSTANCE, { 0 } },
        .run = run_list,
        .example = "lightc config device list c1",
};

const struct command cmd_config_device_override = {
        .path = "config device override",
        .summary = "Copy a device from the profiles into the instance and change it there",
        .args = (const struct arg[]){ INSTANCE, { "<device>" }, SETTINGS(true), { 0 } },
        .run = run_override,
        .example = "lightc config device override c1 root size=20GiB",
};

const struct command cmd_config_device_remove = {
        .path = "config device remove",
        .aliases = "rm",
        .summary = "Take devices away from an instance",
        .args = (const struct arg[]){ INSTANCE, { "<device>", .is_repeated = true }, { 0 } },
        .run = run_remove,
        .example = "lightc config device remove c1 share",
};

const struct command cmd_config_device_set = {
        .path = "config device set",
        .summary = "Set keys of a device",
        .args = (const struct arg[]){ INSTANCE, { "<device>" }, SETTINGS(false), { 0 } },
        .run = run_set,
        .example = "lightc config device set c1 eth0 ipv4.address=10.0.4.7",
};

const struct command cmd_config_device_show = {
        .path = "config device show",
        .summary = "Show an instance's own devices",
        .args = (const struct arg[]){ INSTANCE, { 0 } },
        .run = run_show,
        .example = "lightc config device show c1",
};

const struct command cmd_config_device_unset = {
        .path = "config device unset",
        .summary = "Take a key away from a device",
        .args = (const struct arg[]){ INSTANCE, { "<device>" }, { "<key>" }, { 0 } },
        .run = run_unset,
        .example = "lightc config device unset c1 root size",
};
