/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the machine is made of, as GET /1.0/resources tells it: /proc and /sys read in a worker, for a file there may
 * make a driver ask its device. Everything is below host->root_fd, so that tests give a tree of their own. What a file does
 * not say stays out, or is the zero a client expects; nothing here fails.
 * The fields are those of LXD 5.0's API; the files those of the kernel's Documentation/ABI.
 */
#pragma once

#include "base/json.h"
#include "base/strbuf.h"

/* What the driver of a link says of it (ethtool); strings are the kernel's or constants. */
struct resource_link {
        bool has_settings;
        bool is_auto_negotiated;
        int64_t speed;       /* Mbit/s; 0: unknown */
        const char *duplex;  /* "" : unknown */
        const char *port_type, *transceiver_type;
        char firmware_version[33];
        struct json_object *modes, *ports; /* arrays, NULL: none; the caller's */
};

struct resource_host {
        int root_fd;
        int (*ask_link)(const char *name, struct resource_link *ret); /* NULL: nobody to ask. 0 or -errno */
        struct json_object *(*ask_nvidia)(void);                      /* NULL: nobody to ask; see resources_nvidia_parse */
        struct json_object *nvidia;                                   /* its answer */
        bool has_asked_nvidia;
        struct {
                struct strbuf text;
                bool is_read;
        } ids[2]; /* pci.ids and usb.ids: half a megabyte and more, read for the first device */
};
void resource_host_done(struct resource_host *host);

int resource_ask_link(const char *name, struct resource_link *ret);
struct json_object *resource_ask_nvidia(void);
/* The two tables of "nvidia-container-cli info --csv": { pci_address: { field: text } }. */
struct json_object *resources_nvidia_parse(const char *text);
/*
 * A card's vital product data (PCI 2.2, appendix I), bytes of the card: {product_name, entries}; what is cut short or
 * no such data gives what was read until there.
 */
struct json_object *resources_vpd_parse(const uint8_t *data, size_t n);

struct json_object *resources_read(struct resource_host *host);

/* Its parts. */
struct json_object *resources_cpu(struct resource_host *host);
struct json_object *resources_memory(struct resource_host *host);
struct json_object *resources_storage(struct resource_host *host);
struct json_object *resources_network(struct resource_host *host);
struct json_object *resources_pci(struct resource_host *host);
struct json_object *resources_usb(struct resource_host *host);
struct json_object *resources_gpu(struct resource_host *host);
struct json_object *resources_system(struct resource_host *host);

/* ---- for the parts ---- */

/* The trimmed text of a small file, or NULL when there is none or it is empty. */
char *resource_text(struct resource_host *host, const char *fmt, ...) _printf_(2, 3);
/* The same with its lines. */
char *resource_lines(struct resource_host *host, const char *fmt, ...) _printf_(2, 3);
/* Its number (0x… too), or the fallback. */
int64_t resource_number(struct resource_host *host, int64_t fallback, const char *fmt, ...) _printf_(3, 4);
/* Where a link points, whole, or its last part; NULL: no link. */
char *resource_link(struct resource_host *host, const char *fmt, ...) _printf_(2, 3);
char *resource_link_name(struct resource_host *host, const char *fmt, ...) _printf_(2, 3);
bool resource_exists(struct resource_host *host, const char *fmt, ...) _printf_(2, 3);

/* The entries of a directory, sorted as versions are (eth2 before eth10). */
struct resource_names {
        char **items;
        size_t n;
};
void resource_list(struct resource_host *host, struct resource_names *ret, const char *fmt, ...) _printf_(3, 4);
void resource_names_done(struct resource_names *names);
#define _cleanup_resource_names_ _cleanup_(resource_names_done)

/* Text is always there, if empty: clients show it as it is. */
void resource_set_text(struct json_object *o, const char *key, char *take_text);
/* Left out when there is none. */
void resource_add_text(struct json_object *o, const char *key, char *take_text);
/* {list_key: list, "total": n}; VFs of a card and partitions of a disk count as LXD counts them: each by itself. */
struct json_object *resource_totalled(const char *list_key, struct json_object *take_list);
/* Whether one of these cards has this "pci_address". */
bool resource_has_address(struct json_object *list, const char *address);
/* "0000:00:03.0", or "1:2" (bus and number on it): of the bus a device hangs on, NULL: it does not. path: its "device". */
char *resource_pci_address(struct resource_host *host, const char *device_path);
char *resource_usb_address(struct resource_host *host, const char *device_path);
/* driver, driver_version, numa_node of a device directory. */
void resource_set_driver(struct resource_host *host, struct json_object *o, const char *device_path);
/* current_vfs, maximum_vfs, vfs of a card that can have them, as add(host, vf's address) makes these; nothing otherwise. */
void resource_set_sriov(struct resource_host *host, struct json_object *o, const char *device_path,
                        struct json_object *(*vf_new)(struct resource_host *host, const char *address));
/* Whether the device is part of another one: that one shows it. */
bool resource_is_vf(struct resource_host *host, const char *device_path);
/* Addresses of PCI devices whose class begins with these two digits; VFs are left out. */
void resource_list_class(struct resource_host *host, const char *class, struct resource_names *ret);
/* What NVIDIA's driver says of the card at the address; nothing of another's. */
void resource_set_nvidia(struct resource_host *host, struct json_object *o, const char *address);
/* The value of the first "key : value" in lines of such; NULL: none. */
char *resource_line_value(const char *text, const char *key);
/* vendor_id, vendor, product_id, product, from the device's own files and the host's list of names. */
void resource_set_pci_names(struct resource_host *host, struct json_object *o, const char *device_path);
