/* SPDX-License-Identifier: Apache-2.0 */
#include "networks/host.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/names.h"

#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <unistd.h>

static bool is_fake;

void host_set_fake(bool fake)
{
        is_fake = fake;
}

/* A name that passed the check holds no '/', so it stays in the directory. */
static bool is_name(const char *name)
{
        return name_check_network(name, NULL) == 0;
}

static bool has(const char *name, const char *what)
{
        char path[128];
        if (!is_name(name) || (is_fake && !streq(name, "lo")))
                return false;
        snprintf(path, sizeof path, "/sys/class/net/%s%s", name, what);
        return access(path, F_OK) == 0;
}

static void read_text(const char *name, const char *what, char buf[static 64])
{
        char path[128];
        buf[0] = '\0';
        snprintf(path, sizeof path, "/sys/class/net/%s/%s", name, what);
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
        ssize_t n = fd >= 0 ? read(fd, buf, 63) : -1;
        buf[MAX(n, 0)] = '\0';
        buf[strcspn(buf, "\n")] = '\0';
}

static int64_t read_number(const char *name, const char *what)
{
        char buf[64];
        read_text(name, what, buf);
        return strtoll(buf, NULL, 0);
}

bool host_has_interface(const char *name)
{
        return has(name, "");
}

bool host_is_bridge(const char *name)
{
        return has(name, "/bridge");
}

bool host_has_ipv6(void)
{
        char c = '1';
        _cleanup_close_ int fd = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_RDONLY | O_CLOEXEC);
        return is_fake || (fd >= 0 && read(fd, &c, 1) == 1 && c == '0');
}

const char *host_interface_type(const char *name)
{
        char vlan[128];
        if (!has(name, ""))
                return NULL;
        snprintf(vlan, sizeof vlan, "/proc/net/vlan/%s", name);
        if (read_number(name, "flags") & IFF_LOOPBACK)
                return "loopback";
        if (has(name, "/bridge"))
                return "bridge";
        if (access(vlan, F_OK) == 0)
                return "vlan";
        if (has(name, "/bonding"))
                return "bond";
        return has(name, "/device") ? "physical" : "unknown";
}

static int compare(const void *a, const void *b)
{
        return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool is_container_end(const char *name)
{
        /* ours: "lv", four of the daemon, five of the instance, two of the start (nic.h) */
        return str_starts(name, "veth") || (str_starts(name, "lv") && strlen(name) >= 13);
}

void host_interfaces(struct strlist *ret)
{
        DIR *d = opendir("/sys/class/net");
        if (!d)
                return;
        for (struct dirent *e; (e = readdir(d));)
                if (e->d_name[0] != '.' && has(e->d_name, "") && !is_container_end(e->d_name))
                        strlist_add(ret, e->d_name);
        closedir(d);
        if (ret->n > 1)
                qsort(ret->items, ret->n, sizeof *ret->items, compare);
}

unsigned host_mtu(const char *name)
{
        return has(name, "") ? (unsigned)read_number(name, "mtu") : 0;
}

static size_t list_ports(const char *bridge, struct strlist *ret)
{
        char path[128];
        size_t n = 0;
        snprintf(path, sizeof path, "/sys/class/net/%s/brif", bridge);
        DIR *d = has(bridge, "/brif") ? opendir(path) : NULL;
        if (!d)
                return 0;
        for (struct dirent *e; (e = readdir(d));) {
                if (e->d_name[0] == '.')
                        continue;
                n++;
                if (ret)
                        strlist_add(ret, e->d_name);
        }
        closedir(d);
        return n;
}

size_t host_ports(const char *bridge)
{
        return list_ports(bridge, NULL);
}

static void write_bridge(const char *name, struct json_writer *w)
{
        char id[64];
        struct strlist ports = { 0 };
        read_text(name, "bridge/bridge_id", id);
        list_ports(name, &ports);
        json_write_object_begin(w);
        json_write_key_string(w, "id", id);
        json_write_key_bool(w, "stp", read_number(name, "bridge/stp_state") != 0);
        json_write_key_int(w, "forward_delay", read_number(name, "bridge/forward_delay"));
        json_write_key_int(w, "vlan_default", read_number(name, "bridge/default_pvid"));
        json_write_key_bool(w, "vlan_filtering", read_number(name, "bridge/vlan_filtering") != 0);
        json_write_key(w, "upper_devices");
        json_write_array_begin(w);
        for (size_t i = 0; i < ports.n; i++)
                json_write_string(w, ports.items[i]);
        json_write_array_end(w);
        json_write_object_end(w);
        strlist_done(&ports);
}

static const char *flags_type(int64_t flags)
{
        return flags & IFF_LOOPBACK ? "loopback" : flags & IFF_POINTOPOINT ? "point-to-point"
                                           : flags & IFF_BROADCAST         ? "broadcast"
                                                                           : "unknown";
}

void host_write_state(const char *name, struct json_writer *w)
{
        static const char *const counters[][2] = { { "bytes_received", "statistics/rx_bytes" },
                                                   { "bytes_sent", "statistics/tx_bytes" },
                                                   { "packets_received", "statistics/rx_packets" },
                                                   { "packets_sent", "statistics/tx_packets" } };
        static const char *const absent[] = { "bond", "vlan", "ovn" };
        char text[64];
        int64_t flags = read_number(name, "flags");
        json_write_key(w, "counters");
        json_write_object_begin(w);
        for (size_t i = 0; i < ARRAY_SIZE(counters); i++)
                json_write_key_int(w, counters[i][0], read_number(name, counters[i][1]));
        json_write_object_end(w);
        read_text(name, "address", text);
        json_write_key_string(w, "hwaddr", streq(text, "00:00:00:00:00:00") ? "" : text);
        json_write_key_int(w, "mtu", read_number(name, "mtu"));
        json_write_key_string(w, "state", flags & IFF_UP ? "up" : "down");
        json_write_key_string(w, "type", flags_type(flags));
        json_write_key(w, "bridge");
        if (has(name, "/bridge"))
                write_bridge(name, w);
        else
                json_write_null(w);
        for (size_t i = 0; i < ARRAY_SIZE(absent); i++) {
                json_write_key(w, absent[i]);
                json_write_null(w);
        }
}
