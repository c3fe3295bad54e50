/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the process and the instances call of networks/: registration, start-up, the default network, whether a network
 * serves. For nics see nic.h, for what goes on inside containers netstate.h.
 */
#pragma once

#include "networks/network.h"
#include "projects/project.h"

void networks_register(struct server *s);
/*
 * Makes every network run as its object says, sweeps away bridges nobody names. One that fails is a line in the log and
 * has the status "Unavailable"; the others run. Networks keep running when the daemon ends.
 */
void networks_start(struct server *s);
/* Calls fn when networks_start() is through with all of them (at once when it is). */
void networks_on_started(struct server *s, void (*fn)(void *data), void *data);
/* Stops watching and frees; running bridges and their dnsmasq stay. Before server_free(). */
void networks_free(struct server *s);

typedef void (*network_done_fn)(void *data, int r, struct error *err);
/* `lightd init --auto`: a bridge with free networks, NAT, DHCP and names. An existing one of that name is fine. */
void networks_init_default(struct server *s, const char *name, network_done_fn done, void *data);

/* "Created", "Pending", "Unavailable"; reason (may be NULL): why it is not "Created", NULL otherwise. */
const char *network_status(struct server *s, const char *name, const char **ret_reason);

/* For API tests: dnsmasq is taken for started, the host has no interface but "lo". */
void networks_set_fake(bool is_fake);

extern const struct route network_routes[];
