/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The host's own interfaces, read from sysfs: unlike rtnetlink it needs no lock that others hold for long. Knows
 * nothing of networks of ours.
 */
#pragma once

#include "api/field.h"
#include "base/json.h"

bool host_has_interface(const char *name);
bool host_is_bridge(const char *name);
bool host_has_ipv6(void);
/* "bridge", "physical", "loopback", "bond", "vlan" or "unknown"; NULL: there is no such interface. */
const char *host_interface_type(const char *name);
/* Names, sorted, without the host's ends of containers' veth pairs. */
void host_interfaces(struct strlist *ret);
unsigned host_mtu(const char *name);   /* 0: not known */
size_t host_ports(const char *bridge); /* how many interfaces are attached */

/* The members hwaddr, mtu, state, type, counters, bridge, bond, vlan, ovn of a network's state. */
void host_write_state(const char *name, struct json_writer *w);

void host_set_fake(bool is_fake); /* API tests: only "lo" is there, as far as anybody looks */
