/* SPDX-License-Identifier: Apache-2.0 */
#include "api/guest-access.h"

static const struct field exec_fields[] = {
        FIELD(instance_exec_post, command, "command", FIELD_STRLIST, FIELD_REQUIRED),
        FIELD(instance_exec_post, environment, "environment", FIELD_STRMAP, 0),
        FIELD(instance_exec_post, cwd, "cwd", FIELD_STRING, 0),
        FIELD(instance_exec_post, user, "user", FIELD_INT, 0),
        FIELD(instance_exec_post, group, "group", FIELD_INT, 0),
        FIELD(instance_exec_post, width, "width", FIELD_INT, 0),
        FIELD(instance_exec_post, height, "height", FIELD_INT, 0),
        FIELD(instance_exec_post, interactive, "interactive", FIELD_BOOL, 0),
        FIELD(instance_exec_post, record_output, "record-output", FIELD_BOOL, 0),
        FIELD(instance_exec_post, wait_for_websocket, "wait-for-websocket", FIELD_BOOL, 0),
        { 0 },
};
const struct type instance_exec_post_type = { "exec", sizeof(struct instance_exec_post), exec_fields };

static const struct field console_fields[] = {
        FIELD(instance_console_post, type, "type", FIELD_STRING, 0),
        FIELD(instance_console_post, width, "width", FIELD_INT, 0),
        FIELD(instance_console_post, height, "height", FIELD_INT, 0),
        { 0 },
};
const struct type instance_console_post_type = { "console", sizeof(struct instance_console_post),
                                                 console_fields };
