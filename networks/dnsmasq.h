/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One dnsmasq for each network: its arguments, its life. It outlives the daemon; a new daemon finds it by its cgroup
 * (net/<network>) and keeps it when its arguments are still the wanted ones. When it dies it is started again, later
 * each time. Knows the plan of a network, no object and no request.
 *
 * Its files in <run_dir>/networks/<network>/: hosts/ (an entry a nic, written by us, read when it changes),
 * dnsmasq.leases, dnsmasq.pid (written when it is ready), dnsmasq.err (what it said when it could not start).
 */
#pragma once

#include "networks/network.h"
#include "server/server.h"

struct dnsmasq;

/* The argv for a plan (NULL-ended, owned), or NULL when the network needs none. Pure. */
struct dnsmasq_user {
        char user[32], group[32];
        unsigned gid;
};
char **dnsmasq_args(const struct network_plan *plan, const char *dir, const struct dnsmasq_user *user);
void dnsmasq_args_free(char **argv);

/* dir: the network's files. */
struct dnsmasq *dnsmasq_new(struct server *s, const char *name, const char *dir);
void dnsmasq_free(struct dnsmasq *d); /* stops watching; the process goes on */

/*
 * Makes the process fit the arguments (taken; NULL: no process): keeps, starts, or stops and starts. done runs once,
 * when it serves or has failed to, never before this returns.
 */
typedef void (*dnsmasq_done_fn)(void *data, int r, struct error *err);
void dnsmasq_run(struct dnsmasq *d, char **take_argv, dnsmasq_done_fn done, void *data);
/* Told to end, and not started again; it is killed with its cgroup if it does not listen. */
void dnsmasq_forget(struct dnsmasq *d);
/* Soon reads all host entries again: at once after a pause, at most twice a second while many change. */
void dnsmasq_reload_soon(struct dnsmasq *d);

/* The unprivileged user it becomes: "dnsmasq" or "nobody", with its group; from /etc/passwd and /etc/group alone. */
void dnsmasq_user(struct dnsmasq_user *ret);
/* The same from texts of those files. */
void dnsmasq_find_user(const char *passwd, const char *group, struct dnsmasq_user *ret);

/* API tests: no process is started, all of them serve. */
void dnsmasq_set_fake(bool is_fake);
