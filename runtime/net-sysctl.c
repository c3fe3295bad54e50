/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/net.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#define SYSCTL_DIR "/proc/sys/net"

static bool has_value(int dir, const char *path, char value)
{
        char text[8] = "";
        _cleanup_close_ int fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
        return fd >= 0 && read(fd, text, sizeof text - 1) > 0 && text[0] == value;
}

/* A value that is right already is not written: in a container it may be read-only. */
static int set(int dir, const char *path, char value)
{
        char text[2] = { value };
        return has_value(dir, path, value) ? 0 : path_write_value(dir, path, text);
}

/* A host that forwards no longer listens to router advertisements, and would lose its own way out: 2 means "listen
 * all the same". */
static int keep_advertisements(int dir)
{
        _cleanup_close_ int conf = openat(dir, "ipv6/conf", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (conf < 0)
                return -errno;
        DIR *d = fdopendir(dup(conf));
        if (!d)
                return -errno;
        int r = 0;
        for (struct dirent *e; r >= 0 && (e = readdir(d));) {
                if (e->d_name[0] == '.' || streq(e->d_name, "all"))
                        continue;
                _cleanup_free_ char *path = xasprintf("%s/accept_ra", e->d_name);
                if (has_value(conf, path, '1'))
                        r = path_write_value(conf, path, "2");
        }
        closedir(d);
        return r == -ENOENT ? 0 : r; /* an interface that has just gone */
}

static int set_ipv6(int dir, const char *bridge, struct error *err)
{
        static const struct {
                const char *name;
                char value;
        } values[] = { { "disable_ipv6", '0' }, { "accept_ra", '0' }, { "autoconf", '0' }, { "accept_dad", '0' } };
        int r = 0;
        for (size_t i = 0; r >= 0 && i < ARRAY_SIZE(values); i++) {
                _cleanup_free_ char *path = xasprintf("ipv6/conf/%s/%s", bridge, values[i].name);
                r = set(dir, path, values[i].value);
        }
        if (r >= 0 && !has_value(dir, "ipv6/conf/all/forwarding", '1')) {
                r = keep_advertisements(dir);
                if (r >= 0)
                        r = set(dir, "ipv6/conf/all/forwarding", '1');
        }
        return r < 0 ? error_set_errno(err, r, "Enabling IPv6 forwarding for the bridge \"%s\"", bridge) : 0;
}

int net_sysctls_set(const char *bridge, int ipv4, int ipv6, struct error *err)
{
        _cleanup_close_ int dir = open(SYSCTL_DIR, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return error_set_errno(err, -errno, "Opening \"" SYSCTL_DIR "\"");
        int r = ipv4 ? set(dir, "ipv4/ip_forward", '1') : 0;
        if (r < 0)
                return error_set_errno(err, r, "Enabling IPv4 forwarding for the bridge \"%s\"", bridge);
        bool has_ipv6 = faccessat(dir, "ipv6", F_OK, 0) == 0;
        if (ipv6 && !has_ipv6) {
                error_set(err, ERR_UNSUPPORTED, "Bridge \"%s\": this host has no IPv6", bridge);
                return error_hint(err, "set ipv6.address to \"none\"");
        }
        if (ipv6)
                return set_ipv6(dir, bridge, err);
        _cleanup_free_ char *path = xasprintf("ipv6/conf/%s/disable_ipv6", bridge);
        r = has_ipv6 ? set(dir, path, '1') : 0;
        return r < 0 ? error_set_errno(err, r, "Disabling IPv6 on the bridge \"%s\"", bridge) : 0;
}
