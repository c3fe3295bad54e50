/* SPDX-License-Identifier: Apache-2.0 */
#include "networks/host-entry.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "networks/dhcp-release.h"
#include "networks/lease.h"
#include "networks/network-ops.h"
#include "networks/nic.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define ENTRY_MAX 256

static int open_dir(struct server *s, const char *network)
{
        _cleanup_free_ char *dir = network_dir(s, network), *path = xasprintf("%s/hosts", dir);
        return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

bool host_entry_parse(const char *text, struct host_entry *ret)
{
        char hwaddr[HWADDR_TEXT_SIZE] = "";
        struct host_entry e = { 0 };
        if (strlen(text) < sizeof hwaddr - 1)
                return false;
        memcpy(hwaddr, text, sizeof hwaddr - 1);
        text += sizeof hwaddr - 1;
        if (hwaddr_parse(hwaddr, e.hwaddr) < 0 || (*text != ',' && *text != '\n' && *text))
                return false;
        size_t n = *text == ',' ? strcspn(++text, "\n") : 0;
        if (n >= sizeof e.name)
                return false;
        memcpy(e.name, text, n);
        *ret = e;
        return true;
}

/* One write: dnsmasq must not see half a line. */
void host_entry_write(struct server *s, const char *network, const char *file, const uint8_t hwaddr[static HWADDR_SIZE],
                      const char *name)
{
        char text[HWADDR_TEXT_SIZE];
        struct stat st;
        _cleanup_strbuf_ struct strbuf want = STRBUF_INIT, have = STRBUF_INIT;
        _cleanup_close_ int dir = open_dir(s, network);
        strbuf_addf(&want, "%s%s%s\n", hwaddr_format(hwaddr, text), str_empty(name) ? "" : ",", name);
        if (dir < 0 || fstat(dir, &st) < 0)
                return;
        if (path_read_file(dir, file, ENTRY_MAX, &have) >= 0 && streq(strbuf_str(&have), want.data))
                return;
        _cleanup_close_ int fd = path_open_beneath(dir, file, O_WRONLY | O_CREAT | O_TRUNC, 0640);
        if (fd < 0)
                return;
        /* The directory's group is dnsmasq's. */
        if (fchown(fd, 0, st.st_gid) < 0 || fd_write_all(fd, want.data, want.len) < 0)
                unlinkat(dir, file, 0);
        struct net *n = net_find(s, network);
        if (n)
                dnsmasq_reload_soon(n->dnsmasq);
}

bool host_entry_remove(struct server *s, const char *network, const char *file, struct host_entry *ret)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        _cleanup_close_ int dir = open_dir(s, network);
        if (dir < 0 || path_read_file(dir, file, ENTRY_MAX, &b) < 0)
                return false;
        unlinkat(dir, file, 0);
        return host_entry_parse(strbuf_str(&b), ret);
}

void host_entry_each(struct server *s, const char *network, void (*fn)(const struct host_entry *e, void *data),
                     void *data)
{
        int dir = open_dir(s, network);
        DIR *d = dir < 0 ? NULL : fdopendir(dir);
        if (!d) {
                fd_close(dir);
                return;
        }
        for (struct dirent *e; (e = readdir(d));) {
                _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
                struct host_entry entry;
                if (e->d_name[0] != '.' && path_read_file(dir, e->d_name, ENTRY_MAX, &b) >= 0 &&
                    host_entry_parse(strbuf_str(&b), &entry))
                        fn(&entry, data);
        }
        closedir(d);
}

/* No name of a project, an instance or a device holds a '/', and no instance's a '.'. */
static char *file_name(const char *project, const char *instance, const char *device)
{
        return xasprintf("%s.%s.%s", instance, project, device);
}

static struct network *find_network(struct server *s, const char *name)
{
        struct object **objects;
        size_t n = object_list(s, &network_kind, NULL, &objects);
        for (size_t i = 0; i < n; i++)
                if (streq(objects[i]->name, name))
                        return objects[i]->body;
        return NULL;
}

static bool has_names(struct server *s, const char *network)
{
        struct network *n = find_network(s, network);
        return n && streq(config_get(network_tables, &n->config, "dns.mode"), "managed");
}

/* All leases of a nic that has gone. */
static void release(struct server *s, const char *network, const uint8_t hwaddr[static HWADDR_SIZE])
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        _cleanup_free_ char *dir = network_dir(s, network), *path = xasprintf("%s/dnsmasq.leases", dir);
        char wanted[HWADDR_TEXT_SIZE];
        struct network_plan plan;
        struct lease lease;
        struct network *n = find_network(s, network);
        if (!n || path_read_file(AT_FDCWD, path, LEASES_SIZE_MAX, &b) < 0)
                return;
        network_plan(n, s->did, &plan);
        hwaddr_format(hwaddr, wanted);
        for (const char *text = strbuf_str(&b); lease_next(&text, &lease);)
                if (streq(lease.hwaddr, wanted) && lease.address.family == AF_INET)
                        dhcp_release_send(network, hwaddr, &lease.address, &plan.ipv4);
}

void nic_register(struct server *s, const struct nic_plan *plan, const char *project, const char *instance,
                  const char *device)
{
        _cleanup_free_ char *file = file_name(project, instance, device);
        if (plan->network[0])
                host_entry_write(s, plan->network, file, plan->hwaddr, has_names(s, plan->network) ? instance : "");
}

void nic_unregister(struct server *s, const char *network, const char *project, const char *instance, const char *device)
{
        _cleanup_free_ char *file = file_name(project, instance, device);
        struct host_entry entry;
        struct net *n = net_find(s, network);
        if (!host_entry_remove(s, network, file, &entry))
                return;
        release(s, network, entry.hwaddr);
        if (n) /* otherwise the daemon has just begun and the network is not looked at yet */
                dnsmasq_reload_soon(n->dnsmasq);
}
