/* SPDX-License-Identifier: Apache-2.0 */
#include "api/extensions.h"

#include <stddef.h>

/*
 * LXD's names of what came after its first release; its clients ask for them before they try. One stands here when all of
 * it works. "projects" is the exception: without it no client would even list the one project there is, and creating more
 * is refused in words.
 */
const char *const api_extensions[] = {
        "api_filtering",
        "api_os",
        "console",
        "container_cpu_time",
        "container_exec_recording",
        "container_exec_signal_handling",
        "container_exec_user_group_cwd",
        "container_full",
        "container_host_shutdown_timeout",
        "container_image_properties",
        "container_last_used_at",
        "container_stop_priority",
        "directory_manipulation",
        "etag",
        "event_lifecycle",
        "event_lifecycle_requestor_address",
        "event_location",
        "event_project",
        "file_append",
        "file_delete",
        "file_get_symlink",
        "file_symlinks",
        "firewall_driver",
        "image_create_aliases",
        "image_profiles",
        "image_source_project",
        "image_types",
        "instance_all_projects",
        "instance_bulk_state_change",
        "instance_create_start",
        "instance_file_head",
        "instance_get_full",
        "instance_nic_network",
        "instances",
        "network",
        "network_counters_errors_dropped",
        "network_leases",
        "network_leases_location",
        "network_state",
        "operation_description",
        "patch",
        "profile_usedby",
        "project_usage",
        "projects",
        "server_supported_storage_drivers",
        "storage",
        "storage_volatile_initial_source",
        "usedby_consistency",
        NULL,
};
