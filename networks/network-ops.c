/* SPDX-License-Identifier: Apache-2.0 */
#include "networks/network-ops.h"
#include "base/alloc.h"
#include "base/log.h"
#include "networks/host.h"
#include "projects/used-by.h"
#include "server/job.h"

#include <fcntl.h>

enum kind { OP_CREATE, OP_UPDATE, OP_DELETE, OP_START };

struct network_op {
        struct list node;
        struct server *server;
        enum kind kind;
        char *project, *name;
        struct network *wanted;   /* create, update; taken by the commit */
        struct network *previous; /* update: to go back to */
        uint64_t expected_rev;
        network_done_fn done;
        void *data;
        struct error failure; /* what went wrong, while it is being undone */
};

static void run_first(void *data);

/* Also from inside done(), which may ask for the next thing: hence the flag, and never a call from here. */
static void run_next(struct networks *networks)
{
        if (networks->is_scheduled || list_is_empty(&networks->queue))
                return;
        networks->is_scheduled = true;
        timer_start(networks->server, 0, run_first, networks);
}

static void op_finish(struct network_op *op, int r, struct error *err)
{
        struct networks *networks = networks_of(op->server);
        list_remove(&op->node);
        networks->is_running = false;
        op->done(op->data, r, err);
        type_free(&network_type, op->wanted);
        type_free(&network_type, op->previous);
        error_done(&op->failure);
        free(op->project);
        free(op->name);
        free(op);
        run_next(networks);
}

static int op_fail(struct network_op *op, struct error *err)
{
        int r = error_errno(err->code);
        op_finish(op, r, err);
        return r;
}

static struct object *op_object(const struct network_op *op)
{
        return object_find(op->server, &network_kind, op->project, op->name);
}

/* --- jobs --- */

static void start_job(struct network_op *op, const char *name, struct json_object *take_args, job_done_fn done)
{
        struct job_spec spec = JOB_SPEC_INIT;
        spec.program = "lightrun";
        spec.name = name;
        spec.take_args = take_args;
        if (op->server->cgroup_fd >= 0) {
                spec.take_fds[0] = fcntl(op->server->cgroup_fd, F_DUPFD_CLOEXEC, 3);
                spec.n_fds = 1;
        }
        job_start(op->server, &spec, done, op);
}

static struct json_object *common_args(const struct network_op *op, const uint8_t hwaddr[static HWADDR_SIZE])
{
        char text[HWADDR_TEXT_SIZE];
        _cleanup_free_ char *alias = network_alias(op->server), *dir = xasprintf("%s/networks", op->server->run_dir);
        struct json_object *args = json_object_new_object();
        json_set_string(args, "name", op->name);
        json_set_string(args, "alias", alias);
        json_set_string(args, "run_dir", dir);
        json_set_string(args, "hwaddr", hwaddr_format(hwaddr, text));
        return args;
}

static struct json_object *bridge_args(const struct network_op *op, const struct network_plan *p)
{
        char text[INET_TEXT_SIZE];
        struct dnsmasq_user user;
        struct json_object *args = common_args(op, p->hwaddr);
        dnsmasq_user(&user);
        json_set_int(args, "gid", user.gid);
        json_set_int(args, "mtu", p->mtu ? p->mtu : 1500);
        if (p->ipv4.family)
                json_set_string(args, "ipv4", inet_format_cidr(&p->ipv4, text));
        if (p->ipv6.family)
                json_set_string(args, "ipv6", inet_format_cidr(&p->ipv6, text));
        json_set_bool(args, "ipv4_nat", p->has_ipv4_nat);
        json_set_bool(args, "ipv6_nat", p->has_ipv6_nat);
        json_set_bool(args, "ipv4_dhcp", p->has_ipv4_dhcp);
        json_set_bool(args, "ipv6_dhcp", p->has_ipv6_dhcp);
        return args;
}

/* --- making it run: bridge, then dnsmasq; the object is there --- */

static void on_applied(struct network_op *op, int r, struct error *err);

static void on_dnsmasq(void *data, int r, struct error *err)
{
        on_applied(data, r, err);
}

static void on_bridge_up(void *data, int r, struct json_object *result, struct error *err)
{
        struct network_op *op = data;
        struct object *o = op_object(op);
        struct network_plan plan;
        struct dnsmasq_user user;
        if (r >= 0 && !o)
                r = error_set(err, ERR_NOT_FOUND, "Network \"%s\" not found", op->name);
        if (r < 0) {
                on_applied(op, r, err);
                return;
        }
        if (json_has(result, "warning"))
                log_warning("network=%s %s", op->name, json_get_string(result, "warning", ""));
        _cleanup_free_ char *dir = network_dir(op->server, op->name);
        network_plan(o->body, op->server->did, &plan);
        dnsmasq_user(&user);
        dnsmasq_run(net_ensure(op->server, op->name)->dnsmasq, dnsmasq_args(&plan, dir, &user), on_dnsmasq, op);
}

static void apply(struct network_op *op)
{
        struct network_plan plan;
        network_plan(op_object(op)->body, op->server->did, &plan);
        net_ensure(op->server, op->name);
        start_job(op, "bridge-up", bridge_args(op, &plan), on_bridge_up);
}

/* --- taking it away --- */

static bool is_last(const struct network_op *op)
{
        struct object **objects;
        size_t n = object_list(op->server, &network_kind, NULL, &objects);
        for (size_t i = 0; i < n; i++)
                if (!streq(objects[i]->name, op->name))
                        return false;
        return true;
}

static void take_down(struct network_op *op, job_done_fn done)
{
        struct network_plan plan;
        struct net *n = net_find(op->server, op->name);
        network_plan(op_object(op)->body, op->server->did, &plan);
        if (n)
                dnsmasq_forget(n->dnsmasq);
        struct json_object *args = common_args(op, plan.hwaddr);
        json_set_bool(args, "is_last", is_last(op));
        start_job(op, "bridge-down", args, done);
}

/* --- undoing --- */

static void on_undone(void *data, int r, struct error *err)
{
        struct network_op *op = data;
        if (r < 0)
                log_error("network=%s undoing failed: %s", op->name, error_message(err));
        if (op->kind == OP_CREATE)
                net_remove(op->server, op->name);
        _cleanup_error_ struct error failure = ERROR_INIT;
        error_move(&failure, &op->failure);
        op_fail(op, &failure);
}

static void on_undo_down(void *data, int r, struct json_object *result _unused_, struct error *err)
{
        struct network_op *op = data;
        struct change *c = change_new(op->server);
        if (r < 0)
                log_warning("network=%s undoing failed: %s", op->name, error_message(err));
        change_delete(c, &network_kind, op->project, op->name, OBJECT_REV_ANY);
        change_commit(c, on_undone, op);
}

static void on_previous_back(void *data, int r, struct error *err)
{
        struct network_op *op = data;
        if (r < 0) {
                on_undone(op, r, err);
                return;
        }
        apply(op); /* the second time it ends in on_applied() with the failure kept */
}

static void undo(struct network_op *op, struct error *err)
{
        error_move(&op->failure, err);
        if (op->kind == OP_CREATE) {
                take_down(op, on_undo_down);
                return;
        }
        struct change *c = change_new(op->server);
        change_put(c, &network_kind, op->project, op->name, OBJECT_REV_ANY, TAKE_PTR(op->previous));
        change_commit(c, on_previous_back, op);
}

static void on_applied(struct network_op *op, int r, struct error *err)
{
        struct net *n = net_ensure(op->server, op->name);
        bool is_undoing = op->failure.code != ERR_NONE;
        net_set_status(n, r < 0 ? NET_UNAVAILABLE : NET_CREATED, r < 0 ? error_message(err) : NULL);
        if (is_undoing)
                on_undone(op, r, err);
        else if (r < 0 && (op->kind == OP_CREATE || op->kind == OP_UPDATE))
                undo(op, err);
        else
                op_finish(op, r, err);
}

/* --- create and update: subnets, checks, commit, then as above --- */

static int check_against_others(struct network_op *op, struct error *err)
{
        struct object **objects;
        size_t n = object_list(op->server, &network_kind, NULL, &objects);
        for (size_t i = 0; i < n; i++) {
                int r = streq(objects[i]->name, op->name) ? 0
                                                          : network_check_overlap(op->wanted, objects[i]->body, err);
                if (r < 0)
                        return r;
        }
        return 0;
}

static void on_committed(void *data, int r, struct error *err)
{
        struct network_op *op = data;
        if (r < 0)
                op_finish(op, r, err);
        else
                apply(op);
}

static void commit(struct network_op *op)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        int r = network_check(op->wanted, &err);
        if (r >= 0)
                r = check_against_others(op, &err);
        if (r < 0) {
                op_finish(op, r, &err);
                return;
        }
        struct change *c = change_new(op->server);
        change_put(c, &network_kind, op->project, op->name, op->expected_rev, TAKE_PTR(op->wanted));
        change_commit(c, on_committed, op);
}

static void take_subnet(struct network *n, const char *key, struct json_object *result, const char *member)
{
        if (streq(strmap_get(&n->config, key), "auto"))
                strmap_set(&n->config, key, json_get_string(result, member, "none"));
}

static void on_subnets(void *data, int r, struct json_object *result, struct error *err)
{
        struct network_op *op = data;
        if (r < 0) {
                op_finish(op, r, err);
                return;
        }
        take_subnet(op->wanted, "ipv4.address", result, "ipv4");
        take_subnet(op->wanted, "ipv6.address", result, "ipv6");
        commit(op);
}

static void add_taken(struct json_object *taken, const struct network *n)
{
        static const char *const keys[] = { "ipv4.address", "ipv6.address" };
        for (size_t i = 0; i < ARRAY_SIZE(keys); i++)
                if (strmap_get(&n->config, keys[i]))
                        json_array_add_string(taken, strmap_get(&n->config, keys[i]));
}

static void find_subnets(struct network_op *op)
{
        struct json_object *args = json_object_new_object(), *taken = json_object_new_array();
        struct object **objects;
        size_t n = object_list(op->server, &network_kind, NULL, &objects);
        for (size_t i = 0; i < n; i++)
                if (!streq(objects[i]->name, op->name))
                        add_taken(taken, objects[i]->body);
        json_set_take(args, "taken", taken);
        json_set_bool(args, "ipv4", streq(strmap_get(&op->wanted->config, "ipv4.address"), "auto"));
        json_set_bool(args, "ipv6", streq(strmap_get(&op->wanted->config, "ipv6.address"), "auto"));
        start_job(op, "subnet-find", args, on_subnets);
}

static void run_put(struct network_op *op)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct object *o = op_object(op);
        int r = network_check(op->wanted, &err);
        if (r >= 0 && op->kind == OP_CREATE && o)
                r = error_set(&err, ERR_EXISTS, "Network \"%s\" exists already", op->name);
        else if (r >= 0 && op->kind == OP_CREATE && host_has_interface(op->name))
                r = error_set(&err, ERR_EXISTS, "An interface \"%s\" exists already on this host", op->name);
        else if (r >= 0 && op->kind == OP_UPDATE && !o)
                r = error_set(&err, ERR_NOT_FOUND, "Network \"%s\" not found", op->name);
        if (r < 0) {
                op_finish(op, r, &err);
                return;
        }
        if (op->kind == OP_UPDATE)
                op->previous = type_copy(&network_type, o->body);
        if (network_wants_subnet(op->wanted))
                find_subnets(op);
        else
                commit(op);
}

/* --- delete --- */

static void on_deleted(void *data, int r, struct error *err)
{
        struct network_op *op = data;
        struct net *n = net_find(op->server, op->name);
        if (r >= 0)
                net_remove(op->server, op->name);
        else if (n)
                net_set_status(n, NET_UNAVAILABLE, "it is half deleted");
        op_finish(op, r, err);
}

static void on_down(void *data, int r, struct json_object *result _unused_, struct error *err)
{
        struct network_op *op = data;
        if (r < 0) {
                on_deleted(op, r, err);
                return;
        }
        struct change *c = change_new(op->server);
        change_delete(c, &network_kind, op->project, op->name, OBJECT_REV_ANY);
        change_commit(c, on_deleted, op);
}

static void run_delete(struct network_op *op)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct object *o;
        int r = object_get(op->server, &network_kind, op->project, op->name, &o, &err);
        if (r >= 0)
                r = used_by_check_free(op->server, o, &err);
        if (r < 0)
                op_finish(op, r, &err);
        else
                take_down(op, on_down);
}

static void run_start(struct network_op *op)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        if (op_object(op))
                apply(op);
        else
                op_finish(op, 0, &err); /* deleted meanwhile */
}

/* --- the queue --- */

static void run_first(void *data)
{
        struct networks *networks = data;
        struct network_op *op = container_of(networks->queue.next, struct network_op, node);
        networks->is_scheduled = false;
        networks->is_running = true;
        if (op->kind == OP_DELETE)
                run_delete(op);
        else if (op->kind == OP_START)
                run_start(op);
        else
                run_put(op);
}

static void push(struct server *s, struct network_op *op)
{
        struct networks *networks = networks_of(s);
        op->server = s;
        list_append(&networks->queue, &op->node);
        if (!networks->is_running)
                run_next(networks);
}

static struct network_op *op_new(enum kind kind, const char *project, const char *name, network_done_fn done, void *data)
{
        struct network_op *op = xnew(struct network_op);
        op->kind = kind;
        op->project = xstrdup(project);
        op->name = xstrdup(name);
        op->done = done;
        op->data = data;
        return op;
}

void network_create(struct server *s, const char *project, struct network *take_network, network_done_fn done,
                    void *data)
{
        struct network_op *op = op_new(OP_CREATE, project, take_network->name, done, data);
        op->wanted = take_network;
        op->expected_rev = OBJECT_REV_NEW;
        push(s, op);
}

void network_update(struct server *s, const char *project, struct network *take_network, uint64_t expected_rev,
                    network_done_fn done, void *data)
{
        struct network_op *op = op_new(OP_UPDATE, project, take_network->name, done, data);
        op->wanted = take_network;
        op->expected_rev = expected_rev;
        push(s, op);
}

void network_delete(struct server *s, const char *project, const char *name, network_done_fn done, void *data)
{
        push(s, op_new(OP_DELETE, project, name, done, data));
}

void network_start(struct server *s, const char *project, const char *name, network_done_fn done, void *data)
{
        push(s, op_new(OP_START, project, name, done, data));
}
