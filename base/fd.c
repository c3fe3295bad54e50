/* SPDX-License-Identifier: Apache-2.0 */
#include "base/fd.h"

#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

void fd_close(int fd)
{
        if (fd < 0)
                return;
        int saved = errno;
        close(fd);
        errno = saved;
}

void fd_reset(int *fd)
{
        fd_close(*fd);
        *fd = -EBADF;
}

static int set_flag(int fd, int get, int set, int flag, bool on)
{
        int flags = fcntl(fd, get);
        if (flags < 0)
                return -errno;
        flags = on ? flags | flag : flags & ~flag;
        return fcntl(fd, set, flags) < 0 ? -errno : 0;
}

int fd_set_nonblocking(int fd, bool is_nonblocking)
{
        return set_flag(fd, F_GETFL, F_SETFL, O_NONBLOCK, is_nonblocking);
}

int fd_set_cloexec(int fd, bool is_cloexec)
{
        return set_flag(fd, F_GETFD, F_SETFD, FD_CLOEXEC, is_cloexec);
}

int fd_write_all(int fd, const void *data, size_t n)
{
        for (const char *p = data; n;) {
                ssize_t k = write(fd, p, n);
                if (k < 0 && errno == EINTR)
                        continue;
                if (k < 0)
                        return -errno;
                p += k;
                n -= (size_t)k;
        }
        return 0;
}

int fd_read_exact(int fd, void *data, size_t n)
{
        for (char *p = data; n;) {
                ssize_t k = read(fd, p, n);
                if (k < 0 && errno == EINTR)
                        continue;
                if (k < 0)
                        return -errno;
                if (k == 0)
                        return -ENODATA;
                p += k;
                n -= (size_t)k;
        }
        return 0;
}

int fd_read_to_end(int fd, struct strbuf *out, size_t max)
{
        size_t start = out->len;
        for (;;) {
                char *to = strbuf_reserve(out, 16384);
                if (!to)
                        return -EFBIG;
                ssize_t k = read(fd, to, 16384);
                if (k < 0 && errno == EINTR)
                        continue;
                if (k < 0)
                        return -errno;
                out->len += (size_t)k;
                out->data[out->len] = '\0';
                if (out->len - start > max)
                        return -EFBIG;
                if (k == 0)
                        return 0;
        }
}

int fd_memfd_sealed(const char *name, const void *data, size_t n)
{
        _cleanup_close_ int fd = memfd_create(name, MFD_CLOEXEC | MFD_ALLOW_SEALING);
        if (fd < 0)
                return -errno;
        int r = fd_write_all(fd, data, n);
        if (r < 0)
                return r;
        if (lseek(fd, 0, SEEK_SET) < 0 ||
            fcntl(fd, F_ADD_SEALS, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE) < 0)
                return -errno;
        return TAKE_FD(fd);
}

int fd_pipe(int *ret_read, int *ret_write)
{
        int p[2];
        if (pipe2(p, O_CLOEXEC) < 0)
                return -errno;
        *ret_read = p[0];
        *ret_write = p[1];
        return 0;
}

ssize_t fd_send_with_fds(int sock, const void *data, size_t n, const int *fds, size_t n_fds)
{
        union {
                char space[CMSG_SPACE(sizeof(int) * FD_PASS_MAX)];
                struct cmsghdr align;
        } control = { 0 };
        struct iovec iov = { .iov_base = (void *)data, .iov_len = n };
        struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1 };

        if (n_fds > FD_PASS_MAX)
                return -E2BIG;
        if (n_fds) {
                msg.msg_control = control.space;
                msg.msg_controllen = CMSG_SPACE(sizeof(int) * n_fds);
                struct cmsghdr *c = CMSG_FIRSTHDR(&msg);
                c->cmsg_level = SOL_SOCKET;
                c->cmsg_type = SCM_RIGHTS;
                c->cmsg_len = CMSG_LEN(sizeof(int) * n_fds);
                memcpy(CMSG_DATA(c), fds, sizeof(int) * n_fds);
        }
        ssize_t k;
        do
                k = sendmsg(sock, &msg, MSG_NOSIGNAL);
        while (k < 0 && errno == EINTR);
        return k < 0 ? -errno : k;
}

static size_t take_received_fds(struct msghdr *msg, int *ret_fds, size_t room, bool *ret_overflow)
{
        size_t got = 0;
        for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
                if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
                        continue;
                size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);
                for (size_t i = 0; i < n; i++) {
                        int fd;
                        memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof fd);
                        if (got < room) {
                                ret_fds[got++] = fd;
                        } else {
                                fd_close(fd);
                                *ret_overflow = true;
                        }
                }
        }
        return got;
}

ssize_t fd_recv_with_fds(int sock, void *data, size_t n, int *ret_fds, size_t *n_fds)
{
        union {
                char space[CMSG_SPACE(sizeof(int) * FD_PASS_MAX)];
                struct cmsghdr align;
        } control;
        struct iovec iov = { .iov_base = data, .iov_len = n };
        struct msghdr msg = { .msg_iov = &iov,
                              .msg_iovlen = 1,
                              .msg_control = control.space,
                              .msg_controllen = sizeof control.space };
        ssize_t k;
        do
                k = recvmsg(sock, &msg, MSG_CMSG_CLOEXEC);
        while (k < 0 && errno == EINTR);
        if (k < 0)
                return -errno;
        bool is_over = msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC);
        size_t room = n_fds ? *n_fds : 0;
        size_t got = take_received_fds(&msg, ret_fds, room, &is_over);
        if (n_fds)
                *n_fds = got;
        if (!is_over)
                return k;
        for (size_t i = 0; i < got; i++)
                fd_close(ret_fds[i]);
        if (n_fds)
                *n_fds = 0;
        return -EMSGSIZE;
}

/* sun_path holds 108 bytes; a longer path is reached through the directory's fd: /proc/self/fd/N/name. */
static int unix_address(const char *path, struct sockaddr_un *ret_addr, int *ret_dir_fd)
{
        *ret_addr = (struct sockaddr_un){ .sun_family = AF_UNIX };
        *ret_dir_fd = -EBADF;
        if (strlen(path) < sizeof ret_addr->sun_path) {
                memcpy(ret_addr->sun_path, path, strlen(path) + 1);
                return 0;
        }
        const char *slash = strrchr(path, '/');
        char dir[4096];
        if (!slash || (size_t)(slash - path) >= sizeof dir)
                return -ENAMETOOLONG;
        memcpy(dir, path, (size_t)(slash - path));
        dir[slash - path] = '\0';
        int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        int n = snprintf(ret_addr->sun_path, sizeof ret_addr->sun_path, "/proc/self/fd/%d%s", fd, slash);
        if (n < 0 || (size_t)n >= sizeof ret_addr->sun_path) {
                fd_close(fd);
                return -ENAMETOOLONG;
        }
        *ret_dir_fd = fd;
        return 0;
}

int fd_unix_listen(const char *path, int type, mode_t mode)
{
        struct sockaddr_un addr;
        _cleanup_close_ int dir = -EBADF, fd = -EBADF;
        int r = unix_address(path, &addr, &dir);
        if (r < 0)
                return r;
        fd = socket(AF_UNIX, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        if (fd < 0)
                return -errno;
        mode_t old = umask(0777 & ~mode);
        r = bind(fd, (struct sockaddr *)&addr, sizeof addr) < 0 ? -errno : 0;
        umask(old);
        if (r < 0)
                return r;
        if (listen(fd, SOMAXCONN) < 0)
                return -errno;
        return TAKE_FD(fd);
}

int fd_unix_connect(const char *path, int type)
{
        struct sockaddr_un addr;
        _cleanup_close_ int dir = -EBADF, fd = -EBADF;
        int r = unix_address(path, &addr, &dir);
        if (r < 0)
                return r;
        fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
        if (fd < 0 || connect(fd, (struct sockaddr *)&addr, sizeof addr) < 0)
                return -errno;
        return TAKE_FD(fd);
}
