/* SPDX-License-Identifier: Apache-2.0 */
/*
 * File descriptors: scope-bound closing, whole reads and writes, passing over unix sockets.
 * -EBADF (any negative value) means "no descriptor". Everything opened here is close-on-exec.
 */
#pragma once

#include "base/macros.h"
#include "base/strbuf.h"
#include <errno.h>
#include <sys/types.h>

#define _cleanup_close_ _cleanup_(fd_closep)

void fd_close(int fd); /* keeps errno; a negative fd is fine */
static inline void fd_closep(int *fd)
{
        fd_close(*fd);
}
/* Closes *fd and leaves -EBADF there. */
void fd_reset(int *fd);

int fd_set_nonblocking(int fd, bool is_nonblocking);
int fd_set_cloexec(int fd, bool is_cloexec);

/* Blocking; retry on EINTR and short transfers. Return 0 or -errno; fd_read_exact gives -ENODATA at an early end. */
int fd_write_all(int fd, const void *data, size_t n);
int fd_read_exact(int fd, void *data, size_t n);
/* Reads to the end of file, at most max bytes (-EFBIG beyond). */
int fd_read_to_end(int fd, struct strbuf *out, size_t max);

/* A sealed, read-only memfd holding the bytes, offset 0: how arguments reach a worker. fd or -errno. */
int fd_memfd_sealed(const char *name, const void *data, size_t n);

/* A pair of pipe ends, close-on-exec. */
int fd_pipe(int *ret_read, int *ret_write);

#define FD_PASS_MAX 16
/* One message with up to FD_PASS_MAX descriptors over a unix socket. Bytes moved or -errno. */
ssize_t fd_send_with_fds(int sock, const void *data, size_t n, const int *fds, size_t n_fds);
/* *n_fds in: room, out: received (close-on-exec). A message cut short or with too many fds gives -EMSGSIZE. */
ssize_t fd_recv_with_fds(int sock, void *data, size_t n, int *ret_fds, size_t *n_fds);

/* bind/connect to a unix socket of type SOCK_STREAM or SOCK_SEQPACKET whose path may be longer than sun_path. */
int fd_unix_listen(const char *path, int type, mode_t mode);
int fd_unix_connect(const char *path, int type);
