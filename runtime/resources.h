/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the machine is made of, as GET /1.0/resources tells it: /proc and /sys read in a worker, for a file there may
 * make a driver ask its device. Everything is below root_fd, so that tests give a tree of their own. What a file does
 * not say stays out, or is the zero a client expects; nothing here fails.
 * The fields are those of LXD 5.0's API; the files those of the kernel's Documentation/ABI.
 */
#pragma once

#include "base/json.h"

struct json_object *resources_read(int root_fd);

/* Its parts. */
struct json_object *resources_cpu(int root_fd);
struct json_object *resources_memory(int root_fd);
struct json_object *resources_storage(int root_fd);
struct json_object *resources_network(int root_fd);
struct json_object *resources_pci(int root_fd);
struct json_object *resources_usb(int root_fd);
struct json_object *resources_gpu(int root_fd);
struct json_object *resources_system(int root_fd);

/* ---- for the parts ---- */

/* The trimmed text of a small file, or NULL when there is none or it is empty. */
char *resource_text(int root_fd, const char *fmt, ...) _printf_(2, 3);
/* Its number (0x… too), or the fallback. */
int64_t resource_number(int root_fd, int64_t fallback, const char *fmt, ...) _printf_(3, 4);
/* Where a link points, whole, or its last part; NULL: no link. */
char *resource_link(int root_fd, const char *fmt, ...) _printf_(2, 3);
char *resource_link_name(int root_fd, const char *fmt, ...) _printf_(2, 3);
bool resource_exists(int root_fd, const char *fmt, ...) _printf_(2, 3);

/* The entries of a directory, sorted as versions are (eth2 before eth10). */
struct resource_names {
        char **items;
        size_t n;
};
void resource_list(int root_fd, struct resource_names *ret, const char *fmt, ...) _printf_(3, 4);
void resource_names_done(struct resource_names *names);
#define _cleanup_resource_names_ _cleanup_(resource_names_done)

/* Text is always there, if empty: clients show it as it is. */
void resource_set_text(struct json_object *o, const char *key, char *take_text);
/* {list_key: list, "total": n} */
struct json_object *resource_totalled(const char *list_key, struct json_object *take_list);
/* "0000:00:03.0" or "1-2": the address of the bus a device hangs on, "" when it is none of these. path: its "device". */
char *resource_pci_address(int root_fd, const char *device_path);
char *resource_usb_address(int root_fd, const char *device_path);
/* driver, driver_version, numa_node of a device directory. */
void resource_set_driver(int root_fd, struct json_object *o, const char *device_path);
/* vendor_id, vendor, product_id, product, from the device's own files and the host's list of names. */
void resource_set_pci_names(int root_fd, struct json_object *o, const char *device_path);
