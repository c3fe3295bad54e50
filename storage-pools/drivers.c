/* SPDX-License-Identifier: Apache-2.0 */
#include "storage-pools/driver.h"

const struct config_key storage_pool_keys[] = {
        KEY("source", SERVER, .type = &config_type_path, .scope = ON_POOL, .update = UPDATE_ON_CREATE, .since = "0.1",
            .summary = "Directory of the pool; without one it is made in the daemon's own"),
        KEY("user.*", NONE, .type = &config_type_text, .scope = ON_POOL, .update = UPDATE_LIVE, .since = "0.1",
            .summary = "Free for users"),
        KEY("volatile.initial_source", DAEMON, .type = &config_type_path, .scope = ON_POOL,
            .update = UPDATE_ON_CREATE, .since = "0.1", .summary = "The source as it was given"),
        {},
};

const struct storage_driver *const storage_drivers[] = { &overlay_driver, &dir_driver, NULL };

const struct storage_driver *storage_driver_find(const char *name)
{
        for (const struct storage_driver *const *d = storage_drivers; *d; d++)
                if (streq((*d)->name, name))
                        return *d;
        return NULL;
}

config_tables storage_driver_tables(const struct storage_driver *d)
{
        static const struct config_key *tables[ARRAY_SIZE(storage_drivers)][3];
        size_t i = 0;
        while (storage_drivers[i] != d)
                i++;
        tables[i][0] = storage_pool_keys;
        tables[i][1] = d->keys;
        return tables[i];
}
