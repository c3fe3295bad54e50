/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is known of one network namespace: its links and addresses, kept true by messages and now and then by a
 * listing. No socket and no loop in here; netstate.h feeds it. Private to networks/.
 */
#pragma once

#include "base/list.h"
#include "runtime/net-message.h"

#define NETSPACE_LINKS_MAX 64
#define NETSPACE_ADDRESSES_MAX 256
#define NETSPACE_HOST_NAMES_MAX 32
#define NETSPACE_COUNTERS 8
#define NETSPACE_NO_ID (-3)

struct netspace_link {
        struct net_link link;
        uint64_t counters[NETSPACE_COUNTERS]; /* in the order of the words in netspace.c */
};

struct netspace {
        struct list node; /* in netstate's list */
        char *key;
        int nsid;        /* -1: the host's own */
        int counters_fd; /* /proc/<pid>/net/dev, or -EBADF */
        struct netspace_link *links;
        size_t n_links;
        struct net_address *addresses;
        size_t n_addresses;
        struct {
                char name[IF_NAMESIZE];
                uint32_t index;
        } host_names[NETSPACE_HOST_NAMES_MAX];
        size_t n_host_names;
        uint64_t counted_ms;
        bool wants_listing;
        bool is_asked;       /* a listing is on its way */
        bool heard_meanwhile; /* and may be older than what was heard since */
        unsigned tries;
};

struct netspace *netspace_new(const char *key, int nsid, int take_counters_fd);
void netspace_free(struct netspace *sp); /* also takes it out of its list */
void netspace_add_host_name(struct netspace *sp, const char *name, uint32_t index);

void netspace_hear(struct netspace *sp, const struct netlink_message *m);
void netspace_ask(struct netspace *sp);
void netspace_take_listing(struct netspace *sp, struct json_object *listing);
/* The text of /proc/net/dev. */
void netspace_take_counters(struct netspace *sp, char *text);

void netspace_write(struct netspace *sp, struct json_writer *w);
size_t netspace_addresses(const struct netspace *sp, struct inet_prefix *ret, size_t n);
void netspace_write_addresses(const struct netspace *sp, uint32_t index, struct json_writer *w);
void netspace_write_address(const struct inet_prefix *a, struct json_writer *w);
