/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/console.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/time.h"
#include "runtime/monitor-protocol.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#define LOG_BYTES_MAX MiB(1)
#define VIEWER_BUFFER_BYTES (256 * 1024)
#define VIEWER_PATIENCE_MS 5000

static int open_log(struct console *c, const char *path)
{
        struct stat st;
        _cleanup_close_ int fd =
                open(path, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, 0600);
        if (fd < 0 || fstat(fd, &st) < 0)
                return -errno;
        c->log_bytes = st.st_size;
        c->log_fd = TAKE_FD(fd);
        return 0;
}

int console_init(struct console *c, int take_master, const char *log_path)
{
        *c = CONSOLE_INIT;
        c->master = take_master;
        c->slave = ioctl(c->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (c->slave < 0)
                return -errno;
        return log_path ? open_log(c, log_path) : 0;
}

void console_done(struct console *c)
{
        int fds[] = { c->master, c->slave, c->log_fd, c->viewer };
        for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
                fd_close(fds[i]);
        if (c->ring)
                munmap(c->ring, MONITOR_RING_BYTES);
        *c = CONSOLE_INIT;
}

static void add_to_ring(struct console *c, const char *data, size_t n)
{
        if (!c->ring) {
                c->ring = mmap(NULL, MONITOR_RING_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
                               -1, 0);
                if (c->ring == MAP_FAILED)
                        abort();
        }
        for (size_t i = 0; i < n; i++) {
                c->ring[c->ring_end] = data[i];
                c->ring_end = (c->ring_end + 1) % MONITOR_RING_BYTES;
        }
        c->ring_bytes = MIN(c->ring_bytes + n, (size_t)MONITOR_RING_BYTES);
}

/* A guest that talks without end must not fill the host's disk: past its cap the file begins anew. */
static void add_to_log(struct console *c, const char *data, size_t n)
{
        if (c->log_fd < 0)
                return;
        if (c->log_bytes + (off_t)n > (off_t)LOG_BYTES_MAX) {
                if (ftruncate(c->log_fd, 0) < 0)
                        return;
                c->log_bytes = 0;
        }
        if (fd_write_all(c->log_fd, data, n) == 0)
                c->log_bytes += (off_t)n;
}

void console_detach(struct console *c)
{
        fd_reset(&c->viewer);
        c->n_to_viewer = c->n_to_guest = 0;
        c->stalled_since_ms = 0;
}

/* What the viewer does not take keeps the guest's output waiting, like a slow terminal; but not for ever. */
static void flush_to_viewer(struct console *c)
{
        if (c->viewer < 0 || c->n_to_viewer == 0)
                return;
        ssize_t n = send(c->viewer, c->to_viewer, c->n_to_viewer, MSG_DONTWAIT | MSG_NOSIGNAL);
        uint64_t now = time_monotonic_ms();
        if (n > 0) {
                c->n_to_viewer -= (size_t)n;
                memmove(c->to_viewer, c->to_viewer + n, c->n_to_viewer);
                c->stalled_since_ms = c->n_to_viewer ? now : 0;
        } else if (errno != EAGAIN ||
                   (c->stalled_since_ms && now - c->stalled_since_ms > VIEWER_PATIENCE_MS)) {
                console_detach(c);
        } else if (!c->stalled_since_ms) {
                c->stalled_since_ms = now;
        }
}

static bool read_guest(struct console *c)
{
        char chunk[CONSOLE_CHUNK];
        ssize_t n = read(c->master, chunk, sizeof chunk);
        if (n <= 0)
                return false;
        add_to_ring(c, chunk, (size_t)n);
        add_to_log(c, chunk, (size_t)n);
        if (c->viewer >= 0) {
                memcpy(c->to_viewer, chunk, (size_t)n);
                c->n_to_viewer = (size_t)n;
                flush_to_viewer(c);
        }
        return true;
}

static void flush_to_guest(struct console *c)
{
        if (c->n_to_guest == 0)
                return;
        ssize_t n = write(c->master, c->to_guest, c->n_to_guest);
        if (n > 0) {
                c->n_to_guest -= (size_t)n;
                memmove(c->to_guest, c->to_guest + n, c->n_to_guest);
        }
}

static void read_viewer(struct console *c)
{
        ssize_t n = recv(c->viewer, c->to_guest, sizeof c->to_guest, MSG_DONTWAIT);
        if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) {
                console_detach(c);
                return;
        }
        if (n > 0) {
                c->n_to_guest = (size_t)n;
                flush_to_guest(c);
        }
}

int console_poll(const struct console *c, struct pollfd p[static CONSOLE_POLL_FDS])
{
        short guest = (short)((c->n_to_viewer ? 0 : POLLIN) | (c->n_to_guest ? POLLOUT : 0));
        short viewer = (short)((c->n_to_guest ? 0 : POLLIN) | (c->n_to_viewer ? POLLOUT : 0));
        p[0] = (struct pollfd){ .fd = c->master, .events = guest };
        p[1] = (struct pollfd){ .fd = c->viewer, .events = viewer };
        return c->stalled_since_ms ? VIEWER_PATIENCE_MS : -1;
}

void console_event(struct console *c, const struct pollfd p[static CONSOLE_POLL_FDS])
{
        flush_to_viewer(c);
        flush_to_guest(c);
        if ((p[0].revents & POLLIN) && c->n_to_viewer == 0)
                read_guest(c);
        if ((p[1].revents & (POLLIN | POLLHUP | POLLERR)) && c->viewer >= 0 && c->n_to_guest == 0)
                read_viewer(c);
}

void console_drain(struct console *c)
{
        /* A terminal holds 64 KiB at most; a surviving process of the guest must not keep us here. */
        for (int i = 0; i < 32 && c->master >= 0 && read_guest(c); i++)
                ;
}

static void copy_ring(const struct console *c, char *to)
{
        size_t start = (c->ring_end + MONITOR_RING_BYTES - c->ring_bytes) % MONITOR_RING_BYTES;
        size_t first = MIN(c->ring_bytes, (size_t)MONITOR_RING_BYTES - start);
        memcpy(to, c->ring + start, first);
        memcpy(to + first, c->ring, c->ring_bytes - first);
}

int console_attach(struct console *c, size_t *ret_ring_bytes)
{
        int pair[2], room = VIEWER_BUFFER_BYTES;
        _cleanup_free_ char *text = xmalloc(MONITOR_RING_BYTES);
        if (c->ring_bytes)
                copy_ring(c, text);
        if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
                return -errno;
        _cleanup_close_ int ours = pair[0], theirs = pair[1];
        setsockopt(ours, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
        /* The buffer holds more than the ring: this does not wait. */
        int r = c->ring_bytes ? fd_write_all(ours, text, c->ring_bytes) : 0;
        if (r == 0)
                r = fd_set_nonblocking(ours, true);
        if (r < 0)
                return r;
        console_detach(c);
        c->viewer = TAKE_FD(ours);
        *ret_ring_bytes = c->ring_bytes;
        return TAKE_FD(theirs);
}

int console_resize(struct console *c, unsigned width, unsigned height)
{
        struct winsize size = { .ws_col = (unsigned short)width, .ws_row = (unsigned short)height };
        if (width == 0 || height == 0 || width > UINT16_MAX || height > UINT16_MAX)
                return -EINVAL;
        return ioctl(c->master, TIOCSWINSZ, &size) < 0 ? -errno : 0;
}

int console_log(const struct console *c)
{
        _cleanup_free_ char *text = xmalloc(MONITOR_RING_BYTES);
        if (c->ring_bytes)
                copy_ring(c, text);
        return fd_memfd_sealed("console", text, c->ring_bytes);
}

void console_clear(struct console *c)
{
        c->ring_bytes = c->ring_end = 0;
        if (c->log_fd >= 0 && ftruncate(c->log_fd, 0) == 0)
                c->log_bytes = 0;
}
