/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The parts of a managed bridge beside the interface itself, for the jobs in net-bridge.c: the kernel's switches, the
 * packet filter, the place (directory and cgroup) where its dnsmasq works. Knows no network object.
 */
#pragma once

#include "base/error.h"
#include "runtime/net-message.h"
#include "runtime/net-rules.h"

/* net-sysctl.c: forwarding of the families in use (AF_INET or 0, AF_INET6 or 0), and what the bridge itself accepts. */
int net_sysctls_set(const char *bridge, int ipv4, int ipv6, struct error *err);

/*
 * net-nft.c: runs nft with one document. has_bridge is false when the kernel refused the bridge family's part and took the
 * rest. Removal without an nft installed is fine: then there are no rules.
 */
int net_rules_apply(const struct net_rules *n, bool *ret_has_bridge, struct error *err);
int net_rules_remove(const char *table, const char *bridge, bool is_last, struct error *err);

/* net-place.c: <run_dir>/<name>/{,hosts} of the arguments, and net/<name> below descriptor 5. */
int net_place_create(const char *name, struct json_object *args, struct error *err);
int net_place_kill(const char *name, struct error *err);
void net_place_remove(const char *name, struct json_object *args);
