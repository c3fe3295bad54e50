/* SPDX-License-Identifier: Apache-2.0 */
#include "lightc/creation.h"
#include "base/alloc.h"
#include "lightc/target.h"

static int add_network(struct client *c, const struct args *a, struct json_object *devices, struct error *err)
{
        const char *name = args_value(a, "network", NULL);
        _cleanup_json_ struct json_object *network = NULL;
        if (!name)
                return 0;
        _cleanup_free_ char *url = client_url(c, NULL, "networks", name, NULL);
        int r = client_get(c, url, &network, err);
        if (r < 0)
                return r;
        struct json_object *nic = object_map(devices, "eth0");
        json_set_string(nic, "type", "nic");
        json_set_string(nic, "name", "eth0");
        if (json_get_bool(network, "managed", false))
                json_set_string(nic, "network", name);
        else {
                json_set_string(nic, "nictype", streq(json_get_string(network, "type", ""), "bridge") ? "bridged" : "macvlan");
                json_set_string(nic, "parent", name);
        }
        return 0;
}

static void add_pool(const struct args *a, struct json_object *devices)
{
        const char *pool = args_value(a, "storage", NULL);
        if (!pool)
                return;
        struct json_object *root = object_map(devices, "root");
        json_set_string(root, "type", "disk");
        json_set_string(root, "path", "/");
        json_set_string(root, "pool", pool);
}

/* A device of the profiles that --device changes has to be the instance's own, whole. */
static int inherit_device(struct client *c, struct json_object *body, struct json_object *devices, const char *name)
{
        struct json_object *profiles = json_get_array(body, "profiles");
        size_t n = profiles ? json_object_array_length(profiles) : 1;
        for (size_t i = n; i > 0; i--) {
                const char *profile = profiles ? json_object_get_string(json_object_array_get_idx(profiles, i - 1)) : "default";
                _cleanup_json_ struct json_object *o = NULL;
                _cleanup_free_ char *url = client_url(c, NULL, "profiles", profile, NULL);
                if (client_get(c, url, &o, NULL) < 0)
                        continue;
                struct json_object *device = json_get_object(json_get_object(o, "devices"), name);
                if (device)
                        return json_object_object_add(devices, name, json_object_get(device));
        }
        return 0;
}

/* "--device eth0,ipv4.address=10.0.0.7,mtu=1400" */
static int add_device(struct client *c, const char *word, struct json_object *body, struct json_object *devices,
                      struct error *err)
{
        size_t n = strcspn(word, ",");
        _cleanup_free_ char *name = xstrndup(word, n);
        if (!word[n] || n == 0)
                return args_misuse(err, "\"%s\" is not of the form <device>,<key>=<value>", word);
        if (!json_has(devices, name))
                inherit_device(c, body, devices, name);
        struct json_object *device = object_map(devices, name);
        for (const char *p = word + n; *p == ',';) {
                size_t len = strcspn(++p, ",");
                _cleanup_free_ char *setting = xstrndup(p, len);
                int r = target_set(device, setting, err);
                if (r)
                        return r;
                p += len;
        }
        return 0;
}

static void add_profiles(const struct args *a, struct json_object *body)
{
        const char *profile;
        if (!args_has(a, "profile") && !args_has(a, "no-profiles"))
                return;
        struct json_object *list = json_object_new_array();
        for (size_t i = 0; (profile = args_value_nth(a, "profile", i)); i++)
                json_array_add_string(list, profile);
        json_set_take(body, "profiles", list);
}

int creation_apply_options(struct client *c, const struct args *a, struct json_object *body, struct error *err)
{
        const char *word;
        struct json_object *config = object_map(body, "config"), *devices = object_map(body, "devices");
        int r = 0;
        add_profiles(a, body);
        for (size_t i = 0; r == 0 && (word = args_value_nth(a, "config", i)); i++)
                r = target_set(config, word, err);
        if (r == 0)
                r = add_network(c, a, devices, err);
        add_pool(a, devices);
        for (size_t i = 0; r == 0 && (word = args_value_nth(a, "device", i)); i++)
                r = add_device(c, word, body, devices, err);
        if (args_has(a, "ephemeral"))
                json_set_bool(body, "ephemeral", true);
        if (args_has(a, "type"))
                json_set_string(body, "instance_type", args_value(a, "type", ""));
        return r;
}
