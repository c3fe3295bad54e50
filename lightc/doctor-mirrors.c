/* SPDX-License-Identifier: Apache-2.0 */
/* Where images are built from: the mirrors of apt's sources, or the proxy that stands before them, all tried at once. */
#include "lightc/doctor.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/time.h"

#include <dirent.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define REACH_MS 3000

/* "http://host[:port]/" in a line. */
static bool parse_url(const char *text, struct mirror *ret)
{
        const char *http = strstr(text, "http://"), *https = strstr(text, "https://");
        const char *start = https ? https + 8 : http ? http + 7 : NULL;
        size_t n = start ? strcspn(start, ":/ \t\n\"") : 0;
        if (n == 0 || n >= sizeof ret->host)
                return false;
        *ret = (struct mirror){ 0 };
        memcpy(ret->host, start, n);
        snprintf(ret->port, sizeof ret->port, "%s", https ? "443" : "80");
        if (start[n] == ':')
                snprintf(ret->port, sizeof ret->port, "%ld", strtol(start + n + 1, NULL, 10) & 0xffff);
        return true;
}

static void add(struct doctor *d, const struct mirror *m)
{
        for (size_t i = 0; i < d->n_mirrors; i++)
                if (streq(d->mirrors[i].host, m->host) && streq(d->mirrors[i].port, m->port))
                        return;
        if (d->n_mirrors < MIRRORS_MAX)
                d->mirrors[d->n_mirrors++] = *m;
}

static void add_of_file(struct doctor *d, const char *path)
{
        _cleanup_free_ char *text = xstrdup(doctor_read(d, path));
        char *rest = text;
        struct mirror m;
        for (char *line; (line = strsep(&rest, "\n"));)
                if ((str_starts(line, "deb ") || str_starts(line, "URIs:")) && parse_url(line, &m))
                        add(d, &m);
}

/* Acquire::http::Proxy "http://host:port"; the mirrors need not be reached then. */
static bool find_proxy(const struct doctor *d, const char *path, struct mirror *ret)
{
        _cleanup_free_ char *text = xstrdup(doctor_read(d, path));
        char *rest = text;
        for (char *line; (line = strsep(&rest, "\n"));)
                if (line[strspn(line, " \t")] == 'A' && strcasestr(line, "Acquire::http::Proxy ") && parse_url(line, ret)) {
                        ret->is_proxy = true;
                        return true;
                }
        return false;
}

static bool has_suffix(const char *name, const char *a, const char *b)
{
        return str_ends(name, a) || str_ends(name, b);
}

void doctor_find_mirrors(struct doctor *d)
{
        struct mirror proxy;
        bool has_proxy = find_proxy(d, "/etc/apt/apt.conf", &proxy);
        static const char *const dirs[] = { "/etc/apt/apt.conf.d", "/etc/apt/sources.list.d" };
        for (size_t k = 0; k < ARRAY_SIZE(dirs); k++) {
                _cleanup_free_ char *whole = xasprintf("%s%s", d->root, dirs[k]);
                DIR *dir = opendir(whole);
                for (struct dirent *e; dir && (e = readdir(dir));) {
                        _cleanup_free_ char *path = xasprintf("%s/%s", dirs[k], e->d_name);
                        if (k == 0)
                                has_proxy = has_proxy || find_proxy(d, path, &proxy);
                        else if (has_suffix(path, ".list", ".sources"))
                                add_of_file(d, path);
                }
                if (dir)
                        closedir(dir);
        }
        add_of_file(d, "/etc/apt/sources.list");
        if (has_proxy && d->n_mirrors) {
                d->n_mirrors = 1;
                d->mirrors[0] = proxy;
        }
}

static int connect_one(const struct addrinfo *a)
{
        _cleanup_close_ int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        struct pollfd p = { .fd = fd, .events = POLLOUT };
        int e = 0;
        socklen_t n = sizeof e;
        if (fd < 0 || (connect(fd, a->ai_addr, a->ai_addrlen) < 0 && errno != EINPROGRESS))
                return errno;
        if (poll(&p, 1, REACH_MS) <= 0)
                return ETIMEDOUT;
        return getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &n) < 0 ? errno : e;
}

static int reach(void *data)
{
        const struct mirror *m = data;
        struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
        int e = ENOENT;
        if (getaddrinfo(m->host, m->port, &hints, &list) != 0)
                return ENOENT;
        for (const struct addrinfo *a = list; a && e; a = a->ai_next)
                e = connect_one(a);
        freeaddrinfo(list);
        return e;
}

/* A resolver waits longer than a person: each mirror has a child, and all of them together REACH_MS. */
void doctor_reach_mirrors(struct doctor *d)
{
        pid_t children[MIRRORS_MAX];
        uint64_t end = time_monotonic_ms() + REACH_MS;
        fflush(NULL);
        for (size_t i = 0; i < d->n_mirrors; i++) {
                children[i] = fork();
                if (children[i] == 0)
                        _exit(reach(&d->mirrors[i]));
        }
        for (size_t i = 0; i < d->n_mirrors; i++) {
                uint64_t now = time_monotonic_ms();
                d->mirrors[i].error = children[i] < 0 ? EAGAIN : doctor_wait(children[i], now < end ? (int)(end - now) : 0);
        }
}

static bool look_mirror(const struct doctor *d, size_t k, struct finding *f)
{
        if (k == 0 && d->n_mirrors == 0) {
                finding_set(f, VERDICT_WARN, "apt has no mirror over http: \"debian:12\" cannot be built");
                finding_fix(f, "write one into /etc/apt/sources.list");
                return true;
        }
        if (k >= d->n_mirrors)
                return false;
        const struct mirror *m = &d->mirrors[k];
        snprintf(f->subject, sizeof f->subject, "%.79s", m->host);
        if (m->error == 0) {
                finding_set(f, VERDICT_OK, "%s answers", m->is_proxy ? "apt's proxy" : "it");
                return true;
        }
        finding_set(f, VERDICT_WARN, "%s %s", m->is_proxy ? "apt's proxy" : "it",
                    m->error == ENOENT ? "has no address" : m->error == ETIMEDOUT ? "does not answer in time" : "does not answer");
        finding_fix(f, "apt-get update says more; a proxy of apt's is used for images, too");
        return true;
}

const struct check doctor_mirror_checks[] = {
        { .name = "mirrors", .means = "where Debian images come from", .look_each = look_mirror },
        { 0 },
};
