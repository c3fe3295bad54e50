/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Start-up: what runs is found by its monitor's socket, what was starting is adopted or torn down, what is there and
 * no object names is removed. Then the pools are tidied. Nobody is answered before it is through.
 */
#include "instances/instances.h"
#include "instances/autostart.h"
#include "instances/guest-access.h"
#include "instances/run.h"
#include "instances/apparmor.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "images/images.h"
#include "networks/nic.h"
#include "server/job.h"
#include "storage-pools/layer.h"
#include "storage-pools/storage-pools.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

struct recover {
        struct server *server;
        instances_done_fn done;
        void *data;
        size_t n_open; /* things under way */
};

static void tidied(struct recover *r)
{
        if (--r->n_open)
                return;
        layers_collect(r->server); /* of images whose deletion was cut short behind its commit */
        instance_logs_sweep(r->server);
        r->done(r->server, r->data);
        free(r);
}

static void on_images(struct server *s _unused_, void *data)
{
        tidied(data);
}

static void on_pools(void *data, int r _unused_, struct error *err _unused_)
{
        tidied(data);
}

static void step_through(struct recover *r)
{
        if (--r->n_open)
                return;
        r->n_open = 2; /* side by side: neither looks at what the other one sweeps */
        storage_pools_start(r->server, on_pools, r);
        images_recover(r->server, on_images, r);
}

/* ---- one instance ---- */

struct recover_one {
        struct recover *recover;
        struct instance *instance;
        struct monitor_exit exit; /* how its run ended */
        bool has_exit;
        bool had_remains; /* the last daemon had not cleared away yet */
};

static void one_through(struct recover_one *o)
{
        struct recover *r = o->recover;
        instance_release(o->instance);
        free(o);
        step_through(r);
}

static bool has_remains(struct instance *i)
{
        _cleanup_free_ char *run_dir = instance_run_dir(i);
        return faccessat(i->server->cgroup_fd, i->num_text, F_OK, 0) == 0 || access(run_dir, F_OK) == 0;
}

static void on_stopped_stored(void *data, int r, struct error *err)
{
        struct recover_one *o = data;
        if (r < 0)
                log_error("instance \"%s\": %s", o->instance->name, error_message(err));
        one_through(o);
}

/*
 * What its run has left behind says what became of it: a reboot from inside goes on, a run that ended with its host is
 * begun anew, everything else is over.
 */
static const char *state_after(struct recover_one *o)
{
        struct instance *i = o->instance;
        const struct instance_power *p = instance_power(i);
        if (o->has_exit && o->exit.is_reboot)
                return "restarting";
        if (o->has_exit || !streq(p->state, "running"))
                return "stopped";
        if (!str_empty(p->boot) && !streq(p->boot, host_boot_id()))
                autostart_note_lost(i);
        else if (o->had_remains)
                log_warning("instance \"%s\": its monitor was lost; the container is killed", i->name);
        return "stopped";
}

static void on_torn_down(void *data, int r, struct error *err)
{
        struct recover_one *o = data;
        struct instance *i = o->instance;
        if (r < 0)
                log_error("clearing away after instance \"%s\": %s", i->name, error_message(err));
        if (!instance_may_run(i)) {
                one_through(o);
                return;
        }
        struct change *c = change_new(i->server);
        change_put(c, &instance_power_kind, i->project, i->name, OBJECT_REV_ANY, power_next(i, state_after(o)));
        change_commit(c, on_stopped_stored, o);
}

static void on_running_stored(void *data, int r _unused_, struct error *err _unused_)
{
        one_through(data);
}

static bool is_frozen(struct instance *i)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        _cleanup_free_ char *path = xasprintf("%u/payload/cgroup.freeze", i->num);
        return path_read_file(i->server->cgroup_fd, path, 16, &b) == 0 && b.len && b.data[0] == '1';
}

static void on_adopted(void *data, int r, struct error *err _unused_)
{
        struct recover_one *o = data;
        struct instance *i = o->instance;
        if (r < 0) {
                o->had_remains = has_remains(i);
                o->has_exit = instance_read_exit(i, &o->exit) >= 0;
                instance_tear_down(i, on_torn_down, o);
                return;
        }
        const struct instance_body *b = instance_body(i);
        for (size_t k = 0; k < b->layers.n; k++)
                layer_use(i->server, b->pool, b->layers.items[k]);
        if (is_frozen(i))
                instance_set_state(i, INSTANCE_FROZEN);
        instance_exec_recover(i);
        if (streq(instance_power(i)->state, "running")) {
                one_through(o);
                return;
        }
        struct change *c = change_new(i->server);
        change_put(c, &instance_power_kind, i->project, i->name, OBJECT_REV_ANY, power_next(i, "running"));
        change_commit(c, on_running_stored, o);
}

/* ---- what no object names ---- */

static void on_stray_gone(void *data, int r, struct json_object *result _unused_, struct error *err)
{
        struct recover *rec = data;
        if (r < 0)
                log_error("removing what an earlier run left: %s", error_message(err));
        step_through(rec);
}

static void tear_down_stray(struct recover *r, uint32_t num)
{
        struct server *s = r->server;
        struct json_object *args = json_object_new_object();
        struct job_spec spec = JOB_SPEC_INIT;
        char nic[IF_NAMESIZE];
        _cleanup_free_ char *cgroup = xasprintf("%s/%u", s->cgroup, num);
        _cleanup_free_ char *run_dir = xasprintf("%s/%u", s->run_dir, num);
        log_warning("number %u belongs to no instance: what is left of it is removed", num);
        json_set_string(args, "cgroup", cgroup);
        json_set_string(args, "run_dir", run_dir);
        json_set_int(args, "num", num);
        json_set_take(args, "nics", json_object_new_array());
        nic_host_name(s->did, num, 0, 0, nic);
        nic[NIC_PREFIX_LEN] = '\0';
        json_set_string(args, "nic_prefix", nic);
        spec.program = "lightrun";
        spec.name = "teardown";
        spec.take_args = args;
        r->n_open++;
        job_start(s, &spec, on_stray_gone, r);
}

static bool parse_num(const char *name, uint32_t *ret)
{
        char *end;
        unsigned long v = strtoul(name, &end, 10);
        if (name[0] < '1' || name[0] > '9' || *end || v > UINT32_MAX)
                return false;
        *ret = (uint32_t)v;
        return true;
}

/* Numbers with a cgroup or a run directory whose object is not there, or does not run. */
static void find_strays(struct recover *r, int take_dir)
{
        DIR *dir = take_dir < 0 ? NULL : fdopendir(take_dir);
        struct dirent *e;
        uint32_t num;
        while (dir && (e = readdir(dir)))
                if (parse_num(e->d_name, &num) && !instance_find_num(r->server, num))
                        tear_down_stray(r, num);
        if (dir)
                closedir(dir);
}

static void sweep_jobs(struct recover *r)
{
        struct server *s = r->server;
        struct json_object *args = json_object_new_object();
        struct job_spec spec = JOB_SPEC_INIT;
        _cleanup_free_ char *cgroup = xasprintf("%s/jobs", s->cgroup);
        json_set_string(args, "cgroup", cgroup);
        spec.program = "lightrun";
        spec.name = "jobs-sweep";
        spec.take_args = args;
        r->n_open++;
        job_start(s, &spec, on_stray_gone, r);
}

/* Before the first start; beside everything else. */
static void on_apparmor(void *data)
{
        step_through(data);
}

static void recover_instance(struct recover *r, struct instance *i)
{
        bool was_running = instance_may_run(i);
        if (!was_running && !has_remains(i))
                return;
        struct recover_one *o = xnew(struct recover_one);
        o->recover = r;
        o->instance = i;
        r->n_open++;
        instance_claim(i, "recovery", NULL, NULL);
        if (was_running)
                instance_adopt(i, on_adopted, o);
        else
                instance_tear_down(i, on_torn_down, o);
}

void instances_recover(struct server *s, instances_done_fn done, void *data)
{
        struct recover *r = xnew(struct recover);
        struct object **objects;
        r->server = s;
        r->done = done;
        r->data = data;
        r->n_open = 1;
        size_t n = object_list(s, &instance_kind, NULL, &objects);
        for (size_t k = 0; k < n; k++)
                instance_load(s, objects[k]);
        sweep_jobs(r);
        r->n_open++;
        apparmor_load(s, on_apparmor, r);
        for (struct instance *i = instance_next(s, NULL); i; i = instance_next(s, i))
                recover_instance(r, i);
        find_strays(r, openat(s->cgroup_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        find_strays(r, open(s->run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        step_through(r);
}
