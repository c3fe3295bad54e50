/* SPDX-License-Identifier: Apache-2.0 */
/*
 * NVIDIA's cards: the kernel's module says what they are called in /proc/driver/nvidia, and NVIDIA's own program, where
 * it is installed, what only their libraries know: brand, architecture, CUDA.
 */
#include "runtime/resources.h"
#include "base/alloc.h"

#include <stdio.h>

#define GPU "proc/driver/nvidia/gpus/%s/information"

/* The next cell of a line of comma-separated texts, or NULL at its end. */
static char *next_cell(const char **line)
{
        const char *p = *line;
        if (!*p || *p == '\n')
                return NULL;
        p += strspn(p, " ");
        size_t n = strcspn(p, ",\n");
        *line = p + n + (p[n] == ',');
        return xstrndup(p, n);
}

/* "00000000:07:00.0": this program's domain has eight digits, the kernel's four. */
static char *kernel_address(const char *address)
{
        size_t n = strlen(address);
        return n > 12 && strspn(address, "0") >= n - 12 ? xstrdup(address + n - 12) : xstrdup(address);
}

/* A line below a header, as {header cell: cell}. */
static struct json_object *row_new(const char *header, const char *line)
{
        struct json_object *o = json_object_new_object();
        for (;;) {
                _cleanup_free_ char *key = next_cell(&header), *value = next_cell(&line);
                if (!key || !value)
                        return o;
                json_set_string(o, key, value);
        }
}

static void add_card(struct json_object *cards, struct json_object *driver, struct json_object *row)
{
        static const char *const fields[][2] = {
                { "Architecture", "architecture" }, { "Brand", "brand" }, { "Model", "model" }, { "GPU UUID", "uuid" },
        };
        static const char *const driver_fields[][2] = { { "CUDA version", "cuda_version" }, { "NVRM version", "nvrm_version" } };
        _cleanup_free_ char *address = kernel_address(json_get_string(row, "Bus Location", ""));
        struct json_object *o = json_object_new_object();
        for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
                json_set_string(o, fields[i][1], json_get_string(row, fields[i][0], NULL));
        for (size_t i = 0; i < ARRAY_SIZE(driver_fields); i++)
                json_set_string(o, driver_fields[i][1], json_get_string(driver, driver_fields[i][0], NULL));
        json_set_take(cards, address, o);
}

/* Two tables with an empty line between them: the driver, then the cards. */
struct json_object *resources_nvidia_parse(const char *text)
{
        struct json_object *cards = json_object_new_object();
        _cleanup_json_ struct json_object *driver = NULL;
        const char *header = NULL;
        for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
                if (*line == '\n') {
                        header = NULL;
                } else if (!header) {
                        header = line;
                } else if (!driver) {
                        driver = row_new(header, line);
                } else {
                        _cleanup_json_ struct json_object *row = row_new(header, line);
                        add_card(cards, driver, row);
                }
        }
        return cards;
}

static void set_nodes(struct resource_host *host, struct json_object *o, const char *text)
{
        _cleanup_free_ char *minor = resource_line_value(text, "Device Minor");
        char name[32], device[32];
        if (!minor || strspn(minor, "0123456789") != strlen(minor) || strlen(minor) > 9)
                return;
        /* The major number is the driver's own: /proc/devices has it where it is not the usual one. */
        snprintf(name, sizeof name, "nvidia%s", minor);
        _cleanup_free_ char *devices = resource_lines(host, "proc/devices");
        const char *found = devices ? strstr(devices, " nvidia\n") : NULL;
        const char *digits = found;
        while (digits && digits > devices && digits[-1] >= '0' && digits[-1] <= '9')
                digits--;
        snprintf(device, sizeof device, "%.*s:%s", found ? (int)(found - digits) : 3, found ? digits : "195", minor);
        json_set_string(o, "card_name", name);
        json_set_string(o, "card_device", device);
}

static void set_version(struct resource_host *host, struct json_object *o)
{
        _cleanup_free_ char *text = resource_text(host, "proc/driver/nvidia/version");
        const char *p = text ? strstr(text, "Kernel Module") : NULL;
        if (!p)
                return;
        p += strcspn(p, "0123456789");
        _cleanup_free_ char *version = xstrndup(p, strcspn(p, " "));
        json_set_string(o, "nvrm_version", version);
}

static void take_answer(struct resource_host *host, struct json_object *o, const char *address)
{
        if (!host->has_asked_nvidia && host->ask_nvidia)
                host->nvidia = host->ask_nvidia();
        host->has_asked_nvidia = true;
        struct json_object *found = json_get_object(host->nvidia, address);
        if (!found)
                return;
        json_object_object_foreach(found, key, value)
                json_set_string(o, key, json_object_get_string(value));
}

void resource_set_nvidia(struct resource_host *host, struct json_object *card, const char *address)
{
        static const char *const always[] = { "architecture", "brand", "cuda_version", "model", "nvrm_version", "uuid" };
        _cleanup_free_ char *text = resource_lines(host, GPU, address);
        struct json_object *o;
        if (!text)
                return;
        o = json_object_new_object();
        for (size_t i = 0; i < ARRAY_SIZE(always); i++)
                json_set_string(o, always[i], "");
        set_version(host, o);
        char *model = resource_line_value(text, "Model"), *uuid = resource_line_value(text, "GPU UUID");
        resource_add_text(o, "model", model);
        resource_add_text(o, "uuid", uuid);
        set_nodes(host, o, text);
        take_answer(host, o, address);
        json_set_take(card, "nvidia", o);
}
