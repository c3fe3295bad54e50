/* SPDX-License-Identifier: Apache-2.0 */
/* A profile: configuration and devices shared by instances. "used_by" is added by who answers. */
#pragma once

#include "api/field.h"

struct profile {
        char *name, *description;
        struct strmap config;
        struct devices devices;
};

extern const struct type profile_type;
