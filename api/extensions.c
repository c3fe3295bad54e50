/* SPDX-License-Identifier: Apache-2.0 */
#include "api/extensions.h"

#include <stddef.h>

const char *const api_extensions[] = {
        "api_filtering",
        "console",
        "container_exec_recording",
        "container_exec_signal_handling",
        "container_exec_user_group_cwd",
        "container_full",
        "directory_manipulation",
        "etag",
        "event_lifecycle",
        "file_append",
        "file_delete",
        "file_get_symlink",
        "file_symlinks",
        "image_create_aliases",
        "instance_create_start",
        "instance_get_full",
        "instance_all_projects",
        "instance_nic_network",
        "instances",
        "network",
        "network_leases",
        "network_state",
        "patch",
        "profile_usedby",
        "storage",
        NULL,
};
