/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A nic device of an instance: what its keys may be, and what they come down to at a start. Knows devices' keys and
 * networks; the instance is a name to it.
 *
 * Kinds: network=<managed>; nictype=bridged with parent=<bridge of the host>; nictype=p2p (the host's end belongs to
 * nobody). Keys: name, hwaddr, mtu, host_name, network, nictype, parent; others are refused by name.
 */
#pragma once

#include "base/inet.h"
#include "base/json.h"
#include "config/key.h"
#include "server/server.h"
#include <net/if.h>

struct nic_request {
        const char *project, *instance;
        const char *device;               /* its name among the instance's devices: "eth0" */
        const struct strmap *keys;        /* of the device */
        const struct strmap *volatile_config; /* the instance's volatile.* keys; may be NULL */
        uint32_t num;                     /* the instance's number, 24 bits */
        uint32_t gen;                     /* counts its starts: the veth of the last one may linger */
        unsigned index;                   /* of this nic among the instance's nics: 0, 1, … */
};

struct nic_plan {
        char network[IF_NAMESIZE];   /* the managed network it belongs to, or "" */
        char bridge[IF_NAMESIZE];    /* "" with p2p */
        char name[IF_NAMESIZE];      /* in the container */
        char host_name[IF_NAMESIZE]; /* the host's end */
        uint8_t hwaddr[HWADDR_SIZE];
        bool is_new_hwaddr; /* chosen now: remember it as volatile.<device>.hwaddr */
        unsigned mtu;
};

extern const struct config_key *const nic_tables[];

/* What the rows of nic_tables cannot say, for instances and profiles at rest: kinds, that a managed network exists. */
int nic_check(struct server *s, const char *project, const char *device, const struct strmap *keys, struct error *err);
/* Its address is settled before the first start (volatile.<device>.hwaddr), unless its keys or an earlier time did so. */
void nic_give_hwaddr(const char *device, const struct strmap *keys, struct strmap *volatile_config);
/* For a start. Also: the bridge is there and has room, the network serves. */
int nic_plan(struct server *s, const struct nic_request *nic, struct nic_plan *ret, struct error *err);
/* As the start job takes it: {"type":"bridged","host_name","bridge","name","hwaddr","mtu"}. */
struct json_object *nic_plan_json(const struct nic_plan *plan);

/* The bridge a nic's keys name, by "network" or by "parent" (which may be a managed one too); "" with p2p. */
const char *nic_parent(const struct strmap *keys);

/*
 * Before its start and when an instance is renamed: the network's DNS answers "<instance>.<domain>" with the address it
 * gives to this nic. Idempotent and quick. Unregister when the instance or the device is deleted, which gives its address
 * back; a stopped one keeps its entry and its lease. `network` is nic_parent(); nothing happens when it is not managed.
 */
void nic_register(struct server *s, const struct nic_plan *plan, const char *project, const char *instance,
                  const char *device);
void nic_unregister(struct server *s, const char *network, const char *project, const char *instance,
                    const char *device);

/* "lv" + did(4) + num(5) + gen(2) in base 32, and the index when it is not 0. The first eleven are the instance's. */
#define NIC_PREFIX_LEN 11
void nic_host_name(const char *did, uint32_t num, uint32_t gen, unsigned index, char ret[static IF_NAMESIZE]);
