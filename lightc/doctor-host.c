/* SPDX-License-Identifier: Apache-2.0 */
/* The programs, the room, the time, the mirrors and the daemon itself. */
#include "lightc/doctor.h"
#include "base/alloc.h"
#include "base/path.h"
#include "base/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

/* ---- programs ---- */

static bool find_program(struct finding *f, enum verdict without, const char *program, const char *package, const char *why)
{
        _cleanup_free_ char *path = NULL;
        if (process_find_tool(program, &path) >= 0) {
                finding_set(f, VERDICT_OK, "%s", path);
                return true;
        }
        finding_set(f, without, "%s is not installed: %s", program, why);
        finding_fix(f, "apt-get install %s", package);
        return false;
}

static int run_tool(const char *program, const char *const *argv)
{
        _cleanup_free_ char *path = NULL;
        _cleanup_close_ int pidfd = -EBADF;
        struct process_spec spec = { .argv = argv, .fds = { -EBADF, -EBADF, -EBADF }, .n_fds = 3, .cgroup_fd = -EBADF };
        int status = -1, r = process_find_tool(program, &path);
        spec.path = path;
        if (r >= 0)
                r = process_spawn(&spec, NULL, &pidfd);
        if (r >= 0)
                r = process_wait(pidfd, &status);
        return r < 0 ? r : status;
}

static void look_nft(struct client *c _unused_, struct finding *f)
{
        static const char *const argv[] = { "nft", "list", "tables", NULL };
        if (!find_program(f, VERDICT_FAIL, "nft", "nftables", "managed networks need it") || !doctor_is_root())
                return;
        if (run_tool("nft", argv) != 0) {
                finding_set(f, VERDICT_FAIL, "nft is there, and this kernel refuses it");
                finding_fix(f, "modprobe nf_tables nft_chain_nat nft_masq");
        }
}

static void look_dnsmasq(struct client *c _unused_, struct finding *f)
{
        find_program(f, VERDICT_FAIL, "dnsmasq", "dnsmasq-base", "managed networks get their addresses and names from it");
}

static void look_mmdebstrap(struct client *c _unused_, struct finding *f)
{
        find_program(f, VERDICT_WARN, "mmdebstrap", "mmdebstrap", "\"debian:12\" cannot be built, only imported images work");
}

static void look_squashfs_tools(struct client *c _unused_, struct finding *f)
{
        if (find_program(f, VERDICT_FAIL, "unsquashfs", "squashfs-tools", "squashfs images cannot be unpacked"))
                find_program(f, VERDICT_WARN, "mksquashfs", "squashfs-tools", "images cannot be built");
}

static void look_lxcfs(struct client *c _unused_, struct finding *f)
{
        struct stat st;
        if (!find_program(f, VERDICT_WARN, "lxcfs", "lxcfs", "\"free\" and \"nproc\" inside show the host's numbers"))
                return;
        if (stat("/var/lib/lxcfs/proc/meminfo", &st) < 0) {
                finding_set(f, VERDICT_WARN, "lxcfs is installed and not running: \"free\" inside shows the host's memory");
                finding_fix(f, "systemctl enable --now lxcfs");
        } else {
                f->found.len = 0;
                finding_set(f, VERDICT_OK, "running at /var/lib/lxcfs");
        }
}

static int make_bridge(void *data _unused_)
{
        static const char *const argv[] = { "ip", "link", "add", "lightdoctor0", "type", "bridge", NULL };
        if (unshare(CLONE_NEWNET) < 0)
                return errno;
        return run_tool("ip", argv) == 0 ? 0 : EOPNOTSUPP;
}

static void look_bridge(struct client *c _unused_, struct finding *f)
{
        _cleanup_free_ char *ip = NULL;
        if (!doctor_is_root() || process_find_tool("ip", &ip) < 0) {
                finding_set(f, VERDICT_OK, "only root can try it, with iproute2");
        } else if (doctor_try(make_bridge, NULL) != 0) {
                finding_set(f, VERDICT_FAIL, "this kernel makes no bridge");
                finding_fix(f, "modprobe bridge veth");
        } else {
                finding_set(f, VERDICT_OK, "one can be made; it takes 1,023 containers");
        }
}

/* ---- room and time ---- */

#define GIB (1024.0 * 1024 * 1024)

static void look_disk(struct client *c, struct finding *f)
{
        _cleanup_free_ char *dir = doctor_state_dir(c);
        struct statvfs st;
        if (statvfs(dir, &st) < 0) {
                finding_set(f, VERDICT_WARN, "%s cannot be looked at: %s", dir, strerror(errno));
                return;
        }
        double free_gib = (double)st.f_bavail * (double)st.f_frsize / GIB;
        if (free_gib < 0.5 || (st.f_files && st.f_favail < 10000))
                finding_set(f, VERDICT_FAIL, "%.1f GiB and %llu files are free at %s", free_gib, (unsigned long long)st.f_favail, dir);
        else if (free_gib < 3)
                finding_set(f, VERDICT_WARN, "%.1f GiB are free at %s: an image and its containers may not fit", free_gib, dir);
        finding_set(f, VERDICT_OK, "%.1f GiB are free at %s", free_gib, dir);
        if (f->verdict != VERDICT_OK)
                finding_fix(f, "lightc image list, lightc image delete …; or move %s to a larger disk", dir);
}

static void look_clock(struct client *c _unused_, struct finding *f)
{
        struct timex t = { 0 };
        char text[64];
        time_t now = time(NULL);
        struct tm tm;
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&now, &tm));
        if (tm.tm_year + 1900 < 2024) {
                finding_set(f, VERDICT_FAIL, "it is %s: certificates and mirrors will be refused", text);
                finding_fix(f, "timedatectl set-ntp true");
        } else if (adjtimex(&t) == TIME_ERROR || (t.status & STA_UNSYNC)) {
                finding_set(f, VERDICT_OK, "%s, by nobody's clock but this machine's", text);
        }
        finding_set(f, VERDICT_OK, "%s", text);
}

/* ---- mirrors ---- */

/* "http://host[:port]/" in a line of apt's sources. */
static bool parse_mirror(const char *text, char *ret_host, size_t size, char *ret_port)
{
        const char *http = strstr(text, "http");
        const char *host = http ? strstr(http, "://") : NULL;
        if (!host)
                return false;
        host += 3;
        size_t n = strcspn(host, ":/ \t\n");
        if (n == 0 || n >= size)
                return false;
        memcpy(ret_host, host, n);
        ret_host[n] = '\0';
        snprintf(ret_port, 8, "%s", str_starts(http, "https") ? "443" : "80");
        if (host[n] == ':')
                snprintf(ret_port, 8, "%ld", strtol(host + n + 1, NULL, 10) & 0xffff);
        return true;
}

static bool mirror_in_file(const char *path, char *ret_host, size_t size, char *ret_port)
{
        _cleanup_free_ char *text = xstrdup(doctor_read(path));
        char *state = NULL;
        for (char *line = strtok_r(text, "\n", &state); line; line = strtok_r(NULL, "\n", &state))
                if ((str_starts(line, "deb ") || str_starts(line, "deb [") || str_starts(line, "URIs:")) &&
                    parse_mirror(line, ret_host, size, ret_port))
                        return true;
        return false;
}

static bool find_mirror(char *ret_host, size_t size, char *ret_port)
{
        bool found = mirror_in_file("/etc/apt/sources.list", ret_host, size, ret_port);
        DIR *dir = found ? NULL : opendir("/etc/apt/sources.list.d");
        for (struct dirent *e; dir && !found && (e = readdir(dir));) {
                _cleanup_free_ char *path = xasprintf("/etc/apt/sources.list.d/%s", e->d_name);
                if (str_ends(e->d_name, ".list") || str_ends(e->d_name, ".sources"))
                        found = mirror_in_file(path, ret_host, size, ret_port);
        }
        if (dir)
                closedir(dir);
        return found;
}

static bool answers(const struct addrinfo *a)
{
        _cleanup_close_ int fd = socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
        struct pollfd p = { .fd = fd, .events = POLLOUT };
        int e = 0;
        socklen_t n = sizeof e;
        if (fd < 0 || (connect(fd, a->ai_addr, a->ai_addrlen) < 0 && errno != EINPROGRESS) || poll(&p, 1, 3000) <= 0)
                return false;
        return getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &n) == 0 && e == 0;
}

static void look_mirrors(struct client *c _unused_, struct finding *f)
{
        char host[256], port[8];
        struct addrinfo hints = { .ai_socktype = SOCK_STREAM }, *list = NULL;
        if (!find_mirror(host, sizeof host, port)) {
                finding_set(f, VERDICT_WARN, "apt has no mirror over http: \"debian:12\" cannot be built");
                finding_fix(f, "write one into /etc/apt/sources.list");
                return;
        }
        int e = getaddrinfo(host, port, &hints, &list);
        bool is_there = false;
        for (const struct addrinfo *a = list; a && !is_there; a = a->ai_next)
                is_there = answers(a);
        if (list)
                freeaddrinfo(list);
        if (e || !is_there) {
                finding_set(f, VERDICT_WARN, "%s, apt's mirror, %s", host, e ? "has no address" : "does not answer");
                finding_fix(f, "apt-get update says more; a proxy of apt's is used for images, too");
                return;
        }
        finding_set(f, VERDICT_OK, "%s answers", host);
}

/* ---- the daemon ---- */

static void look_daemon(struct client *c, struct finding *f)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct json_object *server = NULL; /* the client's */
        int r = client_server(c, &server, &err);
        if (r < 0) {
                finding_set(f, VERDICT_FAIL, "%s", error_message(&err));
                if (err.hint)
                        finding_fix(f, "%s", err.hint);
                return;
        }
        struct json_object *environment = json_get_object(server, "environment");
        const char *version = json_get_string(environment, "lightvisor_version", "");
        finding_set(f, VERDICT_OK, "it answers at %s%s%s", c->socket_path, *version ? ", version " : "", version);
}

const struct check doctor_host_checks[] = {
        { "bridge", "networks of containers", look_bridge },
        { "nft", "their way out", look_nft },
        { "dnsmasq", "their addresses and names", look_dnsmasq },
        { "lxcfs", "limits that \"free\" and \"nproc\" show", look_lxcfs },
        { "squashfs-tools", "packing and unpacking images", look_squashfs_tools },
        { "mmdebstrap", "building Debian images", look_mmdebstrap },
        { "disk", "room for images and containers", look_disk },
        { "clock", "what certificates are checked by", look_clock },
        { "mirrors", "where Debian images come from", look_mirrors },
        { "daemon", "lightd itself", look_daemon },
        { 0 },
};
