/* SPDX-License-Identifier: Apache-2.0 */
#include "base/netlink.h"
#include "base/alloc.h"
#include "base/fd.h"

#include <sys/socket.h>
#include <sys/time.h>

#define RECEIVE_SIZE KiB(64)
#define CALL_TIMEOUT_S 10

static void pad(struct strbuf *b)
{
        static const char zero[NLMSG_ALIGNTO];
        strbuf_add(b, zero, NLMSG_ALIGN(b->len) - b->len);
}

/* The length in the header counts everything so far: true after each append, so no end call can be forgotten. */
static void update_length(struct strbuf *b)
{
        uint32_t len = (uint32_t)b->len;
        memcpy(b->data + offsetof(struct nlmsghdr, nlmsg_len), &len, sizeof len);
}

void netlink_begin(struct strbuf *b, uint16_t type, uint16_t flags, const void *header, size_t n)
{
        struct nlmsghdr h = { .nlmsg_type = type, .nlmsg_flags = flags | NLM_F_REQUEST };
        strbuf_clear(b);
        strbuf_add(b, &h, sizeof h);
        strbuf_add(b, header, n);
        pad(b);
        update_length(b);
}

void netlink_attr(struct strbuf *b, uint16_t type, const void *data, size_t n)
{
        struct nlattr a = { .nla_type = type, .nla_len = (uint16_t)(NLA_HDRLEN + n) };
        strbuf_add(b, &a, sizeof a);
        if (n > 0)
                strbuf_add(b, data, n);
        pad(b);
        update_length(b);
}

void netlink_attr_u8(struct strbuf *b, uint16_t type, uint8_t value)
{
        netlink_attr(b, type, &value, sizeof value);
}

void netlink_attr_u32(struct strbuf *b, uint16_t type, uint32_t value)
{
        netlink_attr(b, type, &value, sizeof value);
}

void netlink_attr_str(struct strbuf *b, uint16_t type, const char *text)
{
        netlink_attr(b, type, text, strlen(text) + 1);
}

size_t netlink_nest(struct strbuf *b, uint16_t type)
{
        size_t at = b->len;
        netlink_attr(b, type | NLA_F_NESTED, NULL, 0);
        return at;
}

void netlink_nest_end(struct strbuf *b, size_t nest)
{
        uint16_t len = (uint16_t)(b->len - nest);
        memcpy(b->data + nest + offsetof(struct nlattr, nla_len), &len, sizeof len);
}

bool netlink_next(const uint8_t **data, size_t *n, struct netlink_message *ret)
{
        if (*n < NLMSG_HDRLEN)
                return false;
        memcpy(&ret->header, *data, sizeof ret->header);
        size_t len = ret->header.nlmsg_len;
        if (len < NLMSG_HDRLEN || len > *n)
                return false;
        ret->payload = *data + NLMSG_HDRLEN;
        ret->n = len - NLMSG_HDRLEN;
        size_t step = MIN((size_t)NLMSG_ALIGN(len), *n);
        *data += step;
        *n -= step;
        return true;
}

void netlink_parse(const void *data, size_t n, size_t skip, struct netlink_attr *ret, size_t n_ret)
{
        const uint8_t *p = data;
        struct nlattr a;
        for (size_t i = 0; i < n_ret; i++)
                ret[i] = (struct netlink_attr){ 0 };
        for (size_t at = NLMSG_ALIGN(skip); at < n && n - at >= NLA_HDRLEN;) {
                memcpy(&a, p + at, sizeof a);
                if (a.nla_len < NLA_HDRLEN || a.nla_len > n - at)
                        return;
                size_t type = a.nla_type & NLA_TYPE_MASK;
                if (type < n_ret)
                        ret[type] = (struct netlink_attr){ p + at + NLA_HDRLEN, a.nla_len - (size_t)NLA_HDRLEN };
                at += NLA_ALIGN(a.nla_len);
        }
}

uint32_t netlink_get_u32(const struct netlink_attr *a, uint32_t fallback)
{
        if (a->data && a->n >= sizeof fallback)
                memcpy(&fallback, a->data, sizeof fallback);
        return fallback;
}

uint16_t netlink_get_u16(const struct netlink_attr *a, uint16_t fallback)
{
        if (a->data && a->n >= sizeof fallback)
                memcpy(&fallback, a->data, sizeof fallback);
        return fallback;
}

uint8_t netlink_get_u8(const struct netlink_attr *a, uint8_t fallback)
{
        return a->data && a->n >= 1 ? a->data[0] : fallback;
}

bool netlink_get_str(const struct netlink_attr *a, char *buf, size_t size)
{
        size_t n = a->data ? strnlen((const char *)a->data, a->n) : size;
        if (n >= size)
                return false;
        memcpy(buf, a->data, n);
        buf[n] = '\0';
        return true;
}

int netlink_open(int protocol, int extra_socket_flags)
{
        int one = 1;
        struct timeval timeout = { .tv_sec = CALL_TIMEOUT_S };
        struct sockaddr_nl any = { .nl_family = AF_NETLINK };
        int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | extra_socket_flags, protocol);
        if (fd < 0)
                return -errno;
        setsockopt(fd, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof one);
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &timeout, sizeof timeout);
        /* Unbound, its port is 0, which is the kernel's: it would be passed over when the kernel tells a group. */
        if (bind(fd, (struct sockaddr *)&any, sizeof any) < 0) {
                fd_close(fd);
                return -errno;
        }
        return fd;
}

static int send_message(int fd, struct strbuf *message, uint32_t seq)
{
        struct nlmsghdr h;
        memcpy(&h, message->data, sizeof h);
        h.nlmsg_seq = seq;
        /* The two bits of "dump" alone mean "replace" and "exclusive" to a request that makes something. */
        if ((h.nlmsg_flags & NLM_F_DUMP) != NLM_F_DUMP)
                h.nlmsg_flags |= NLM_F_ACK;
        memcpy(message->data, &h, sizeof h);
        ssize_t n;
        do
                n = send(fd, message->data, message->len, 0);
        while (n < 0 && errno == EINTR);
        return n < 0 ? -errno : 0;
}

/* 1: the answer is complete, *ret_r says how. */
static int take_answer(const struct netlink_message *m, uint32_t seq, netlink_fn fn, void *data, int *ret_r)
{
        int code;
        if (m->header.nlmsg_seq != seq)
                return 0;
        if (m->header.nlmsg_type == NLMSG_ERROR || m->header.nlmsg_type == NLMSG_DONE) {
                if (m->n < sizeof code)
                        return *ret_r = -EBADMSG, 1;
                memcpy(&code, m->payload, sizeof code);
                if (code < 0)
                        *ret_r = code;
                return 1;
        }
        int r = fn ? fn(m, data) : 0;
        if (r < 0 && *ret_r == 0)
                *ret_r = r;
        return 0;
}

int netlink_call(int fd, struct strbuf *message, netlink_fn fn, void *data)
{
        static uint32_t last_seq;
        uint32_t seq = ++last_seq;
        _cleanup_free_ uint8_t *buf = xmalloc(RECEIVE_SIZE);
        int result = 0, r = send_message(fd, message, seq);
        if (r < 0)
                return r;
        for (;;) {
                ssize_t got = recv(fd, buf, RECEIVE_SIZE, 0);
                if (got < 0 && errno == EINTR)
                        continue;
                if (got < 0)
                        return errno == EAGAIN ? -ETIMEDOUT : -errno;
                const uint8_t *p = buf;
                size_t n = (size_t)got;
                struct netlink_message m;
                while (netlink_next(&p, &n, &m))
                        if (take_answer(&m, seq, fn, data, &result) == 1)
                                return result;
        }
}
