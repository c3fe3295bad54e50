/* SPDX-License-Identifier: Apache-2.0 */
/* The runtime spec of one start: effective configuration and devices become numbers and paths for lightrun. */
#include "instances/logs.h"
#include "instances/apparmor.h"
#include "instances/power.h"
#include "instances/template.h"
#include "base/alloc.h"
#include "base/path.h"
#include "base/strbuf.h"
#include "networks/nic.h"
#include "storage-pools/layer.h"

#include <fcntl.h>
#include <unistd.h>

#define LXCFS_PATH "/var/lib/lxcfs"

void run_plan_done(struct run_plan *p)
{
        json_object_put(p->spec);
        strmap_done(&p->volatile_config);
        *p = (struct run_plan){ 0 };
}

static void add_idmap(struct instance *i, struct json_object *into)
{
        struct json_object *map = json_object_new_object();
        if (instance_is_privileged(i)) {
                json_object_put(map);
                json_set_take(into, "idmap", NULL);
                return;
        }
        json_set_int(map, "base", instance_idmap_base(i));
        json_set_int(map, "size", INSTANCE_IDMAP_SIZE);
        json_set_take(into, "idmap", map);
}

int run_plan_rootfs(struct instance *i, struct json_object *into, struct error *err)
{
        const struct instance_body *b = instance_body(i);
        struct object *pool;
        int r = instance_pool(i, &pool, err);
        if (r < 0)
                return r;
        char **paths = xnew_array(char *, b->layers.n + 1);
        for (size_t k = 0; k < b->layers.n && r >= 0; k++) {
                paths[k] = layer_path(i->server, b->pool, b->layers.items[k]);
                if (!paths[k])
                        r = error_set(err, ERR_NOT_FOUND, "Layer \"%.12s\" of instance \"%s\" is not in pool \"%s\"",
                                      b->layers.items[k], i->name, b->pool);
        }
        if (r >= 0) {
                json_set_take(into, "rootfs",
                              volume_rootfs_json(pool, i->num, (const char *const *)paths, b->layers.n, true));
                add_idmap(i, into);
        }
        for (size_t k = 0; k < b->layers.n; k++)
                free(paths[k]);
        free(paths);
        return r;
}

static bool is_wanted(struct json_object *template, const char *trigger)
{
        struct json_object *when = json_get_array(template, "when");
        for (size_t i = 0; when && i < json_object_array_length(when); i++)
                if (streq(json_object_get_string(json_object_array_get_idx(when, i)), trigger))
                        return true;
        return false;
}

/* The text behind a row, or NULL and it is said. */
static const char *text_of(struct instance *i, const char *path, struct json_object *template, struct error *err)
{
        const char *file = json_get_string(template, "template", "");
        const char *text = json_get_string(instance_body(i)->template_files, file, NULL);
        if (text)
                return text;
        error_set(err, ERR_NOT_FOUND, "The metadata of instance \"%s\" names the template \"%s\" for \"%s\", and there is none",
                  i->name, file, path);
        error_hint(err, "lightc config template create %s %s", i->name, file);
        return NULL;
}

static int render_one(struct instance *i, const char *path, struct json_object *template, const char *trigger,
                      struct json_object *files, struct error *err)
{
        _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
        const struct instance_body *b = instance_body(i);
        const char *text = text_of(i, path, template, err);
        if (!text)
                return -ENOENT;
        struct template_values v = { .name = i->name,
                                     .architecture = b->architecture,
                                     .path = path,
                                     .trigger = trigger,
                                     .is_privileged = instance_is_privileged(i),
                                     .is_ephemeral = b->ephemeral,
                                     .config = instance_config(i),
                                     .properties = json_get_object(template, "properties") };
        int r = template_render(text, &v, &out, err);
        if (r < 0)
                return error_prefix(err, "The template \"%s\" for \"%s\"", json_get_string(template, "template", ""), path);
        struct json_object *file = json_object_new_object();
        json_set_string(file, "path", path);
        json_set_string(file, "content", strbuf_str(&out));
        json_set_int(file, "mode", 0644);
        json_set_bool(file, "create_only", json_get_bool(template, "create_only", false));
        json_object_array_add(files, file);
        return 0;
}

/* Few images know of renames: the host name inside follows all the same, by the template for copies. */
static const char *trigger_of(struct json_object *template, const char *pending)
{
        if (pending && is_wanted(template, pending))
                return pending;
        return streq(pending, "rename") && is_wanted(template, "copy") ? "copy" : "start";
}

/* volatile.apply_template names what happened since the last start ("create", "copy"); "start" is always due. */
static int add_files(struct instance *i, struct json_object *spec, struct error *err)
{
        struct json_object *templates = json_get_object(instance_body(i)->metadata, "templates");
        struct json_object *files = json_object_new_array();
        const char *pending = strmap_get(instance_volatile(i), "volatile.apply_template");
        json_set_take(spec, "files", files);
        if (!templates)
                return 0;
        json_object_object_foreach(templates, path, template)
        {
                const char *trigger = trigger_of(template, pending);
                if (!is_wanted(template, trigger))
                        continue;
                int r = render_one(i, path, template, trigger, files, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void add_environment(struct instance *i, struct json_object *spec)
{
        static const char prefix[] = "environment.";
        struct json_object *env = json_object_new_object();
        const struct strmap *config = instance_config(i);
        for (size_t k = 0; k < config->n; k++)
                if (str_starts(config->items[k].key, prefix))
                        json_set_string(env, config->items[k].key + sizeof prefix - 1, config->items[k].value);
        json_set_take(spec, "environment", env);
}

/*
 * A quarter of the host's process numbers for one container: a fork bomb inside must not leave the host without any.
 */
static void add_limits(struct json_object *spec)
{
        static int64_t pids_max;
        struct json_object *limits = json_object_new_object();
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        if (!pids_max && path_read_file(AT_FDCWD, "/proc/sys/kernel/pid_max", 64, &b) == 0)
                pids_max = strtoll(b.data, NULL, 10) / 4;
        if (pids_max > 0)
                json_set_int(limits, "pids_max", pids_max);
        json_set_take(spec, "limits", limits);
}

static void add_paths(struct instance *i, struct json_object *spec)
{
        _cleanup_free_ char *run_dir = instance_run_dir(i), *cgroup = instance_cgroup(i);
        _cleanup_free_ char *log_dir = instance_log_dir(i), *log = xasprintf("%s/%s", log_dir, CONSOLE_LOG);
        json_set_string(spec, "run_dir", run_dir);
        json_set_string(spec, "cgroup", cgroup);
        json_set_string(spec, "console_log", log);
        json_set_string(spec, "lxcfs", access(LXCFS_PATH "/proc/meminfo", F_OK) == 0 ? LXCFS_PATH : "");
}

static void add_nic(struct instance *i, struct run_plan *p, struct json_object *nics, const char *device,
                    const struct nic_plan *nic)
{
        _cleanup_free_ char *hwaddr_key = xasprintf("volatile.%s.hwaddr", device);
        _cleanup_free_ char *host_key = xasprintf("volatile.%s.host_name", device);
        char hwaddr[HWADDR_TEXT_SIZE];
        json_object_array_add(nics, nic_plan_json(nic));
        if (nic->is_new_hwaddr)
                strmap_set(&p->volatile_config, hwaddr_key, hwaddr_format(nic->hwaddr, hwaddr));
        strmap_set(&p->volatile_config, host_key, nic->host_name);
        nic_register(i->server, nic, i->project, i->name, device);
}

static int add_nics(struct instance *i, int64_t gen, struct run_plan *p, struct error *err)
{
        const struct devices *d = instance_devices(i);
        struct json_object *nics = json_object_new_array();
        unsigned index = 0;
        json_set_take(p->spec, "nics", nics);
        for (size_t k = 0; k < d->n; k++) {
                struct nic_plan nic = { 0 };
                if (!streq(strmap_get(&d->items[k].keys, "type"), "nic"))
                        continue;
                struct nic_request q = { .project = i->project, .instance = i->name, .device = d->items[k].name,
                                         .keys = &d->items[k].keys, .volatile_config = instance_volatile(i),
                                         .num = i->num, .gen = (uint32_t)gen, .index = index++ };
                int r = nic_plan(i->server, &q, &nic, err);
                if (r < 0)
                        return r;
                add_nic(i, p, nics, d->items[k].name, &nic);
        }
        return 0;
}

/* Of a deleted instance: its names are answered no more. */
void instance_forget_nics(struct instance *i)
{
        const struct devices *d = instance_devices(i);
        for (size_t k = 0; k < d->n; k++) {
                if (streq(strmap_get(&d->items[k].keys, "type"), "nic"))
                        nic_unregister(i->server, nic_parent(&d->items[k].keys), i->project, i->name, d->items[k].name);
        }
}

int run_plan_make(struct instance *i, int64_t gen, struct run_plan *ret, struct error *err)
{
        struct run_plan p = { .spec = json_object_new_object() };
        strmap_copy(&p.volatile_config, instance_volatile(i));
        strmap_remove(&p.volatile_config, "volatile.apply_template");
        json_set_int(p.spec, "version", 1);
        json_set_string(p.spec, "name", i->name);
        json_set_string(p.spec, "project", i->project);
        json_set_string(p.spec, "hostname", i->name);
        json_set_string(p.spec, "uuid", strmap_get(instance_volatile(i), "volatile.uuid"));
        json_set_int(p.spec, "num", i->num);
        json_set_bool(p.spec, "privileged", instance_is_privileged(i));
        json_set_bool(p.spec, "nesting", strmap_get_bool(instance_config(i), "security.nesting", false));
        json_set_bool(p.spec, "linux32", instance_is_32bit(i));
        json_set_bool(p.spec, "apparmor", apparmor_is_loaded());
        add_paths(i, p.spec);
        add_environment(i, p.spec);
        add_limits(p.spec);
        int r = instance_logs_make(i, err);
        if (r >= 0)
                r = run_plan_rootfs(i, p.spec, err);
        if (r >= 0)
                r = add_files(i, p.spec, err);
        if (r >= 0)
                r = add_nics(i, gen, &p, err);
        if (r < 0) {
                run_plan_done(&p);
                return error_prefix(err, "Starting instance \"%s\"", i->name);
        }
        *ret = p;
        return 0;
}
