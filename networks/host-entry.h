/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The entries of <run_dir>/networks/<network>/hosts/: one small file a nic, "<hwaddr>,<name>" for dnsmasq to read. They
 * lie in memory (tmpfs) and outlive the daemon. Private to networks/; instances see nic.h.
 */
#pragma once

#include "base/inet.h"
#include "server/server.h"

struct host_entry {
        uint8_t hwaddr[HWADDR_SIZE];
        char name[64]; /* "" in a network without names */
};

void host_entry_write(struct server *s, const char *network, const char *file, const uint8_t hwaddr[static HWADDR_SIZE],
                      const char *name);
/* true: there was one, and this is what it said. */
bool host_entry_remove(struct server *s, const char *network, const char *file, struct host_entry *ret);
/* "<hwaddr>[,<name>]\n"; false: it is something else. */
bool host_entry_parse(const char *text, struct host_entry *ret);
/* Calls fn for each; the number is bounded by the ports of a bridge, give or take. */
void host_entry_each(struct server *s, const char *network, void (*fn)(const struct host_entry *e, void *data),
                     void *data);
