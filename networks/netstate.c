/* SPDX-License-Identifier: Apache-2.0 */
#include "networks/netstate.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/time.h"
#include "networks/netspace.h"
#include "server/job.h"

#include <fcntl.h>
#include <linux/net_namespace.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <unistd.h>

#define MESSAGES_A_TURN 256
#define MESSAGES_A_SECOND 20000 /* a guest can make messages without end: past this they are dropped and listed anew */
#define LIST_DELAY_MS 20        /* so that starts in a row share one listing */
#define LIST_BATCH 64
#define HOST_KEY ""

struct netstate {
        struct server *server;
        struct list node;
        struct list spaces;
        int events_fd, request_fd;
        struct watch *watch;
        uint64_t timer, pause_timer, second;
        unsigned heard; /* in this second */
        bool is_listing;
};

static struct list all = { &all, &all };

static struct netstate *find(struct server *s)
{
        struct netstate *n;
        list_for_each (n, &all, node)
                if (n->server == s)
                        return n;
        return NULL;
}

static struct netspace *by_key(struct netstate *n, const char *key)
{
        struct netspace *sp;
        if (n)
                list_for_each (sp, &n->spaces, node)
                        if (streq(sp->key, key))
                                return sp;
        return NULL;
}

static struct netspace *by_nsid(struct netstate *n, int nsid)
{
        struct netspace *sp;
        list_for_each (sp, &n->spaces, node)
                if (sp->nsid == nsid)
                        return sp;
        return NULL;
}

/* --- listing what was there before --- */

static void schedule_listing(struct netstate *n, uint64_t ms);

static void on_listed(void *data, int r, struct json_object *result, struct error *err _unused_)
{
        struct server *s = data;
        struct netstate *n = find(s);
        struct json_object *list = json_get_array(result, "namespaces");
        struct netspace *sp;
        if (!n)
                return;
        n->is_listing = false;
        for (size_t i = 0; r >= 0 && list && i < json_object_array_length(list); i++) {
                struct json_object *o = json_object_array_get_idx(list, i);
                sp = by_nsid(n, (int)json_get_int(o, "nsid", -2));
                if (sp && sp->is_asked)
                        netspace_take_listing(sp, o);
        }
        bool is_wanted = false;
        list_for_each (sp, &n->spaces, node) {
                sp->is_asked = false;
                is_wanted |= sp->wants_listing;
        }
        if (is_wanted)
                schedule_listing(n, r < 0 ? 1000 : LIST_DELAY_MS);
}

static void start_listing(void *data)
{
        struct netstate *n = data;
        struct job_spec spec = JOB_SPEC_INIT;
        struct json_object *args = json_object_new_object(), *nsids = json_object_new_array();
        struct netspace *sp;
        size_t count = 0;
        n->timer = 0;
        list_for_each (sp, &n->spaces, node) {
                if (!sp->wants_listing || count == LIST_BATCH)
                        continue;
                netspace_ask(sp);
                json_object_array_add(nsids, json_object_new_int(sp->nsid));
                count++;
        }
        json_set_take(args, "nsids", nsids);
        spec.program = "lightrun";
        spec.name = "net-links";
        spec.take_args = args;
        n->is_listing = true;
        job_start(n->server, &spec, on_listed, n->server);
}

static void schedule_listing(struct netstate *n, uint64_t ms)
{
        if (!n->timer && !n->is_listing)
                n->timer = timer_start(n->server, ms, start_listing, n);
}

static void list_all(struct netstate *n)
{
        struct netspace *sp;
        list_for_each (sp, &n->spaces, node)
                sp->wants_listing = true;
        schedule_listing(n, LIST_DELAY_MS);
}

/* --- hearing of changes --- */

/* An id is free again when its namespace has gone, and may be given to another. */
static void forget_nsid(struct netstate *n, const struct netlink_message *m)
{
        struct netlink_attr a[NETNSA_MAX + 1];
        netlink_parse(m->payload, m->n, sizeof(struct rtgenmsg), a, ARRAY_SIZE(a));
        struct netspace *sp = by_nsid(n, (int)netlink_get_u32(&a[NETNSA_NSID], (uint32_t)-1));
        if (sp && sp->nsid >= 0)
                sp->nsid = NETSPACE_NO_ID;
}

static void hear(struct netstate *n, int nsid, const uint8_t *data, size_t size)
{
        struct netlink_message m;
        struct netspace *sp = by_nsid(n, nsid);
        while (netlink_next(&data, &size, &m)) {
                if (m.header.nlmsg_type == RTM_DELNSID)
                        forget_nsid(n, &m);
                else if (sp)
                        netspace_hear(sp, &m);
        }
}

/* Bytes, 0: nothing now, -ENOBUFS: some were lost. *ret_nsid: where from; -1: our own namespace. */
static ssize_t receive(int fd, uint8_t *buf, size_t size, int *ret_nsid)
{
        char control[128];
        struct iovec iov = { buf, size };
        struct msghdr h = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
        ssize_t got = recvmsg(fd, &h, MSG_DONTWAIT);
        if (got < 0)
                return errno == EAGAIN || errno == EINTR ? 0 : -errno;
        *ret_nsid = -1;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(&h); c; c = CMSG_NXTHDR(&h, c))
                if (c->cmsg_level == SOL_NETLINK && c->cmsg_type == NETLINK_LISTEN_ALL_NSID)
                        memcpy(ret_nsid, CMSG_DATA(c), sizeof *ret_nsid);
        return got;
}

static void resume(void *data)
{
        struct netstate *n = data;
        n->pause_timer = 0;
        watch_change(n->watch, UV_READABLE);
}

static bool is_too_much(struct netstate *n)
{
        uint64_t now = time_monotonic_ms();
        if (now - n->second >= 1000) {
                n->second = now;
                n->heard = 0;
        }
        if (++n->heard < MESSAGES_A_SECOND)
                return false;
        watch_change(n->watch, 0);
        if (!n->pause_timer)
                n->pause_timer = timer_start(n->server, 1000, resume, n);
        return true;
}

static void on_events(void *data, int fd, int events _unused_)
{
        static uint8_t buf[KiB(32)];
        struct netstate *n = data;
        for (int i = 0; i < MESSAGES_A_TURN && !is_too_much(n); i++) {
                int nsid = NETSPACE_NO_ID;
                ssize_t got = receive(fd, buf, sizeof buf, &nsid);
                if (got == -ENOBUFS)
                        list_all(n);
                else if (got <= 0)
                        return;
                else
                        hear(n, nsid, buf, (size_t)got);
        }
}

static int open_events(void)
{
        static const int groups[] = { RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR, RTNLGRP_NSID };
        int one = 1, size = (int)MiB(1);
        _cleanup_close_ int fd = netlink_open(NETLINK_ROUTE, SOCK_NONBLOCK);
        if (fd < 0)
                return fd;
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
        if (setsockopt(fd, SOL_NETLINK, NETLINK_LISTEN_ALL_NSID, &one, sizeof one) < 0)
                return -errno;
        for (size_t i = 0; i < ARRAY_SIZE(groups); i++)
                if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &groups[i], sizeof groups[i]) < 0)
                        return -errno;
        return TAKE_FD(fd);
}

/* --- attaching --- */

static int take_nsid(const struct netlink_message *m, void *data)
{
        struct netlink_attr a[NETNSA_MAX + 1];
        netlink_parse(m->payload, m->n, sizeof(struct rtgenmsg), a, ARRAY_SIZE(a));
        *(int *)data = (int)netlink_get_u32(&a[NETNSA_NSID], (uint32_t)-1);
        return 0;
}

static int ask_nsid(int fd, uint16_t type, int netns_fd, netlink_fn fn, void *data)
{
        _cleanup_strbuf_ struct strbuf m = STRBUF_INIT;
        netlink_begin(&m, type, 0, &(struct rtgenmsg){ 0 }, sizeof(struct rtgenmsg));
        netlink_attr_u32(&m, NETNSA_FD, (uint32_t)netns_fd);
        if (type == RTM_NEWNSID)
                netlink_attr_u32(&m, NETNSA_NSID, (uint32_t)-1); /* the kernel chooses */
        return netlink_call(fd, &m, fn, data);
}

/* These two are answered at once and without the lock. A veth pair across gives the namespace an id already. */
static int find_nsid(int fd, int netns_fd)
{
        int nsid = -1;
        int r = ask_nsid(fd, RTM_GETNSID, netns_fd, take_nsid, &nsid);
        if (r >= 0 && nsid >= 0)
                return nsid;
        r = ask_nsid(fd, RTM_NEWNSID, netns_fd, NULL, NULL);
        if (r < 0 && r != -EEXIST)
                return r;
        r = ask_nsid(fd, RTM_GETNSID, netns_fd, take_nsid, &nsid);
        return r < 0 ? r : nsid < 0 ? -ENOENT : nsid;
}

static void add_space(struct netstate *n, struct netspace *take_space)
{
        list_append(&n->spaces, &take_space->node);
        take_space->wants_listing = true;
        schedule_listing(n, LIST_DELAY_MS);
}

int netstate_open(struct server *s)
{
        if (find(s))
                return 0;
        _cleanup_close_ int events = open_events();
        _cleanup_close_ int requests = netlink_open(NETLINK_ROUTE, 0);
        if (events < 0 || requests < 0)
                return events < 0 ? events : requests;
        struct netstate *n = xnew(struct netstate);
        n->server = s;
        list_init(&n->spaces);
        list_append(&all, &n->node);
        n->events_fd = TAKE_FD(events);
        n->request_fd = TAKE_FD(requests);
        n->watch = watch_start(s, n->events_fd, UV_READABLE, on_events, n);
        add_space(n, netspace_new(HOST_KEY, -1, -EBADF));
        return 0;
}

void netstate_close(struct server *s)
{
        struct netstate *n = find(s);
        struct netspace *sp;
        if (!n)
                return;
        list_for_each (sp, &n->spaces, node)
                netspace_free(sp);
        timer_cancel(s, n->timer);
        timer_cancel(s, n->pause_timer);
        watch_stop(n->watch);
        fd_close(n->events_fd);
        fd_close(n->request_fd);
        list_remove(&n->node);
        free(n);
}

int netstate_attach(struct server *s, const char *key, pid_t pid, const char *const *host_names)
{
        char path[64];
        /* Without a cgroup there are no containers: an API test. */
        int r = s->cgroup_fd < 0 ? -ENOTSUP : netstate_open(s);
        if (r < 0)
                return r;
        struct netstate *n = find(s);
        netstate_detach(s, key);
        snprintf(path, sizeof path, "/proc/%d/ns/net", (int)pid);
        _cleanup_close_ int netns = open(path, O_RDONLY | O_CLOEXEC);
        snprintf(path, sizeof path, "/proc/%d/net/dev", (int)pid);
        _cleanup_close_ int counters = open(path, O_RDONLY | O_CLOEXEC);
        if (netns < 0 || counters < 0)
                return -errno;
        int nsid = find_nsid(n->request_fd, netns);
        if (nsid < 0)
                return nsid;
        struct netspace *old = by_nsid(n, nsid);
        if (old)
                old->nsid = NETSPACE_NO_ID;
        struct netspace *sp = netspace_new(key, nsid, TAKE_FD(counters));
        for (size_t i = 0; host_names && host_names[i]; i++)
                netspace_add_host_name(sp, host_names[i], if_nametoindex(host_names[i]));
        add_space(n, sp);
        return 0;
}

void netstate_detach(struct server *s, const char *key)
{
        struct netspace *sp = by_key(find(s), key);
        if (sp)
                netspace_free(sp);
}

/* --- answers --- */

void netstate_write(struct server *s, const char *key, struct json_writer *w)
{
        struct netspace *sp = by_key(find(s), key);
        if (sp)
                netspace_write(sp, w);
        else
                json_write_null(w);
}

size_t netstate_addresses(struct server *s, const char *key, struct inet_prefix *ret, size_t n)
{
        struct netspace *sp = by_key(find(s), key);
        return sp ? netspace_addresses(sp, ret, n) : 0;
}

void netstate_write_host_addresses(struct server *s, const char *interface, struct json_writer *w)
{
        struct netspace *sp = by_key(find(s), HOST_KEY);
        unsigned index = if_nametoindex(interface);
        json_write_array_begin(w);
        if (sp && index)
                netspace_write_addresses(sp, index, w);
        json_write_array_end(w);
}

void netstate_write_address(const struct inet_prefix *a, struct json_writer *w)
{
        netspace_write_address(a, w);
}
