/* SPDX-License-Identifier: Apache-2.0 */
/* What a client asks for to get at an instance from inside: POST …/exec and POST …/console. */
#pragma once

#include "api/field.h"

struct instance_exec_post {
        struct strlist command;
        struct strmap environment;
        char *cwd;
        int64_t user, group, width, height;
        bool interactive, record_output, wait_for_websocket;
};

struct instance_console_post {
        char *type; /* "console" */
        int64_t width, height;
};

extern const struct type instance_exec_post_type, instance_console_post_type;
