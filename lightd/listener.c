/* SPDX-License-Identifier: Apache-2.0 */
#include "lightd/listener.h"
#include "lightd/connection.h"
#include "lightd/linger.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/log.h"

#include <fcntl.h>
#include <libwebsockets.h>
#include <stdio.h>
#include <sys/socket.h>

#define READ_BUFFER (256 * 1024)
#define ACCEPT_BURST 64

struct listener {
        struct server *server;
        int fd;
        struct watch *watch;
        struct lws_context *context;
        struct lws_vhost *vhost;
        struct list peers;
        size_t n_peers;
};

/* One accepted socket: what lws knows (wsi) beside what the codec knows (conn). */
struct peer {
        struct list node;
        struct listener *listener;
        struct lws *wsi;
        struct conn *conn;
        bool is_closing;
};

static ssize_t peer_write(void *handle, const struct iovec *iov, int n)
{
        struct peer *p = handle;
        struct msghdr msg = { .msg_iov = (struct iovec *)iov, .msg_iovlen = (size_t)n };
        /* Not lws_write(): it copies what the peer does not take at once, and cannot gather header and payload. */
        ssize_t k = sendmsg(lws_get_socket_fd(p->wsi), &msg, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (k < 0)
                return errno == EINTR || errno == EWOULDBLOCK ? -EAGAIN : -errno;
        return k;
}

static void peer_want_write(void *handle)
{
        struct peer *p = handle;
        lws_callback_on_writable(p->wsi);
}

static void peer_pause(void *handle, bool is_paused)
{
        struct peer *p = handle;
        lws_rx_flow_control(p->wsi, is_paused ? 0 : 1);
}

static void peer_close(void *handle)
{
        struct peer *p = handle;
        p->is_closing = true;
        lws_set_timeout(p->wsi, PENDING_TIMEOUT_CLOSE_SEND, LWS_TO_KILL_ASYNC);
}

static int peer_open_socket(void *handle)
{
        struct peer *p = handle;
        int fd = fcntl(lws_get_socket_fd(p->wsi), F_DUPFD_CLOEXEC, 3);
        return fd < 0 ? -errno : fd;
}

static const struct transport lws_transport = {
        .write = peer_write,
        .want_write = peer_want_write,
        .pause = peer_pause,
        .close = peer_close,
        .open_socket = peer_open_socket,
};

static void peer_gone(struct peer *p)
{
        list_remove(&p->node);
        p->listener->n_peers--;
        conn_lost(p->conn);
        free(p);
}

static int on_lws(struct lws *wsi, enum lws_callback_reasons reason, void *user _unused_, void *in, size_t len)
{
        struct peer *p = wsi ? lws_get_opaque_user_data(wsi) : NULL;
        if (!p)
                return 0;
        switch (reason) {
        case LWS_CALLBACK_RAW_RX:
                conn_receive(p->conn, in, len);
                linger(p->listener->server->loop);
                return p->is_closing ? -1 : 0;
        case LWS_CALLBACK_RAW_WRITEABLE:
                conn_writable(p->conn);
                return p->is_closing ? -1 : 0;
        case LWS_CALLBACK_RAW_CLOSE:
                lws_set_opaque_user_data(wsi, NULL);
                peer_gone(p);
                return 0;
        default:
                return 0;
        }
}

static const struct lws_protocols protocols[] = {
        { .name = "api", .callback = on_lws, .rx_buffer_size = READ_BUFFER },
        { 0 },
};

static int create_context(struct listener *l)
{
        void *loops[] = { l->server->loop };
        struct lws_context_creation_info ci = {
                .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS | LWS_SERVER_OPTION_LIBUV,
                .foreign_loops = loops,
                .pt_serv_buf_size = READ_BUFFER,
                .gid = -1,
                .uid = -1,
        };
        struct lws_context_creation_info vi = {
                .vhost_name = "api",
                .port = CONTEXT_PORT_NO_LISTEN_SERVER,
                .protocols = protocols,
        };
        lws_set_log_level(LLL_ERR, NULL);
        l->context = lws_create_context(&ci);
        l->vhost = l->context ? lws_create_vhost(l->context, &vi) : NULL;
        return l->vhost ? 0 : -EIO;
}

/* Whoever may open the socket administers the server: its mode and group are the door (design: unix socket). */
static int identify(int fd, struct identity *ret)
{
        struct ucred cred;
        socklen_t n = sizeof cred;
        if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &n) < 0)
                return -errno;
        *ret = (struct identity){ .protocol = "unix", .uid = cred.uid, .is_trusted = true, .is_admin = true };
        if (cred.uid == 0)
                snprintf(ret->text, sizeof ret->text, "root");
        else
                snprintf(ret->text, sizeof ret->text, "uid %u", cred.uid);
        return 0;
}

static void adopt(struct listener *l, int take_fd)
{
        struct identity who;
        lws_sock_file_fd_type u = { .sockfd = take_fd };
        if (identify(take_fd, &who) < 0) {
                fd_close(take_fd);
                return;
        }
        struct lws *wsi = lws_adopt_descriptor_vhost(l->vhost, LWS_ADOPT_SOCKET, u, "api", NULL);
        if (!wsi)
                return; /* lws has closed it */
        /* lws arms a handshake timeout on adopted sockets and never clears it for raw ones */
        lws_set_timeout(wsi, NO_PENDING_TIMEOUT, 0);
        struct peer *p = xnew(struct peer);
        p->listener = l;
        p->wsi = wsi;
        p->conn = conn_new(l->server, &who, &lws_transport, p);
        list_append(&l->peers, &p->node);
        l->n_peers++;
        lws_set_opaque_user_data(wsi, p);
}

static void on_accept(void *data, int fd, int events _unused_)
{
        struct listener *l = data;
        for (int i = 0; i < ACCEPT_BURST; i++) {
                int peer = accept4(fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
                if (peer < 0) {
                        if (errno == EMFILE || errno == ENFILE)
                                log_warning("a client was not accepted: %s", strerror(errno));
                        return;
                }
                adopt(l, peer);
        }
}

struct listener *listener_new_unix(struct server *s, int take_fd)
{
        struct listener *l = xnew(struct listener);
        l->server = s;
        l->fd = take_fd;
        list_init(&l->peers);
        if (create_context(l) < 0) {
                fd_close(take_fd);
                free(l);
                return NULL;
        }
        fd_set_nonblocking(take_fd, true);
        l->watch = watch_start(s, take_fd, UV_READABLE, on_accept, l);
        return l;
}

void listener_stop(struct listener *l)
{
        watch_stop(TAKE_PTR(l->watch));
        fd_reset(&l->fd);
}

size_t listener_connections(const struct listener *l)
{
        return l->n_peers;
}

void listener_shutdown_connections(struct listener *l)
{
        struct peer *p;
        list_for_each (p, &l->peers, node)
                conn_shutdown(p->conn);
}

void listener_free(struct listener *l)
{
        if (!l)
                return;
        listener_stop(l);
        /* With a foreign loop the first call closes the handles, the loop lets them go, the second frees. */
        lws_context_destroy(l->context);
        for (int i = 0; i < 100 && uv_run(l->server->loop, UV_RUN_NOWAIT); i++)
                ;
        lws_context_destroy(l->context);
        free(l);
}
