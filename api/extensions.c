/* SPDX-License-Identifier: Apache-2.0 */
#include "api/extensions.h"

#include <stddef.h>

const char *const api_extensions[] = {
        "api_filtering",
        "console",
        "container_exec_recording",
        "container_exec_user_group_cwd",
        "container_full",
        "directory_manipulation",
        "etag",
        "exec_control_signal",
        "file_append",
        "file_delete",
        "file_symlinks",
        "image_create_aliases",
        "instance_create_start",
        "instance_get_full",
        "instance_all_projects",
        "instances",
        "network",
        "network_leases",
        "network_state",
        "patch",
        "projects",
        "storage",
        NULL,
};
