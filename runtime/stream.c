/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/stream.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/worker.h"

#include <fcntl.h>
#include <unistd.h>

#define PIECE KiB(256)
#define PIPE_SIZE MiB(1)

/* A pipe of 64 KiB would mean a switch of process every 64 KiB; what is not a pipe refuses, which is fine. */
static void enlarge(int fd)
{
        (void)!fcntl(fd, F_SETPIPE_SZ, (int)PIPE_SIZE);
}

/* 1: at the end or the limit; 0: not possible between these two; or -errno. */
static int copy_by_splice(int from, int to, uint64_t max, uint64_t *moved)
{
        while (*moved < max) {
                size_t want = (size_t)MIN(max - *moved, PIPE_SIZE);
                ssize_t n = splice(from, NULL, to, NULL, want, SPLICE_F_MOVE | SPLICE_F_MORE);
                if (worker_is_cancelled())
                        return -ECANCELED;
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return errno == EINVAL || errno == ENOSYS ? 0 : -errno;
                if (n == 0)
                        return 1;
                *moved += (uint64_t)n;
        }
        return 1;
}

static int copy_by_hand(int from, int to, uint64_t max, uint64_t *moved)
{
        _cleanup_free_ char *piece = xmalloc(PIECE);
        while (*moved < max) {
                ssize_t n = read(from, piece, (size_t)MIN(max - *moved, PIECE));
                if (worker_is_cancelled())
                        return -ECANCELED;
                if (n < 0 && errno == EINTR)
                        continue;
                if (n <= 0)
                        return n < 0 ? -errno : 0;
                int r = fd_write_all(to, piece, (size_t)n);
                if (r < 0)
                        return r;
                *moved += (uint64_t)n;
        }
        return 0;
}

int stream_copy(int from, int to, uint64_t max, uint64_t *ret_moved)
{
        *ret_moved = 0;
        enlarge(from);
        enlarge(to);
        int r = copy_by_splice(from, to, max, ret_moved);
        return r == 0 ? copy_by_hand(from, to, max, ret_moved) : MIN(r, 0);
}
