/* SPDX-License-Identifier: Apache-2.0 */
#include "config/keys.h"

/* No core.* key works yet, so each is refused by name. */
const struct config_key config_keys_server[] = {
        KEY("user.*", SERVER, .type = &config_type_text, .scope = ON_SERVER, .update = UPDATE_LIVE, .since = "0.1",
            .summary = "Free for users"),
        {},
};

const struct config_key *const config_tables_server[] = { config_keys_server, NULL };
