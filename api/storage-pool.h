/* SPDX-License-Identifier: Apache-2.0 */
/* A storage pool as clients see it. "used_by" is added by who answers. */
#pragma once

#include "api/field.h"

struct storage_pool {
        char *name, *driver, *description, *status;
        struct strmap config;
        struct strlist locations; /* LXD's cluster members; here always "none" */
};

extern const struct type storage_pool_type;
