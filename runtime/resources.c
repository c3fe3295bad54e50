/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/resources.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/strbuf.h"
#include "runtime/jobs.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/utsname.h>
#include <unistd.h>

#define TEXT_MAX 4096

static char *vformat(const char *fmt, va_list ap)
{
        char path[512];
        vsnprintf(path, sizeof path, fmt, ap);
        return xstrdup(path);
}

#define FORMAT(path, fmt)                                                                                    \
        _cleanup_free_ char *path = NULL;                                                                    \
        va_list ap;                                                                                          \
        va_start(ap, fmt);                                                                                   \
        path = vformat(fmt, ap);                                                                             \
        va_end(ap)

/* sysfs gives at most a page; a device's own text may hold anything, of which what can be printed is kept. */
static char *read_printable(struct resource_host *host, const char *path, bool has_lines)
{
        char text[TEXT_MAX];
        _cleanup_close_ int fd = openat(host->root_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
        size_t end = 0, begin = 0;
        for (size_t i = 0; n > 0 && i < (size_t)n && text[i]; i++) {
                bool is_kept = (unsigned char)text[i] >= ' ' && text[i] != 0x7f;
                text[end++] = is_kept || (has_lines && text[i] == '\n') ? text[i] : ' ';
        }
        while (end > 0 && (text[end - 1] == ' ' || text[end - 1] == '\n'))
                end--;
        while (begin < end && text[begin] == ' ')
                begin++;
        return end > begin ? xstrndup(text + begin, end - begin) : NULL;
}

char *resource_text(struct resource_host *host, const char *fmt, ...)
{
        FORMAT(path, fmt);
        return read_printable(host, path, false);
}

char *resource_lines(struct resource_host *host, const char *fmt, ...)
{
        FORMAT(path, fmt);
        return read_printable(host, path, true);
}

int64_t resource_number(struct resource_host *host, int64_t fallback, const char *fmt, ...)
{
        FORMAT(path, fmt);
        _cleanup_free_ char *text = resource_text(host, "%s", path);
        char *end;
        long long n = text ? strtoll(text, &end, strncmp(text, "0x", 2) == 0 ? 16 : 10) : 0;
        return !text || end == text ? fallback : n;
}

char *resource_link(struct resource_host *host, const char *fmt, ...)
{
        char target[TEXT_MAX];
        FORMAT(path, fmt);
        ssize_t n = readlinkat(host->root_fd, path, target, sizeof target - 1);
        return n <= 0 ? NULL : xstrndup(target, (size_t)n);
}

char *resource_link_name(struct resource_host *host, const char *fmt, ...)
{
        FORMAT(path, fmt);
        _cleanup_free_ char *target = resource_link(host, "%s", path);
        const char *slash = target ? strrchr(target, '/') : NULL;
        return target ? xstrdup(slash ? slash + 1 : target) : NULL;
}

bool resource_exists(struct resource_host *host, const char *fmt, ...)
{
        FORMAT(path, fmt);
        return faccessat(host->root_fd, path, F_OK, 0) == 0;
}

static int compare(const void *a, const void *b)
{
        const char *left = *(char *const *)a, *right = *(char *const *)b;
        /* The numbers of a PCI address are hexadecimal, and all of one length. */
        bool is_hexadecimal = strchr(left, ':') && strlen(left) == strlen(right);
        return is_hexadecimal ? strcmp(left, right) : strverscmp(left, right);
}

void resource_list(struct resource_host *host, struct resource_names *ret, const char *fmt, ...)
{
        FORMAT(path, fmt);
        int fd = openat(host->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        *ret = (struct resource_names){ 0 };
        for (struct dirent *e; dir && (e = readdir(dir));) {
                if (e->d_name[0] == '.')
                        continue;
                ret->items = xreallocarray(ret->items, ret->n + 1, sizeof *ret->items);
                ret->items[ret->n++] = xstrdup(e->d_name);
        }
        if (dir)
                closedir(dir);
        if (ret->n)
                qsort(ret->items, ret->n, sizeof *ret->items, compare);
}

void resource_names_done(struct resource_names *names)
{
        for (size_t i = 0; i < names->n; i++)
                free(names->items[i]);
        free(names->items);
}

char *resource_line_value(const char *text, const char *key)
{
        size_t n = strlen(key);
        for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
                if (strncmp(line, key, n) != 0)
                        continue;
                const char *p = line + n + strspn(line + n, " \t");
                if (*p++ != ':')
                        continue;
                p += strspn(p, " \t");
                return xstrndup(p, strcspn(p, "\n"));
        }
        return NULL;
}

void resource_set_text(struct json_object *o, const char *key, char *take_text)
{
        json_set_string(o, key, take_text ? take_text : "");
        free(take_text);
}

void resource_add_text(struct json_object *o, const char *key, char *take_text)
{
        if (!str_empty(take_text))
                json_set_string(o, key, take_text);
        free(take_text);
}

static int64_t parts_of(struct json_object *o, const char *key)
{
        struct json_object *list = json_get_array(o, key);
        return list ? (int64_t)json_object_array_length(list) : 0;
}

bool resource_has_address(struct json_object *list, const char *address)
{
        for (size_t i = 0; i < json_object_array_length(list); i++)
                if (streq(json_get_string(json_object_array_get_idx(list, i), "pci_address", ""), address))
                        return true;
        return false;
}

struct json_object *resource_totalled(const char *list_key, struct json_object *take_list)
{
        struct json_object *o = json_object_new_object();
        int64_t total = 0;
        for (size_t i = 0; i < json_object_array_length(take_list); i++) {
                struct json_object *item = json_object_array_get_idx(take_list, i);
                total += 1 + parts_of(json_get_object(item, "sriov"), "vfs") + parts_of(item, "partitions");
        }
        json_set_int(o, "total", total);
        json_set_take(o, list_key, take_list);
        return o;
}

/* The last part of the device's place in the tree of devices that has the form of an address. */
static char *find_address(struct resource_host *host, const char *device_path, bool (*is_address)(const char *part))
{
        _cleanup_free_ char *target = resource_link(host, "%s", device_path);
        char *found = NULL;
        char *state = NULL;
        for (char *part = target ? strtok_r(target, "/", &state) : NULL; part; part = strtok_r(NULL, "/", &state))
                if (is_address(part)) {
                        free(found);
                        found = xstrdup(part);
                }
        return found;
}

static bool is_pci_address(const char *part)
{
        unsigned domain, bus, slot, function;
        int n = 0;
        return sscanf(part, "%4x:%2x:%2x.%1x%n", &domain, &bus, &slot, &function, &n) == 4 && !part[n];
}

static bool is_usb_address(const char *part)
{
        return part[0] >= '1' && part[0] <= '9' && strspn(part, "0123456789-.") == strlen(part) && strchr(part, '-');
}

/* On a bus behind another one the address is that of the nearer bus. */
char *resource_pci_address(struct resource_host *host, const char *device_path)
{
        _cleanup_free_ char *usb = find_address(host, device_path, is_usb_address);
        return usb ? NULL : find_address(host, device_path, is_pci_address);
}

char *resource_usb_address(struct resource_host *host, const char *device_path)
{
        char text[32];
        _cleanup_free_ char *name = find_address(host, device_path, is_usb_address);
        int64_t bus = resource_number(host, 0, "sys/bus/usb/devices/%s/busnum", name ? name : "");
        int64_t number = resource_number(host, 0, "sys/bus/usb/devices/%s/devnum", name ? name : "");
        if (!name || !bus || !number)
                return NULL;
        snprintf(text, sizeof text, "%lld:%lld", (long long)bus, (long long)number);
        return xstrdup(text);
}

bool resource_is_vf(struct resource_host *host, const char *device_path)
{
        return resource_exists(host, "%s/physfn", device_path);
}

void resource_list_class(struct resource_host *host, const char *class, struct resource_names *ret)
{
        _cleanup_resource_names_ struct resource_names names = { 0 };
        *ret = (struct resource_names){ 0 };
        resource_list(host, &names, "sys/bus/pci/devices");
        for (size_t i = 0; i < names.n; i++) {
                char path[300];
                snprintf(path, sizeof path, "sys/bus/pci/devices/%s", names.items[i]);
                _cleanup_free_ char *found = resource_text(host, "%s/class", path);
                if (!found || !str_starts(found, "0x") || strncmp(found + 2, class, 2) != 0 || resource_is_vf(host, path))
                        continue;
                ret->items = xreallocarray(ret->items, ret->n + 1, sizeof *ret->items);
                ret->items[ret->n++] = xstrdup(names.items[i]);
        }
}

void resource_set_sriov(struct resource_host *host, struct json_object *o, const char *device_path,
                        struct json_object *(*vf_new)(struct resource_host *host, const char *address))
{
        _cleanup_resource_names_ struct resource_names names = { 0 };
        if (!resource_exists(host, "%s/sriov_numvfs", device_path))
                return;
        struct json_object *sriov = json_object_new_object(), *list = json_object_new_array();
        json_set_int(sriov, "current_vfs", resource_number(host, 0, "%s/sriov_numvfs", device_path));
        json_set_int(sriov, "maximum_vfs", resource_number(host, 0, "%s/sriov_totalvfs", device_path));
        resource_list(host, &names, "%s", device_path);
        for (size_t i = 0; i < names.n; i++) {
                _cleanup_free_ char *address = NULL;
                if (str_starts(names.items[i], "virtfn"))
                        address = resource_link_name(host, "%s/%s", device_path, names.items[i]);
                if (address && is_pci_address(address))
                        json_object_array_add(list, vf_new(host, address));
        }
        json_set_take(sriov, "vfs", list);
        json_set_take(o, "sriov", sriov);
}

void resource_set_driver(struct resource_host *host, struct json_object *o, const char *device_path)
{
        struct utsname u;
        char *driver = resource_link_name(host, "%s/driver", device_path);
        char *version = driver ? resource_text(host, "%s/driver/module/version", device_path) : NULL;
        if (driver && !version && uname(&u) == 0)
                version = xstrdup(u.release); /* one of the kernel's own */
        resource_add_text(o, "driver", driver);
        resource_add_text(o, "driver_version", version);
        json_set_int(o, "numa_node", MAX(resource_number(host, 0, "%s/numa_node", device_path), 0));
}

void resource_host_done(struct resource_host *host)
{
        for (size_t i = 0; i < ARRAY_SIZE(host->ids); i++)
                strbuf_done(&host->ids[i].text);
        json_object_put(host->nvidia);
        host->nvidia = NULL;
}

struct json_object *resources_read(struct resource_host *host)
{
        static const struct {
                const char *key;
                struct json_object *(*read)(struct resource_host *host);
        } parts[] = {
                { "cpu", resources_cpu },         { "memory", resources_memory }, { "gpu", resources_gpu },
                { "network", resources_network }, { "storage", resources_storage }, { "usb", resources_usb },
                { "pci", resources_pci },         { "system", resources_system },
        };
        struct json_object *o = json_object_new_object();
        for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
                json_set_take(o, parts[i].key, parts[i].read(host));
        return o;
}

int job_resources(struct json_object *args _unused_, struct json_object **ret_result, struct error *err)
{
        _cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                return error_set_errno(err, -errno, "Opening the root directory");
        _cleanup_(resource_host_done) struct resource_host host = {
                .root_fd = root,
                .ask_link = resource_ask_link,
                .ask_nvidia = resource_ask_nvidia,
        };
        *ret_result = resources_read(&host);
        return 0;
}
