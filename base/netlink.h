/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Netlink messages: built into a strbuf, walked with bounds, sent and answered. Knows the framing (messages,
 * attributes, acknowledgements) and no family's vocabulary.
 *
 *      netlink_begin(&b, RTM_NEWLINK, NLM_F_CREATE, &(struct ifinfomsg){ … }, sizeof(struct ifinfomsg));
 *      netlink_attr_str(&b, IFLA_IFNAME, "br0");
 *      size_t nest = netlink_nest(&b, IFLA_LINKINFO);
 *      netlink_attr_str(&b, IFLA_INFO_KIND, "bridge");
 *      netlink_nest_end(&b, nest);
 *      r = netlink_call(fd, &b, NULL, NULL);
 */
#pragma once

#include "base/macros.h"
#include "base/strbuf.h"
#include <linux/netlink.h>

/* A message is begun by emptying the buffer: one message a buffer. NLM_F_REQUEST is implied. */
void netlink_begin(struct strbuf *b, uint16_t type, uint16_t flags, const void *header, size_t n);
void netlink_attr(struct strbuf *b, uint16_t type, const void *data, size_t n);
void netlink_attr_u8(struct strbuf *b, uint16_t type, uint8_t value);
void netlink_attr_u32(struct strbuf *b, uint16_t type, uint32_t value);
void netlink_attr_str(struct strbuf *b, uint16_t type, const char *text); /* with its NUL */
size_t netlink_nest(struct strbuf *b, uint16_t type);
void netlink_nest_end(struct strbuf *b, size_t nest);

/* Walking: data and n move on; false at the end or at the first malformed header. */
struct netlink_message {
        struct nlmsghdr header;
        const uint8_t *payload;
        size_t n; /* of the payload */
};
bool netlink_next(const uint8_t **data, size_t *n, struct netlink_message *ret);

struct netlink_attr {
        const uint8_t *data; /* NULL: not there. Not aligned for the compiler: use the readers below */
        size_t n;
};
/* Sorts the attributes behind a fixed header of `skip` bytes into ret[type]; types past n_ret are ignored. */
void netlink_parse(const void *data, size_t n, size_t skip, struct netlink_attr *ret, size_t n_ret);
uint32_t netlink_get_u32(const struct netlink_attr *a, uint32_t fallback);
uint16_t netlink_get_u16(const struct netlink_attr *a, uint16_t fallback);
uint8_t netlink_get_u8(const struct netlink_attr *a, uint8_t fallback);
/* Copies a text (with or without its NUL), always ended; false when it is not there or does not fit. */
bool netlink_get_str(const struct netlink_attr *a, char *buf, size_t size);

/* A socket with strict checking (which makes the kernel look at attributes of a dump request). fd or -errno. */
int netlink_open(int protocol, int extra_socket_flags);
/*
 * Sends the message and reads its answers to the end; each goes to fn, whose failure is returned after the rest was
 * read. Blocking, at most ten seconds: for workers. The kernel's refusal is the negative errno.
 */
typedef int (*netlink_fn)(const struct netlink_message *m, void *data);
int netlink_call(int fd, struct strbuf *message, netlink_fn fn, void *data);
