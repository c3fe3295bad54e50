/* SPDX-License-Identifier: Apache-2.0 */
#include "api/storage-pool.h"

static const struct field fields[] = {
        FIELD(storage_pool, name, "name", FIELD_STRING, 0),
        FIELD(storage_pool, driver, "driver", FIELD_STRING, 0),
        FIELD(storage_pool, description, "description", FIELD_STRING, 0),
        FIELD(storage_pool, config, "config", FIELD_STRMAP, 0),
        FIELD(storage_pool, status, "status", FIELD_STRING, FIELD_READONLY),
        FIELD(storage_pool, locations, "locations", FIELD_STRLIST, FIELD_READONLY),
        {},
};

const struct type storage_pool_type = { "storage pool", sizeof(struct storage_pool), fields };
