/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What goes on in the network namespaces of running containers: interfaces, addresses, counters. One rtnetlink socket
 * hears of changes in all of them; a look costs no system call but one read for the counters, at most once a second.
 * What was there before we listened is listed by the job `net-links`, since the kernel lists under a lock that making
 * and unmaking interfaces holds for tens of milliseconds. Until it has answered, state is what was heard so far.
 *
 * Everything in here may be a guest's invention: numbers of things are capped, names are escaped by who prints.
 * Knows namespaces by a key of the caller's, no instance.
 */
#pragma once

#include "base/inet.h"
#include "base/json.h"
#include "server/server.h"

/* 0, also when open; -errno: states stay empty. Attaching opens too: containers are found again before networks are. */
int netstate_open(struct server *s);
void netstate_close(struct server *s);

/*
 * pid: a process in the namespace that lives at least until this returns (the container's init). host_names: the host's
 * ends of its veth pairs, NULL-ended. A key attached before is replaced. The namespace is held until it is detached:
 * detach when the container has ended, or its interfaces stay.
 */
int netstate_attach(struct server *s, const char *key, pid_t pid, const char *const *host_names);
void netstate_detach(struct server *s, const char *key);

/* LXD's InstanceStateNetwork by interface: {"eth0":{"addresses":[…],"counters":{…},…}}; null when not attached. */
void netstate_write(struct server *s, const char *key, struct json_writer *w);
/* Global addresses, IPv4 first; how many there were (never more than n). */
size_t netstate_addresses(struct server *s, const char *key, struct inet_prefix *ret, size_t n);
/* Of an interface of the host, by its name: [{"family","address","netmask","scope"}]. */
void netstate_write_host_addresses(struct server *s, const char *interface, struct json_writer *w);

/* The four words of one address. */
void netstate_write_address(const struct inet_prefix *a, struct json_writer *w);
