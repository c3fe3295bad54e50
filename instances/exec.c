/* SPDX-License-Identifier: Apache-2.0 */
#include "instances/exec.h"
#include "base/alloc.h"
#include "base/names.h"

#define ID_MAX UINT32_C(0xfffffffe)
#define ENVIRONMENT_PREFIX "environment."

static int check_number(const char *key, int64_t value, int64_t max, struct error *err)
{
        if (value >= 0 && value <= max)
                return 0;
        return error_set(err, ERR_BAD_REQUEST, "\"%s\" must be a number from 0 to %lld", key, (long long)max);
}

static int check_environment(const struct strmap *env, struct error *err)
{
        for (size_t i = 0; i < env->n; i++)
                if (!*env->items[i].key || strchr(env->items[i].key, '=')) {
                        _cleanup_free_ char *shown = name_printable(env->items[i].key);
                        return error_set(err, ERR_BAD_REQUEST,
                                         "\"%s\" is not a name of an environment variable", shown);
                }
        return 0;
}

static int check_mode(const struct instance_exec_post *p, struct error *err)
{
        if (p->interactive && !p->wait_for_websocket)
                return error_set(err, ERR_BAD_REQUEST,
                                 "An \"interactive\" command needs \"wait-for-websocket\"");
        if (p->record_output && p->wait_for_websocket)
                return error_set(err, ERR_BAD_REQUEST,
                                 "\"record-output\" and \"wait-for-websocket\" cannot be used together");
        return 0;
}

int exec_check(const struct instance_exec_post *p, struct error *err)
{
        int r = check_mode(p, err);
        if (r >= 0 && p->command.n == 0)
                r = error_set(err, ERR_BAD_REQUEST, "\"command\" is empty");
        if (r >= 0)
                r = check_environment(&p->environment, err);
        if (r >= 0)
                r = check_number("user", p->user, ID_MAX, err);
        if (r >= 0)
                r = check_number("group", p->group, ID_MAX, err);
        if (r >= 0)
                r = check_number("width", p->width, UINT16_MAX, err);
        if (r >= 0)
                r = check_number("height", p->height, UINT16_MAX, err);
        if (r >= 0 && !str_empty(p->cwd))
                r = name_check_path(p->cwd, err);
        return r;
}

void exec_environment(const struct strmap *config, const struct instance_exec_post *p, struct strmap *ret)
{
        for (size_t i = 0; i < config->n; i++)
                if (str_starts(config->items[i].key, ENVIRONMENT_PREFIX))
                        strmap_set(ret, config->items[i].key + strlen(ENVIRONMENT_PREFIX),
                                   config->items[i].value);
        strmap_merge(ret, &p->environment);
}

static void add_environment(struct instance *i, const struct instance_exec_post *p, struct json_object *into)
{
        _cleanup_strmap_ struct strmap env = STRMAP_INIT;
        struct json_object *o = json_object_new_object();
        exec_environment(instance_config(i), p, &env);
        for (size_t k = 0; k < env.n; k++)
                json_set_string(o, env.items[k].key, env.items[k].value);
        json_set_take(into, "environment", o);
}

static void add_command(const struct instance_exec_post *p, struct json_object *into)
{
        struct json_object *words = json_object_new_array();
        for (size_t k = 0; k < p->command.n; k++)
                json_array_add_string(words, p->command.items[k]);
        json_set_take(into, "command", words);
}

struct json_object *exec_metadata(struct instance *i, const struct instance_exec_post *p)
{
        struct json_object *o = json_object_new_object();
        add_command(p, o);
        add_environment(i, p, o);
        json_set_bool(o, "interactive", p->interactive);
        return o;
}

static void add_idmap(struct instance *i, struct json_object *into)
{
        struct json_object *map = json_object_new_object();
        json_set_int(map, "base", instance_idmap_base(i));
        json_set_int(map, "size", INSTANCE_IDMAP_SIZE);
        json_set_take(into, "idmap", map);
}

struct json_object *exec_job_args(struct instance *i, const struct instance_exec_post *p)
{
        _cleanup_free_ char *cgroup = instance_cgroup(i);
        bool is_privileged = instance_runs_privileged(i);
        struct json_object *o = json_object_new_object();
        add_command(p, o);
        add_environment(i, p, o);
        json_set_int(o, "user", p->user);
        json_set_int(o, "group", p->group);
        json_set_string(o, "cwd", p->cwd);
        json_set_bool(o, "interactive", p->interactive);
        json_set_int(o, "width", p->width);
        json_set_int(o, "height", p->height);
        json_set_string(o, "cgroup", cgroup);
        json_set_bool(o, "privileged", is_privileged);
        json_set_bool(o, "linux32", instance_is_32bit(i));
        json_set_bool(o, "nesting", strmap_get_bool(instance_config(i), "security.nesting", false));
        if (!is_privileged)
                add_idmap(i, o);
        return o;
}
