/* SPDX-License-Identifier: Apache-2.0 */
#include "api/network.h"

static const struct field fields[] = {
        FIELD(network, name, "name", FIELD_STRING, 0),
        FIELD(network, description, "description", FIELD_STRING, 0),
        FIELD(network, type, "type", FIELD_STRING, 0),
        FIELD(network, config, "config", FIELD_STRMAP, 0),
        {},
};

const struct type network_type = { "network", sizeof(struct network), fields };
