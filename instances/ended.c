/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The ends of a run: greeting a monitor, hearing that init has ended, clearing away. "Stopped" is said at the moment
 * init ends; removing cgroups and links goes on behind it, and only a next start waits for that.
 */
#include "instances/run.h"
#include "instances/live.h"
#include "instances/monitor-link.h"
#include "instances/delete.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/path.h"
#include "base/time.h"
#include "networks/netstate.h"
#include "networks/nic.h"
#include "server/job.h"

#include <fcntl.h>

struct clean_waiter {
        struct list node;
        void (*fn)(void *data);
        void *data;
};

int instance_cgroup_write(struct instance *i, const char *file, const char *value)
{
        _cleanup_free_ char *path = xasprintf("%u/%s", i->num, file);
        return path_write_value(i->server->cgroup_fd, path, value);
}

/* ---- clearing away ---- */

struct teardown {
        struct instance *instance;
        power_done_fn done;
        void *data;
};

bool instance_may_run(const struct instance *i)
{
        const char *state = instance_power(i)->state;
        return streq(state, "running") || streq(state, "starting");
}

/* A run that was not written down yet gave its interfaces names nobody else knows. */
static void add_nic_prefix(struct instance *i, struct json_object *args)
{
        char nic[IF_NAMESIZE];
        if (instance_may_run(i))
                return;
        nic_host_name(i->server->did, i->num, 0, 0, nic);
        nic[NIC_PREFIX_LEN] = '\0';
        json_set_string(args, "nic_prefix", nic);
}

static struct json_object *teardown_args(struct instance *i)
{
        _cleanup_free_ char *run_dir = instance_run_dir(i), *cgroup = instance_cgroup(i);
        struct json_object *args = json_object_new_object(), *nics = json_object_new_array();
        const struct strmap *v = instance_volatile(i);
        for (size_t k = 0; k < v->n; k++)
                if (str_ends(v->items[k].key, ".host_name"))
                        json_array_add_string(nics, v->items[k].value);
        json_set_string(args, "cgroup", cgroup);
        json_set_string(args, "run_dir", run_dir);
        json_set_int(args, "num", i->num);
        json_set_take(args, "nics", nics);
        add_nic_prefix(i, args);
        return args;
}

static void on_torn_down(void *data, int r, struct json_object *result _unused_, struct error *err)
{
        struct teardown *t = data;
        t->done(t->data, r, err);
        free(t);
}

void instance_tear_down(struct instance *i, power_done_fn done, void *data)
{
        struct teardown *t = xnew(struct teardown);
        struct job_spec spec = JOB_SPEC_INIT;
        t->instance = i;
        t->done = done;
        t->data = data;
        spec.program = "lightrun";
        spec.name = "teardown";
        spec.take_args = teardown_args(i);
        job_start(i->server, &spec, on_torn_down, t);
}

/* One who waited may use it again (work on files does): the next ones wait on then. */
void instance_cleaned(struct instance *i)
{
        struct server *s = i->server;
        uint32_t num = i->num;
        i->is_cleaning = false;
        while (instance_find_num(s, num) == i && !i->is_cleaning && !list_is_empty(&i->waiting_clean)) {
                struct clean_waiter *w = container_of(i->waiting_clean.next, struct clean_waiter, node);
                void (*fn)(void *) = w->fn;
                void *data = w->data;
                list_remove(&w->node);
                free(w);
                fn(data);
        }
}

static void on_clean(void *data, int r, struct error *err)
{
        struct instance *i = data;
        if (r < 0)
                log_error("clearing away after instance \"%s\": %s", i->name, error_message(err));
        instance_cleaned(i);
}

void instance_when_clean(struct instance *i, void (*fn)(void *data), void *data)
{
        if (!i->is_cleaning) {
                fn(data);
                return;
        }
        struct clean_waiter *w = xnew(struct clean_waiter);
        w->fn = fn;
        w->data = data;
        list_append(&i->waiting_clean, &w->node);
}

/* ---- the end ---- */

/* What the daemon holds of a run. */
static void let_go(struct instance *i)
{
        netstate_detach(i->server, i->num_text);
        monitor_link_close(TAKE_PTR(i->link));
        live_free(TAKE_PTR(i->live));
        fd_reset(&i->pidfd);
        i->pid = 0;
}

static void on_stopped_stored(void *data, int r, struct error *err)
{
        struct instance *i = data;
        if (r < 0)
                log_warning("instance \"%s\" is not stored as stopped: %s", i->name, error_message(err));
        instance_stop_ended(i);
}

/* Before that, exit.json is all that says the next run is due; clearing away would take it. */
static void on_restart_stored(void *data, int r, struct error *err)
{
        struct instance *i = data;
        instance_tear_down(i, on_clean, i);
        on_stopped_stored(i, r, err);
}

/* A reboot from inside, or the end of an ephemeral one: what follows when nobody has claimed the instance. */
static void on_restarted(void *data, int r, struct error *err)
{
        struct instance *i = data;
        instance_release(i);
        if (r < 0)
                log_error("restarting instance \"%s\": %s", i->name, error_message(err));
        else
                instance_event(i, NULL, "instance-restarted", NULL);
}

static void follow_up(struct instance *i, bool is_reboot)
{
        if (i->busy)
                return; /* a stop, a restart: its owner goes on */
        if (is_reboot && !i->server->is_stopping) {
                instance_claim(i, "restart", NULL, NULL);
                instance_start(i, NULL, on_restarted, i);
        } else if (instance_body(i)->ephemeral) {
                instance_delete_ephemeral(i);
        }
}

void instance_ended(struct instance *i, const struct monitor_exit *e)
{
        bool is_reboot = e && e->is_reboot && !i->is_user_stop;
        if (!e) {
                log_warning("instance \"%s\": its monitor was lost; the container is killed", i->name);
                instance_cgroup_write(i, "payload/cgroup.kill", "1");
        }
        let_go(i);
        instance_set_state(i, INSTANCE_STOPPED);
        if (!is_reboot && !(i->is_user_stop && i->busy_op)) /* otherwise the operation tells it */
                instance_event(i, NULL, "instance-shutdown", NULL);
        i->is_cleaning = true;
        bool goes_on = is_reboot || i->is_restart;
        if (!goes_on)
                instance_tear_down(i, on_clean, i);
        instance_unuse_layers(i);
        struct change *c = change_new(i->server);
        change_put(c, &instance_power_kind, i->project, i->name, OBJECT_REV_ANY,
                   power_next(i, goes_on ? "restarting" : "stopped"));
        change_commit(c, goes_on ? on_restart_stored : on_stopped_stored, i);
        follow_up(i, is_reboot);
}

/* An end before the greeting is the start's to tell: closing the link fails the greeting, and exit.json says why. */
static void on_monitor_ended(void *data, const struct monitor_exit *e)
{
        struct instance *i = data;
        if (i->is_greeted)
                instance_ended(i, e);
        else
                monitor_link_close(TAKE_PTR(i->link));
}

static const struct monitor_events monitor_events = { .ended = on_monitor_ended };

int instance_read_exit(const struct instance *i, struct monitor_exit *ret)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        _cleanup_json_ struct json_object *o = NULL;
        _cleanup_free_ char *run_dir = instance_run_dir(i), *path = xasprintf("%s/" MONITOR_EXIT_FILE, run_dir);
        int r = path_read_file(AT_FDCWD, path, 4096, &b);
        if (r >= 0)
                r = json_parse(strbuf_str(&b), b.len, &o, NULL);
        return r < 0 ? r : monitor_exit_from_json(o, ret);
}

/* ---- greeting ---- */

struct adopt {
        struct instance *instance;
        power_done_fn done;
        void *data;
};

static void adopt_end(struct adopt *a, int r, struct error *err)
{
        a->done(a->data, r, err);
        free(a);
}

/* The host's ends of its veth pairs, as the start wrote them down. */
static const char **host_names(const struct instance *i)
{
        const struct strmap *v = instance_volatile(i);
        const char **names = xnew_array(const char *, v->n + 1);
        size_t n = 0;
        for (size_t k = 0; k < v->n; k++)
                if (str_ends(v->items[k].key, ".host_name"))
                        names[n++] = v->items[k].value;
        return names;
}

static void take_over(struct instance *i, struct json_object *body, int *fd)
{
        _cleanup_free_ char *cgroup = instance_cgroup(i);
        i->pid = (pid_t)json_get_int(body, "pid", 0);
        i->pidfd = TAKE_FD(*fd);
        i->is_greeted = true;
        i->live = live_open(cgroup);
        _cleanup_free_ const char **names = host_names(i);
        netstate_attach(i->server, i->num_text, i->pid, names);
        instance_set_state(i, INSTANCE_RUNNING);
}

static void on_hello(void *data, int r, struct json_object *body, int *fd, const struct error *e)
{
        struct adopt *a = data;
        struct instance *i = a->instance;
        _cleanup_error_ struct error err = ERROR_INIT;
        if (r >= 0 && (*fd < 0 || json_get_int(body, "num", -1) != i->num))
                r = error_set(&err, ERR_INTERNAL, "The monitor of instance \"%s\" gave a wrong answer", i->name);
        else if (r < 0)
                error_set(&err, e->code, "%s", error_message(e));
        if (r >= 0)
                take_over(i, body, fd);
        else
                monitor_link_close(TAKE_PTR(i->link));
        adopt_end(a, r, &err);
}

static void adopt_failed(void *data)
{
        struct adopt *a = data;
        _cleanup_error_ struct error err = ERROR_INIT;
        error_set(&err, ERR_INTERNAL, "Instance \"%s\" has no monitor", a->instance->name);
        adopt_end(a, -EIO, &err);
}

void instance_adopt(struct instance *i, power_done_fn done, void *data)
{
        _cleanup_free_ char *run_dir = instance_run_dir(i);
        struct adopt *a = xnew(struct adopt);
        a->instance = i;
        a->done = done;
        a->data = data;
        i->is_greeted = false;
        if (monitor_link_open(i->server, run_dir, &monitor_events, i, &i->link) < 0)
                timer_start(i->server, 0, adopt_failed, a);
        else
                monitor_link_request(i->link, MONITOR_HELLO, NULL, on_hello, a);
}
