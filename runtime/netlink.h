/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The few rtnetlink requests a container's network needs, built by hand: libmnl has no static library in
 * Debian. Knows links; addresses, bridges and rules are the daemon's.
 */
#pragma once

#include "base/macros.h"
#include "runtime/spec.h"

/*
 * One request makes the pair, joins the host's end to the bridge and puts the guest's end, already named,
 * into the namespace: moving an interface later costs several RCU grace periods. The host's end is up and has
 * no IPv6. The failure names interface and bridge.
 */
int netlink_create_veth(const struct spec_nic *nic, int netns_fd, struct error *err);
int netlink_delete_link(const char *name); /* 0 also when it is not there */

/* In the calling process's network namespace. -ENODEV when there is none of that name. */
int netlink_set_up(const char *name);
