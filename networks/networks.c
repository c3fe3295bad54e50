/* SPDX-License-Identifier: Apache-2.0 */
#include "networks/networks.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"
#include "networks/host.h"
#include "networks/netstate.h"
#include "networks/network-ops.h"
#include "projects/used-by.h"
#include "server/job.h"

#include <fcntl.h>

static struct list all = { &all, &all }; /* one a server; the tests have several in turn */

struct networks *networks_of(struct server *s)
{
        struct networks *n;
        list_for_each (n, &all, node)
                if (n->server == s)
                        return n;
        n = xnew(struct networks);
        n->server = s;
        list_init(&n->nets);
        list_init(&n->queue);
        list_append(&all, &n->node);
        return n;
}

static void net_free(struct net *n)
{
        list_remove(&n->node);
        dnsmasq_free(n->dnsmasq);
        free(n->name);
        free(n->reason);
        free(n);
}

void networks_free(struct server *s)
{
        struct networks *networks = networks_of(s);
        struct net *n;
        list_for_each (n, &networks->nets, node)
                net_free(n);
        list_remove(&networks->node);
        free(networks);
        netstate_close(s);
}

struct net *net_find(struct server *s, const char *name)
{
        struct networks *networks = networks_of(s);
        struct net *n;
        list_for_each (n, &networks->nets, node)
                if (streq(n->name, name))
                        return n;
        return NULL;
}

struct net *net_ensure(struct server *s, const char *name)
{
        struct net *n = net_find(s, name);
        if (n)
                return n;
        _cleanup_free_ char *dir = network_dir(s, name);
        n = xnew(struct net);
        n->name = xstrdup(name);
        n->dnsmasq = dnsmasq_new(s, name, dir);
        list_append(&networks_of(s)->nets, &n->node);
        return n;
}

void net_remove(struct server *s, const char *name)
{
        struct net *n = net_find(s, name);
        if (n)
                net_free(n);
}

void net_set_status(struct net *n, enum net_status status, const char *reason)
{
        n->status = status;
        free(n->reason);
        n->reason = xstrdup(reason);
}

const char *network_status(struct server *s, const char *name, const char **ret_reason)
{
        static const char *const words[] = { "Pending", "Created", "Unavailable" };
        struct net *n = net_find(s, name);
        if (ret_reason)
                *ret_reason = n ? n->reason : NULL;
        return words[n ? n->status : NET_PENDING];
}

char *network_dir(struct server *s, const char *name)
{
        return xasprintf("%s/networks/%s", s->run_dir ? s->run_dir : "/nonexistent", name);
}

char *network_alias(struct server *s)
{
        return xasprintf("lightd_%s", s->did);
}

void networks_set_fake(bool is_fake)
{
        dnsmasq_set_fake(is_fake);
        host_set_fake(is_fake);
}

static void in_project(struct server *s, const struct object *project, struct strlist *urls)
{
        used_by_project(s, project, &network_kind, "/1.0/networks", urls);
}

void networks_register(struct server *s)
{
        object_kind_register(s, &network_kind);
        router_add(s, network_routes);
        used_by_add("project", in_project);
}

static void started_one(struct networks *networks)
{
        if (--networks->n_starting > 0)
                return;
        networks->is_started = true;
        if (networks->on_started)
                networks->on_started(networks->on_started_data);
}

void networks_on_started(struct server *s, void (*fn)(void *data), void *data)
{
        struct networks *networks = networks_of(s);
        if (networks->is_started) {
                timer_start(s, 0, fn, data);
                return;
        }
        networks->on_started = fn;
        networks->on_started_data = data;
}

static void on_started(void *data, int r, struct error *err)
{
        if (r < 0)
                log_error("network not available: %s", error_message(err));
        started_one(data);
}

static void start_all(struct networks *networks)
{
        struct object **objects;
        size_t n = object_list(networks->server, &network_kind, NULL, &objects);
        networks->n_starting = n + 1;
        for (size_t i = 0; i < n; i++)
                network_start(networks->server, objects[i]->project, objects[i]->name, on_started, networks);
        started_one(networks);
}

static void on_swept(void *data, int r, struct json_object *result _unused_, struct error *err)
{
        if (r < 0)
                log_warning("bridges of deleted networks were not removed: %s", error_message(err));
        start_all(data);
}

void networks_start(struct server *s)
{
        struct job_spec spec = JOB_SPEC_INIT;
        struct json_object *keep = json_object_new_array(), *args = json_object_new_object();
        _cleanup_free_ char *alias = network_alias(s), *dir = xasprintf("%s/networks", s->run_dir);
        struct object **objects;
        int r = netstate_open(s);
        if (r < 0)
                log_warning("addresses of containers are not known: %s", strerror(-r));
        size_t n = object_list(s, &network_kind, NULL, &objects);
        for (size_t i = 0; i < n; i++)
                json_array_add_string(keep, objects[i]->name);
        json_set_string(args, "alias", alias);
        json_set_string(args, "run_dir", dir);
        json_set_take(args, "keep", keep);
        spec.program = "lightrun";
        spec.name = "bridge-sweep";
        spec.take_args = args;
        if (s->cgroup_fd >= 0) {
                spec.take_fds[0] = fcntl(s->cgroup_fd, F_DUPFD_CLOEXEC, 3);
                spec.n_fds = 1;
        }
        job_start(s, &spec, on_swept, networks_of(s));
}

struct init_default {
        network_done_fn done;
        void *data;
};

static void on_default(void *data, int r, struct error *err)
{
        struct init_default *i = data;
        i->done(i->data, r, err);
        free(i);
}

static void on_there_already(void *data)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        on_default(data, 0, &err);
}

void networks_init_default(struct server *s, const char *name, network_done_fn done, void *data)
{
        const char *project = project_effective(s, "default", PROJECT_NETWORKS);
        struct init_default *i = xnew(struct init_default);
        i->done = done;
        i->data = data;
        if (object_find(s, &network_kind, project, name)) {
                timer_start(s, 0, on_there_already, i);
                return;
        }
        struct network *n = type_new(&network_type);
        n->name = xstrdup(name);
        n->type = xstrdup("bridge");
        n->description = xstrdup("Bridge made by lightd init");
        network_fill(n, host_has_ipv6());
        network_create(s, project, n, on_default, i);
}
