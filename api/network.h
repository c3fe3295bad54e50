/* SPDX-License-Identifier: Apache-2.0 */
/* A managed network. "managed", "status", "locations" and "used_by" are added by who answers. */
#pragma once

#include "api/field.h"

struct network {
        char *name, *description, *type;
        struct strmap config;
};

extern const struct type network_type;
