/* SPDX-License-Identifier: Apache-2.0 */
/* Processors by socket, core and thread; memory by node; the machine's own names. */
#include "runtime/resources.h"
#include "base/alloc.h"
#include "base/path.h"
#include "base/strbuf.h"

#include <ctype.h>
#include <stdio.h>
#include <sys/utsname.h>

#define CPU "sys/devices/system/cpu"

/* ---- processors ---- */

/* "cpu17": 17, anything else: -1 */
static int numbered(const char *name, const char *prefix)
{
        size_t n = strlen(prefix);
        char *end;
        if (strncmp(name, prefix, n) != 0 || !isdigit((unsigned char)name[n]))
                return -1;
        long v = strtol(name + n, &end, 10);
        return *end || v > 65535 ? -1 : (int)v;
}

static char *read_lines(struct resource_host *host, const char *path)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        return path_read_file(host->root_fd, path, MiB(4), &b) < 0 ? NULL : xstrdup(strbuf_str(&b));
}

static bool is_in_list(const char *list, int wanted)
{
        for (const char *p = list; p && *p; p += *p == ',') {
                char *end;
                long first = strtol(p, &end, 10), last = first;
                if (end == p)
                        return false;
                if (*end == '-')
                        last = strtol(end + 1, &end, 10);
                if (wanted >= first && wanted <= last)
                        return true;
                p = end;
        }
        return false;
}

static struct json_object *member(struct json_object *list, const char *key, int64_t id)
{
        for (size_t i = 0; i < json_object_array_length(list); i++) {
                struct json_object *o = json_object_array_get_idx(list, i);
                if (json_get_int(o, key, -1) == id)
                        return o;
        }
        return NULL;
}

/* "32K", "8M" */
static int64_t cache_size(struct resource_host *host, int cpu, int index)
{
        _cleanup_free_ char *text = resource_text(host, CPU "/cpu%d/cache/index%d/size", cpu, index);
        char *end;
        int64_t n = text ? strtoll(text, &end, 10) : 0;
        return !text ? 0 : *end == 'K' ? n * 1024 : *end == 'M' ? n * 1024 * 1024 : n;
}

static struct json_object *caches(struct resource_host *host, int cpu)
{
        struct json_object *list = json_object_new_array();
        for (int i = 0; resource_exists(host, CPU "/cpu%d/cache/index%d", cpu, i); i++) {
                struct json_object *o = json_object_new_object();
                json_set_int(o, "level", resource_number(host, 0, CPU "/cpu%d/cache/index%d/level", cpu, i));
                resource_set_text(o, "type", resource_text(host, CPU "/cpu%d/cache/index%d/type", cpu, i));
                json_set_int(o, "size", cache_size(host, cpu, i));
                json_object_array_add(list, o);
        }
        return list;
}

static int64_t megahertz(struct resource_host *host, int cpu, const char *file)
{
        return resource_number(host, 0, CPU "/cpu%d/cpufreq/%s", cpu, file) / 1000;
}

static struct json_object *socket_new(struct resource_host *host, int cpu, int64_t id, const char *cpuinfo)
{
        struct json_object *o = json_object_new_object();
        char *name = resource_line_value(cpuinfo, "model name"), *vendor = resource_line_value(cpuinfo, "vendor_id");
        if (name)
                resource_add_text(o, "name", name);
        if (vendor)
                resource_add_text(o, "vendor", vendor);
        json_set_int(o, "socket", id);
        json_set_take(o, "cache", caches(host, cpu));
        json_set_take(o, "cores", json_object_new_array());
        if (resource_exists(host, CPU "/cpu%d/cpufreq", cpu)) {
                json_set_int(o, "frequency", megahertz(host, cpu, "scaling_cur_freq"));
                json_set_int(o, "frequency_minimum", megahertz(host, cpu, "cpuinfo_min_freq"));
                json_set_int(o, "frequency_turbo", megahertz(host, cpu, "cpuinfo_max_freq"));
        }
        return o;
}

static int64_t numa_node(struct resource_host *host, int cpu)
{
        _cleanup_resource_names_ struct resource_names names = { 0 };
        resource_list(host, &names, CPU "/cpu%d", cpu);
        for (size_t i = 0; i < names.n; i++)
                if (numbered(names.items[i], "node") >= 0)
                        return numbered(names.items[i], "node");
        return 0;
}

static struct json_object *thread_new(struct resource_host *host, int cpu, int64_t nth, const char *isolated)
{
        struct json_object *o = json_object_new_object();
        json_set_int(o, "id", cpu);
        json_set_int(o, "numa_node", numa_node(host, cpu));
        json_set_int(o, "thread", nth);
        json_set_bool(o, "online", resource_number(host, 1, CPU "/cpu%d/online", cpu) != 0);
        json_set_bool(o, "isolated", is_in_list(isolated, cpu));
        return o;
}

static struct json_object *core_of(struct resource_host *host, struct json_object *socket, int cpu)
{
        struct json_object *cores = json_get_array(socket, "cores");
        int64_t id = resource_number(host, 0, CPU "/cpu%d/topology/core_id", cpu);
        struct json_object *core = member(cores, "core", id);
        if (core)
                return core;
        core = json_object_new_object();
        json_set_int(core, "core", id);
        json_set_int(core, "die", MAX(resource_number(host, 0, CPU "/cpu%d/topology/die_id", cpu), 0));
        json_set_take(core, "threads", json_object_new_array());
        if (resource_exists(host, CPU "/cpu%d/cpufreq", cpu))
                json_set_int(core, "frequency", megahertz(host, cpu, "scaling_cur_freq"));
        json_object_array_add(cores, core);
        return core;
}

static void add_thread(struct resource_host *host, struct json_object *sockets, int cpu, const char *cpuinfo, const char *isolated)
{
        int64_t id = resource_number(host, 0, CPU "/cpu%d/topology/physical_package_id", cpu);
        struct json_object *socket = member(sockets, "socket", id);
        if (!socket) {
                socket = socket_new(host, cpu, id, cpuinfo);
                json_object_array_add(sockets, socket);
        }
        struct json_object *threads = json_get_array(core_of(host, socket, cpu), "threads");
        json_object_array_add(threads, thread_new(host, cpu, (int64_t)json_object_array_length(threads), isolated));
}

struct json_object *resources_cpu(struct resource_host *host)
{
        _cleanup_resource_names_ struct resource_names names = { 0 };
        _cleanup_free_ char *cpuinfo = read_lines(host, "proc/cpuinfo");
        _cleanup_free_ char *isolated = resource_text(host, CPU "/isolated");
        struct json_object *o = json_object_new_object(), *sockets = json_object_new_array();
        struct utsname u;
        int64_t total = 0;
        resource_list(host, &names, CPU);
        for (size_t i = 0; i < names.n; i++) {
                int cpu = numbered(names.items[i], "cpu");
                if (cpu < 0 || !resource_exists(host, CPU "/cpu%d/topology", cpu))
                        continue; /* offline ones have none */
                add_thread(host, sockets, cpu, cpuinfo, isolated);
                total++;
        }
        if (uname(&u) == 0)
                json_set_string(o, "architecture", u.machine);
        json_set_take(o, "sockets", sockets);
        json_set_int(o, "total", total);
        return o;
}

/* ---- memory ---- */

/* "MemTotal:   123 kB", in a node's file with "Node 0 " before. */
static int64_t meminfo(const char *text, const char *key)
{
        size_t n = strlen(key);
        for (const char *p = text; p && (p = strstr(p, key)); p += n)
                if (p[n] == ':' && (p == text || isspace((unsigned char)p[-1]))) {
                        char *end;
                        int64_t v = strtoll(p + n + 1, &end, 10);
                        return strncmp(end, " kB", 3) == 0 ? v * 1024 : v;
                }
        return 0;
}

static void set_memory(struct json_object *o, const char *text, int64_t page)
{
        int64_t total = meminfo(text, "MemTotal");
        int64_t free_bytes = meminfo(text, "MemAvailable");
        if (!free_bytes) /* a node's file does not say what could be freed */
                free_bytes = meminfo(text, "MemFree") + meminfo(text, "FilePages");
        int64_t pages = meminfo(text, "HugePages_Total"), unused = meminfo(text, "HugePages_Free");
        json_set_int(o, "hugepages_used", (pages - unused) * page);
        json_set_int(o, "hugepages_total", pages * page);
        json_set_int(o, "used", MAX(total - free_bytes, 0));
        json_set_int(o, "total", total);
}

static struct json_object *memory_nodes(struct resource_host *host, int64_t page)
{
        _cleanup_resource_names_ struct resource_names names = { 0 };
        struct json_object *list = json_object_new_array();
        resource_list(host, &names, "sys/devices/system/node");
        for (size_t i = 0; i < names.n; i++) {
                int node = numbered(names.items[i], "node");
                char path[64];
                if (node < 0)
                        continue;
                snprintf(path, sizeof path, "sys/devices/system/node/node%d/meminfo", node);
                _cleanup_free_ char *text = read_lines(host, path);
                struct json_object *o = json_object_new_object();
                json_set_int(o, "numa_node", node);
                set_memory(o, text, page);
                json_object_array_add(list, o);
        }
        return list;
}

struct json_object *resources_memory(struct resource_host *host)
{
        _cleanup_free_ char *text = read_lines(host, "proc/meminfo");
        struct json_object *o = json_object_new_object();
        int64_t page = meminfo(text, "Hugepagesize");
        set_memory(o, text, page);
        json_set_int(o, "hugepages_size", page);
        json_set_take(o, "nodes", memory_nodes(host, page));
        return o;
}

/* ---- the machine ---- */

static char *dmi(struct resource_host *host, const char *file)
{
        return resource_text(host, "sys/class/dmi/id/%s", file);
}

/* What virtual machines call themselves; a container's own host is neither. */
static const char *machine_kind(struct resource_host *host, const char *cpuinfo)
{
        if (resource_exists(host, "run/systemd/container"))
                return "container";
        const char *flags = cpuinfo ? strstr(cpuinfo, "\nflags") : NULL;
        size_t n = flags ? strcspn(flags + 1, "\n") : 0;
        const char *found = flags ? memmem(flags + 1, n, " hypervisor", 11) : NULL;
        return found ? "virtual-machine" : "physical";
}

/* SMBIOS 3.7, "System Enclosure or Chassis Types": the ones a person may meet. */
static const char *chassis_type(int64_t number)
{
        static const char *const types[] = {
                [1] = "Other", [2] = "Unknown", [3] = "Desktop", [4] = "Low Profile Desktop", [5] = "Pizza Box",
                [6] = "Mini Tower", [7] = "Tower", [8] = "Portable", [9] = "Laptop", [10] = "Notebook", [11] = "Hand Held",
                [13] = "All In One", [14] = "Sub Notebook", [17] = "Main Server Chassis", [23] = "Rack Mount Chassis",
                [28] = "Blade", [30] = "Tablet", [31] = "Convertible", [35] = "Mini PC", [36] = "Stick PC",
        };
        const char *type = number > 0 && number < (int64_t)ARRAY_SIZE(types) ? types[number] : NULL;
        return type ? type : "";
}

struct json_object *resources_system(struct resource_host *host)
{
        _cleanup_free_ char *cpuinfo = read_lines(host, "proc/cpuinfo");
        struct json_object *o = json_object_new_object(), *firmware = json_object_new_object(),
                           *chassis = json_object_new_object(), *board = json_object_new_object();
        static const char *const of_system[][2] = {
                { "uuid", "product_uuid" },   { "vendor", "sys_vendor" },    { "product", "product_name" },
                { "family", "product_family" }, { "version", "product_version" }, { "sku", "product_sku" },
                { "serial", "product_serial" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(of_system); i++)
                resource_set_text(o, of_system[i][0], dmi(host, of_system[i][1]));
        json_set_string(o, "type", machine_kind(host, cpuinfo));
        resource_set_text(firmware, "vendor", dmi(host, "bios_vendor"));
        resource_set_text(firmware, "date", dmi(host, "bios_date"));
        resource_set_text(firmware, "version", dmi(host, "bios_version"));
        resource_set_text(chassis, "vendor", dmi(host, "chassis_vendor"));
        json_set_string(chassis, "type", chassis_type(resource_number(host, 0, "sys/class/dmi/id/chassis_type")));
        resource_set_text(chassis, "serial", dmi(host, "chassis_serial"));
        resource_set_text(chassis, "version", dmi(host, "chassis_version"));
        resource_set_text(board, "vendor", dmi(host, "board_vendor"));
        resource_set_text(board, "product", dmi(host, "board_name"));
        resource_set_text(board, "serial", dmi(host, "board_serial"));
        resource_set_text(board, "version", dmi(host, "board_version"));
        bool is_known = resource_exists(host, "sys/class/dmi/id");
        struct json_object *const parts[] = { firmware, chassis, board };
        static const char *const names[] = { "firmware", "chassis", "motherboard" };
        for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
                json_object_object_add(o, names[i], is_known ? json_object_get(parts[i]) : NULL);
                json_object_put(parts[i]);
        }
        return o;
}
