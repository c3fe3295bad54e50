/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bench-load SOCKET CONNECTIONS SECONDS PATH: GET requests over keep-alive connections to a unix socket, one in flight
 * on each. Prints requests, seconds, requests a second, p50 and p99 in microseconds, bytes of an answer. An answer
 * other than 200 ends it with status 1. One thread: with a server of one thread the two share the cores evenly.
 */
#include "base/alloc.h"
#include "base/fd.h"
#include "base/units.h"

#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CONNECTIONS_MAX 256
#define SAMPLES_MAX 4000000
#define HEAD_MAX 4096

struct link {
        char head[HEAD_MAX + 1]; /* what has come of the answer's head, and of the body behind it */
        size_t n_head;
        bool has_head, is_chunked;
        uint64_t left;  /* bytes of the body still to come, when its length is known */
        char tail[5];   /* the last bytes seen of a chunked body */
        uint64_t since_ns;
};

struct load {
        char *request;
        struct pollfd fds[CONNECTIONS_MAX];
        struct link links[CONNECTIONS_MAX];
        size_t n_links, n_samples, n_bytes;
        uint32_t *samples; /* microseconds */
};

static uint64_t now_ns(void)
{
        struct timespec t;
        clock_gettime(CLOCK_MONOTONIC, &t);
        return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

_noreturn_ static void die(const char *what)
{
        fprintf(stderr, "bench-load: %s\n", what);
        exit(1);
}

static void ask(struct load *l, size_t i)
{
        struct link *k = &l->links[i];
        k->n_head = 0;
        k->has_head = k->is_chunked = false;
        k->left = 0;
        memset(k->tail, 0, sizeof k->tail);
        k->since_ns = now_ns();
        if (fd_write_all(l->fds[i].fd, l->request, strlen(l->request)) < 0)
                die("the server took no request");
}

/* Remembers the last five bytes: "0\r\n\r\n" ends a chunked body (JSON text cannot hold it: a CR is escaped). */
static bool ends_chunks(struct link *k, const char *data, size_t n)
{
        size_t keep = n >= 5 ? 0 : 5 - n, take = n >= 5 ? 5 : n;
        memmove(k->tail, k->tail + 5 - keep, keep);
        memcpy(k->tail + keep, data + n - take, take);
        return !memcmp(k->tail, "0\r\n\r\n", 5);
}

/* True when the answer is whole. */
static bool take_body(struct link *k, const char *data, size_t n)
{
        if (k->is_chunked)
                return n && ends_chunks(k, data, n);
        if (n > k->left)
                die("more bytes than the answer's length says");
        k->left -= n;
        return k->left == 0;
}

static bool take_head(struct link *k, const char *data, size_t n)
{
        if (k->n_head + n > HEAD_MAX)
                n = HEAD_MAX - k->n_head;
        memcpy(k->head + k->n_head, data, n);
        k->n_head += n;
        k->head[k->n_head] = 0;
        return strstr(k->head, "\r\n\r\n");
}

static void read_head(struct link *k)
{
        const char *length = strcasestr(k->head, "\r\nContent-Length:");
        if (strncmp(k->head, "HTTP/1.1 200", 12) != 0)
                die(k->head);
        k->has_head = true;
        k->is_chunked = strcasestr(k->head, "\r\nTransfer-Encoding: chunked");
        if (length)
                k->left = strtoull(length + 17, NULL, 10);
        else if (!k->is_chunked)
                die("the answer has no length");
}

static bool take(struct link *k, const char *data, size_t n)
{
        if (k->has_head)
                return take_body(k, data, n);
        size_t before = k->n_head;
        if (!take_head(k, data, n))
                return false;
        read_head(k);
        size_t in_head = (size_t)(strstr(k->head, "\r\n\r\n") + 4 - k->head) - before;
        return take_body(k, data + in_head, n - in_head);
}

static void on_readable(struct load *l, size_t i)
{
        static char buffer[MiB(1)];
        struct link *k = &l->links[i];
        ssize_t n = read(l->fds[i].fd, buffer, sizeof buffer);
        if (n <= 0)
                die("the server ended a connection");
        l->n_bytes += (size_t)n;
        if (!take(k, buffer, (size_t)n))
                return;
        if (l->n_samples < SAMPLES_MAX)
                l->samples[l->n_samples++] = (uint32_t)((now_ns() - k->since_ns) / 1000);
        ask(l, i);
}

static int by_size(const void *a, const void *b)
{
        const uint32_t *x = a, *y = b;
        return *x < *y ? -1 : *x > *y;
}

static void run(struct load *l, double seconds)
{
        uint64_t begin = now_ns(), end = begin + (uint64_t)(seconds * 1e9);
        for (size_t i = 0; i < l->n_links; i++)
                ask(l, i);
        /* A slow server still gets to answer once, or its rate would read as nothing. */
        while (now_ns() < end || !l->n_samples) {
                if (poll(l->fds, l->n_links, 60000) <= 0)
                        die("no answer within a minute");
                for (size_t i = 0; i < l->n_links; i++)
                        if (l->fds[i].revents)
                                on_readable(l, i);
        }
        double took = (double)(now_ns() - begin) / 1e9;
        qsort(l->samples, l->n_samples, sizeof *l->samples, by_size);
        printf("%zu %.3f %.2f %u %u %zu\n", l->n_samples, took, (double)l->n_samples / took,
               l->samples[l->n_samples / 2], l->samples[l->n_samples * 99 / 100], l->n_bytes / l->n_samples);
}

int main(int argc, char **argv)
{
        uint64_t n = 0;
        if (argc != 5 || units_parse_uint(argv[2], CONNECTIONS_MAX, &n) < 0 || n == 0)
                die("usage: bench-load SOCKET CONNECTIONS SECONDS PATH");
        struct load *l = xnew(struct load);
        l->request = xasprintf("GET %s HTTP/1.1\r\nHost: bench\r\n\r\n", argv[4]);
        l->n_links = n;
        l->samples = xnew_array(uint32_t, SAMPLES_MAX);
        for (size_t i = 0; i < n; i++) {
                l->fds[i] = (struct pollfd){ .fd = fd_unix_connect(argv[1], SOCK_STREAM), .events = POLLIN };
                if (l->fds[i].fd < 0)
                        die("nobody listens there");
        }
        run(l, strtod(argv[3], NULL));
        free(l->samples);
        free(l->request);
        free(l);
        return 0;
}
