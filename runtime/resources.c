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
char *resource_text(int root_fd, const char *fmt, ...)
{
        char text[TEXT_MAX];
        FORMAT(path, fmt);
        _cleanup_close_ int fd = openat(root_fd, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
        ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
        if (n <= 0)
                return NULL;
        size_t end = 0, begin = 0;
        for (size_t i = 0; i < (size_t)n && text[i]; i++)
                text[end++] = (unsigned char)text[i] < ' ' || text[i] == 0x7f ? ' ' : text[i];
        while (end > 0 && text[end - 1] == ' ')
                end--;
        while (begin < end && text[begin] == ' ')
                begin++;
        return end > begin ? xstrndup(text + begin, end - begin) : NULL;
}

int64_t resource_number(int root_fd, int64_t fallback, const char *fmt, ...)
{
        FORMAT(path, fmt);
        _cleanup_free_ char *text = resource_text(root_fd, "%s", path);
        char *end;
        long long n = text ? strtoll(text, &end, strncmp(text, "0x", 2) == 0 ? 16 : 10) : 0;
        return !text || end == text ? fallback : n;
}

char *resource_link(int root_fd, const char *fmt, ...)
{
        char target[TEXT_MAX];
        FORMAT(path, fmt);
        ssize_t n = readlinkat(root_fd, path, target, sizeof target - 1);
        return n <= 0 ? NULL : xstrndup(target, (size_t)n);
}

char *resource_link_name(int root_fd, const char *fmt, ...)
{
        FORMAT(path, fmt);
        _cleanup_free_ char *target = resource_link(root_fd, "%s", path);
        const char *slash = target ? strrchr(target, '/') : NULL;
        return target ? xstrdup(slash ? slash + 1 : target) : NULL;
}

bool resource_exists(int root_fd, const char *fmt, ...)
{
        FORMAT(path, fmt);
        return faccessat(root_fd, path, F_OK, 0) == 0;
}

static int compare(const void *a, const void *b)
{
        return strverscmp(*(char *const *)a, *(char *const *)b);
}

void resource_list(int root_fd, struct resource_names *ret, const char *fmt, ...)
{
        FORMAT(path, fmt);
        int fd = openat(root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
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

void resource_set_text(struct json_object *o, const char *key, char *take_text)
{
        json_set_string(o, key, take_text ? take_text : "");
        free(take_text);
}

struct json_object *resource_totalled(const char *list_key, struct json_object *take_list)
{
        struct json_object *o = json_object_new_object();
        json_set_int(o, "total", (int64_t)json_object_array_length(take_list));
        json_set_take(o, list_key, take_list);
        return o;
}

/* The last part of the device's place in the tree of devices that has the form of an address. */
static char *find_address(int root_fd, const char *device_path, bool (*is_address)(const char *part))
{
        _cleanup_free_ char *target = resource_link(root_fd, "%s", device_path);
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

char *resource_pci_address(int root_fd, const char *device_path)
{
        return find_address(root_fd, device_path, is_pci_address);
}

char *resource_usb_address(int root_fd, const char *device_path)
{
        return find_address(root_fd, device_path, is_usb_address);
}

void resource_set_driver(int root_fd, struct json_object *o, const char *device_path)
{
        struct utsname u;
        char *driver = resource_link_name(root_fd, "%s/driver", device_path);
        char *version = driver ? resource_text(root_fd, "%s/driver/module/version", device_path) : NULL;
        if (driver && !version && uname(&u) == 0)
                version = xstrdup(u.release); /* one of the kernel's own */
        resource_set_text(o, "driver", driver);
        resource_set_text(o, "driver_version", version);
        json_set_int(o, "numa_node", MAX(resource_number(root_fd, 0, "%s/numa_node", device_path), 0));
}

struct json_object *resources_read(int root_fd)
{
        static const struct {
                const char *key;
                struct json_object *(*read)(int root_fd);
        } parts[] = {
                { "cpu", resources_cpu },         { "memory", resources_memory }, { "gpu", resources_gpu },
                { "network", resources_network }, { "storage", resources_storage }, { "usb", resources_usb },
                { "pci", resources_pci },         { "system", resources_system },
        };
        struct json_object *o = json_object_new_object();
        for (size_t i = 0; i < ARRAY_SIZE(parts); i++)
                json_set_take(o, parts[i].key, parts[i].read(root_fd));
        return o;
}

int job_resources(struct json_object *args _unused_, struct json_object **ret_result, struct error *err)
{
        _cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                return error_set_errno(err, -errno, "Opening the root directory");
        *ret_result = resources_read(root);
        return 0;
}
