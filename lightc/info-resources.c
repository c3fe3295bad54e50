/* SPDX-License-Identifier: Apache-2.0 */
#include "lightc/info-resources.h"
#include "base/alloc.h"
#include "lightc/output.h"

/*
 * Text as `lxc info --resources` lays it out. A part of which there is one is its own paragraph ("GPU:"), of which there
 * are more a numbered list ("GPUs:", "Card 0:"), and what is in it moves in by as much.
 */
struct page {
        struct strbuf *out;
        int indent;
};

static void _printf_(2, 3) line(const struct page *p, const char *fmt, ...)
{
        va_list ap;
        strbuf_addf(p->out, "%*s", p->indent, "");
        va_start(ap, fmt);
        strbuf_addv(p->out, fmt, ap);
        va_end(ap);
        strbuf_addc(p->out, '\n');
}

static struct page in(const struct page *p, int by)
{
        return (struct page){ p->out, p->indent + by };
}

static const char *text(struct json_object *o, const char *key)
{
        return json_get_string(o, key, "");
}

static long long number(struct json_object *o, const char *key)
{
        return (long long)json_get_int(o, key, 0);
}

static const char *yes(struct json_object *o, const char *key)
{
        return json_get_bool(o, key, false) ? "true" : "false";
}

static size_t count(struct json_object *list)
{
        return list ? json_object_array_length(list) : 0;
}

static void add_text(const struct page *p, const char *label, struct json_object *o, const char *key)
{
        if (!str_empty(text(o, key)))
                line(p, "%s: %s", label, text(o, key));
}

/* "Label: name (id)" */
static void add_pair(const struct page *p, const char *label, struct json_object *o, const char *key, const char *id_key)
{
        if (!str_empty(text(o, key)))
                line(p, "%s: %s (%s)", label, text(o, key), text(o, id_key));
}

static void add_size(const struct page *p, const char *label, int64_t bytes)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        output_size_binary(bytes, &b);
        line(p, "%s: %s", label, strbuf_str(&b));
}

static int compare_keys(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* ---- processors ---- */

/* A cache's size is always round. */
static void add_cache(const struct page *p, struct json_object *cache)
{
        long long size = number(cache, "size");
        const char *unit = "B";
        static const char *const units[] = { "KiB", "MiB", "GiB" };
        for (size_t i = 0; i < ARRAY_SIZE(units) && size >= 1024; i++) {
                size = (size + 512) / 1024;
                unit = units[i];
        }
        line(p, "- Level %lld (type: %s): %lld%s", number(cache, "level"), text(cache, "type"), size, unit);
}

static void add_core(const struct page *p, struct json_object *core)
{
        struct json_object *threads = json_get_array(core, "threads");
        struct page inner = in(p, 2), list = in(p, 4);
        line(p, "- Core %lld", number(core, "core"));
        line(&inner, "Frequency: %lldMhz", number(core, "frequency"));
        line(&inner, "Threads:");
        for (size_t i = 0; i < count(threads); i++) {
                struct json_object *o = json_object_array_get_idx(threads, i);
                line(&list, "- %lld (id: %lld, online: %s, NUMA node: %lld)", number(o, "thread"), number(o, "id"),
                     yes(o, "online"), number(o, "numa_node"));
        }
}

static void add_frequency(const struct page *p, struct json_object *o)
{
        if (!number(o, "frequency"))
                return;
        if (number(o, "frequency_turbo") && number(o, "frequency_minimum"))
                line(p, "Frequency: %lldMhz (min: %lldMhz, max: %lldMhz)", number(o, "frequency"),
                     number(o, "frequency_minimum"), number(o, "frequency_turbo"));
        else
                line(p, "Frequency: %lldMhz", number(o, "frequency"));
}

static void add_socket(const struct page *p, struct json_object *o)
{
        struct json_object *caches = json_get_array(o, "cache"), *cores = json_get_array(o, "cores");
        struct page list = in(p, 2);
        add_text(p, "Vendor", o, "vendor");
        add_text(p, "Name", o, "name");
        line(p, "Caches:"); /* also where the kernel names none, as LXD's client writes it */
        for (size_t i = 0; i < count(caches); i++)
                add_cache(&list, json_object_array_get_idx(caches, i));
        line(p, "Cores:");
        for (size_t i = 0; i < count(cores); i++)
                add_core(&list, json_object_array_get_idx(cores, i));
        add_frequency(p, o);
}

static void add_processors(const struct page *p, struct json_object *cpu)
{
        struct json_object *sockets = json_get_array(cpu, "sockets");
        bool is_one = count(sockets) == 1;
        struct page title = in(p, 2), inner = in(p, is_one ? 2 : 4);
        line(p, "%s (%s):", is_one ? "CPU" : "CPUs", text(cpu, "architecture"));
        for (size_t i = 0; i < count(sockets); i++) {
                struct json_object *o = json_object_array_get_idx(sockets, i);
                if (!is_one)
                        line(&title, "Socket %lld:", number(o, "socket"));
                add_socket(&inner, o);
        }
}

/* ---- memory ---- */

static void add_memory_use(const struct page *p, struct json_object *o)
{
        struct page inner = in(p, 2);
        long long pages = number(o, "hugepages_total");
        if (pages) {
                line(p, "Hugepages:");
                add_size(&inner, "Free", pages - number(o, "hugepages_used"));
                add_size(&inner, "Used", number(o, "hugepages_used"));
                add_size(&inner, "Total", pages);
        }
}

static void add_memory_sum(const struct page *p, struct json_object *o)
{
        add_size(p, "Free", number(o, "total") - number(o, "used"));
        add_size(p, "Used", number(o, "used"));
        add_size(p, "Total", number(o, "total"));
}

static void add_memory(const struct page *p, struct json_object *memory)
{
        struct json_object *nodes = json_get_array(memory, "nodes");
        struct page inner = in(p, 2), node = in(p, 4), of_node = in(p, 6);
        line(p, "\nMemory:");
        add_memory_use(&inner, memory);
        if (count(nodes) > 1)
                line(&inner, "NUMA nodes:");
        for (size_t i = 0; count(nodes) > 1 && i < count(nodes); i++) {
                struct json_object *o = json_object_array_get_idx(nodes, i);
                line(&node, "Node %lld:", number(o, "numa_node"));
                add_memory_use(&of_node, o);
                add_memory_sum(&of_node, o);
        }
        add_memory_sum(&inner, memory);
}

/* ---- cards ---- */

static void add_drm(const struct page *p, struct json_object *o)
{
        struct page inner = in(p, 2);
        if (!o)
                return;
        line(p, "DRM:");
        line(&inner, "ID: %lld", number(o, "id"));
        add_pair(&inner, "Card", o, "card_name", "card_device");
        add_pair(&inner, "Control", o, "control_name", "control_device");
        add_pair(&inner, "Render", o, "render_name", "render_device");
}

static void add_nvidia(const struct page *p, struct json_object *o)
{
        struct page inner = in(p, 2);
        if (!o)
                return;
        line(p, "NVIDIA information:");
        line(&inner, "Architecture: %s", text(o, "architecture"));
        line(&inner, "Brand: %s", text(o, "brand"));
        line(&inner, "Model: %s", text(o, "model"));
        line(&inner, "CUDA Version: %s", text(o, "cuda_version"));
        line(&inner, "NVRM Version: %s", text(o, "nvrm_version"));
        line(&inner, "UUID: %s", text(o, "uuid"));
}

static void add_profile(const struct page *p, const char *name, struct json_object *o)
{
        struct page inner = in(p, 4);
        line(p, "- %s (%lld available)", name, number(o, "available"));
        for (const char *s = text(o, "description"); *s;) {
                size_t n = strcspn(s, "\n");
                line(&inner, "%.*s", (int)n, s);
                s += n + (s[n] != '\0');
        }
}

static void add_mdev(const struct page *p, struct json_object *mdev)
{
        struct page inner = in(p, 2);
        size_t n = 0;
        if (!mdev || json_object_object_length(mdev) == 0)
                return;
        _cleanup_free_ const char **names = xnew_array(const char *, (size_t)json_object_object_length(mdev));
        json_object_object_foreach(mdev, name, profile) {
                (void)profile;
                names[n++] = name;
        }
        qsort(names, n, sizeof *names, compare_keys);
        line(p, "Mdev profiles:");
        for (size_t i = 0; i < n; i++)
                add_profile(&inner, names[i], json_get_object(mdev, names[i]));
}

typedef void add_card_function(const struct page *p, struct json_object *o);

/* The parts of a card, each a card with a dash before its first line. */
static void add_sriov(const struct page *p, struct json_object *o, add_card_function *add_card)
{
        struct json_object *list = json_get_array(o, "vfs");
        struct page inner = in(p, 2), vf = in(p, 4);
        if (!o)
                return;
        line(p, "SR-IOV information:");
        line(&inner, "Current number of VFs: %lld", number(o, "current_vfs"));
        line(&inner, "Maximum number of VFs: %lld", number(o, "maximum_vfs"));
        if (count(list))
                line(&inner, "VFs: %lld", number(o, "maximum_vfs"));
        for (size_t i = 0; i < count(list); i++) {
                size_t at = p->out->len;
                add_card(&vf, json_object_array_get_idx(list, i));
                if (p->out->len > at + (size_t)vf.indent)
                        p->out->data[at + (size_t)inner.indent] = '-';
        }
}

static void add_card_head(const struct page *p, struct json_object *o)
{
        line(p, "NUMA node: %lld", number(o, "numa_node"));
        add_pair(p, "Vendor", o, "vendor", "vendor_id");
        add_pair(p, "Product", o, "product", "product_id");
        add_text(p, "PCI address", o, "pci_address");
        add_pair(p, "Driver", o, "driver", "driver_version");
}

static void add_gpu(const struct page *p, struct json_object *o)
{
        add_card_head(p, o);
        add_drm(p, json_get_object(o, "drm"));
        add_nvidia(p, json_get_object(o, "nvidia"));
        add_sriov(p, json_get_object(o, "sriov"), add_gpu);
        add_mdev(p, json_get_object(o, "mdev"));
}

static void add_words(const struct page *p, const char *label, struct json_object *list)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        for (size_t i = 0; i < count(list); i++)
                strbuf_addf(&b, "%s%s", i ? ", " : "", json_object_get_string(json_object_array_get_idx(list, i)));
        if (b.len)
                line(p, "%s: %s", label, strbuf_str(&b));
}

static void add_infiniband(const struct page *p, struct json_object *o)
{
        struct page inner = in(p, 2);
        if (!o)
                return;
        line(p, "Infiniband:");
        add_pair(&inner, "IsSM", o, "issm_name", "issm_device");
        add_pair(&inner, "MAD", o, "mad_name", "mad_device");
        add_pair(&inner, "Verb", o, "verb_name", "verb_device");
}

static void add_port(const struct page *p, struct json_object *o)
{
        struct page inner = in(p, 2);
        line(p, "- Port %lld (%s)", number(o, "port"), text(o, "protocol"));
        line(&inner, "ID: %s", text(o, "id"));
        add_text(&inner, "Address", o, "address");
        add_words(&inner, "Supported modes", json_get_array(o, "supported_modes"));
        add_words(&inner, "Supported ports", json_get_array(o, "supported_ports"));
        add_text(&inner, "Port type", o, "port_type");
        add_text(&inner, "Transceiver type", o, "transceiver_type");
        line(&inner, "Auto negotiation: %s", yes(o, "auto_negotiation"));
        line(&inner, "Link detected: %s", yes(o, "link_detected"));
        if (number(o, "link_speed"))
                line(&inner, "Link speed: %lldMbit/s (%s duplex)", number(o, "link_speed"), text(o, "link_duplex"));
        add_infiniband(&inner, json_get_object(o, "infiniband"));
}

static void add_nic(const struct page *p, struct json_object *o)
{
        struct json_object *ports = json_get_array(o, "ports");
        struct page list = in(p, 2);
        add_card_head(p, o);
        if (count(ports))
                line(p, "Ports:");
        for (size_t i = 0; i < count(ports); i++)
                add_port(&list, json_object_array_get_idx(ports, i));
        add_sriov(p, json_get_object(o, "sriov"), add_nic);
}

/* ---- disks ---- */

static void add_partition(const struct page *p, struct json_object *o)
{
        struct page inner = in(p, 2);
        line(p, "- Partition %lld", number(o, "partition"));
        line(&inner, "ID: %s", text(o, "id"));
        line(&inner, "Device: %s", text(o, "device"));
        line(&inner, "Read-Only: %s", yes(o, "read_only"));
        add_size(&inner, "Size", number(o, "size"));
}

static void add_disk(const struct page *p, struct json_object *o)
{
        struct json_object *partitions = json_get_array(o, "partitions");
        struct page list = in(p, 2);
        line(p, "NUMA node: %lld", number(o, "numa_node"));
        line(p, "ID: %s", text(o, "id"));
        line(p, "Device: %s", text(o, "device"));
        add_text(p, "Model", o, "model");
        add_text(p, "Type", o, "type");
        add_size(p, "Size", number(o, "size"));
        add_text(p, "WWN", o, "wwn");
        line(p, "Read-Only: %s", yes(o, "read_only"));
        line(p, "Removable: %s", yes(o, "removable"));
        if (count(partitions))
                line(p, "Partitions:");
        for (size_t i = 0; i < count(partitions); i++)
                add_partition(&list, json_object_array_get_idx(partitions, i));
}

/* ---- the page ---- */

static void add_cards(const struct page *p, struct json_object *list, const char *title, const char *item,
                      add_card_function *add_card)
{
        struct page numbered = in(p, 2), inner = in(p, count(list) == 1 ? 2 : 4);
        if (count(list) == 0)
                return;
        line(p, "\n%s%s:", title, count(list) == 1 ? "" : "s");
        for (size_t i = 0; i < count(list); i++) {
                if (count(list) > 1)
                        line(&numbered, "%s %zu:", item, i);
                add_card(&inner, json_object_array_get_idx(list, i));
        }
}

void info_resources(struct json_object *resources, struct strbuf *out)
{
        struct page p = { out, 0 };
        add_processors(&p, json_get_object(resources, "cpu"));
        add_memory(&p, json_get_object(resources, "memory"));
        add_cards(&p, json_get_array(json_get_object(resources, "gpu"), "cards"), "GPU", "Card", add_gpu);
        add_cards(&p, json_get_array(json_get_object(resources, "network"), "cards"), "NIC", "Card", add_nic);
        add_cards(&p, json_get_array(json_get_object(resources, "storage"), "disks"), "Disk", "Disk", add_disk);
}
