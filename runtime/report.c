/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/report.h"
#include "base/fd.h"

#include <stdio.h>
#include <sys/socket.h>

struct packet {
        int kind;
        pid_t pid;
        int error_code;
        char message[1024], hint[256];
};

int report_pair(int ret_socks[static 2])
{
        return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ret_socks) < 0 ? -errno : 0;
}

int report_send(int sock, enum report_kind kind, pid_t pid, int fd)
{
        struct packet p = { .kind = kind, .pid = pid };
        ssize_t n = fd_send_with_fds(sock, &p, offsetof(struct packet, message), &fd, fd >= 0 ? 1 : 0);
        return n < 0 ? (int)n : 0;
}

void report_error(int sock, int r, const struct error *err)
{
        struct packet p = { .kind = REPORT_ERROR,
                            .error_code =
                                    (int)(err->code == ERR_NONE ? error_code_from_errno(r) : err->code) };
        snprintf(p.message, sizeof p.message, "%s", err->message ? err->message : strerror(-r));
        snprintf(p.hint, sizeof p.hint, "%s", err->hint ? err->hint : "");
        (void)!fd_send_with_fds(sock, &p, sizeof p, NULL, 0);
}

static int take_error(const struct packet *p, struct error *err)
{
        int r = error_set(err, (enum error_code)p->error_code, "%.*s", (int)sizeof p->message - 1,
                          p->message);
        if (p->hint[0])
                error_hint(err, "%.*s", (int)sizeof p->hint - 1, p->hint);
        return r;
}

int report_receive(int sock, struct report *ret, struct error *err)
{
        struct packet p = { 0 };
        int fd = -EBADF;
        size_t n_fds = 1;
        ssize_t n = fd_recv_with_fds(sock, &p, sizeof p, &fd, &n_fds);
        if (n == -ECONNRESET) {
                /* Said once, before what is still queued, of a peer that left without reading all of ours. */
                n_fds = 1;
                n = fd_recv_with_fds(sock, &p, sizeof p, &fd, &n_fds);
        }
        if (n == 0)
                return 0;
        if (n < 0)
                return (int)n;
        if (p.kind == REPORT_ERROR)
                return take_error(&p, err);
        *ret = (struct report){ .kind = (enum report_kind)p.kind, .pid = p.pid, .fd = n_fds ? fd : -EBADF };
        return 1;
}

int report_await(int sock, enum report_kind order)
{
        struct report report;
        int r = report_receive(sock, &report, NULL);
        if (r < 0)
                return r;
        if (r == 0 || report.kind != order)
                return -ECANCELED;
        fd_close(report.fd);
        return 0;
}
