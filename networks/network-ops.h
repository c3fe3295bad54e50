/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What can be done with a network. Each takes several steps (free subnet, commit, bridge, dnsmasq) and one is done at a
 * time: they share the nftables table and each other's addresses. done runs once, never before the call returns.
 */
#pragma once

#include "networks/dnsmasq.h"
#include "networks/networks.h"

void network_create(struct server *s, const char *project, struct network *take_network, network_done_fn done,
                    void *data);
/* expected_rev: what the caller has seen; a later change in between is ERR_CONFLICT. */
void network_update(struct server *s, const char *project, struct network *take_network, uint64_t expected_rev,
                    network_done_fn done, void *data);
void network_delete(struct server *s, const char *project, const char *name, network_done_fn done, void *data);
/* Makes it run as the object says (start-up). */
void network_start(struct server *s, const char *project, const char *name, network_done_fn done, void *data);

/* What runs beside an object. */
enum net_status { NET_PENDING, NET_CREATED, NET_UNAVAILABLE };
struct net {
        struct list node;
        char *name;
        enum net_status status;
        char *reason; /* of NET_UNAVAILABLE */
        struct dnsmasq *dnsmasq;
};

struct networks {
        struct server *server;
        struct list node;
        struct list nets;  /* struct net */
        struct list queue; /* struct network_op: the first one runs */
        bool is_running, is_scheduled;
        size_t n_starting;
        bool is_started;
        void (*on_started)(void *data);
        void *on_started_data;
};

struct networks *networks_of(struct server *s);
struct net *net_find(struct server *s, const char *name);  /* NULL: no such */
struct net *net_ensure(struct server *s, const char *name);
void net_remove(struct server *s, const char *name);
void net_set_status(struct net *n, enum net_status status, const char *reason);
char *network_dir(struct server *s, const char *name); /* the caller frees */
char *network_alias(struct server *s);                 /* "lightd_<did>"; the caller frees */
