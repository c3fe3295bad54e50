/* SPDX-License-Identifier: Apache-2.0 */
/* A project: a name space for instances, profiles, images and networks. "used_by" is added by who answers. */
#pragma once

#include "api/field.h"

struct project {
        char *name, *description;
        struct strmap config;
};

extern const struct type project_type;
