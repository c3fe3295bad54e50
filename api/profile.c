/* SPDX-License-Identifier: Apache-2.0 */
#include "api/profile.h"

static const struct field fields[] = {
        FIELD(profile, name, "name", FIELD_STRING, 0),
        FIELD(profile, description, "description", FIELD_STRING, 0),
        FIELD(profile, config, "config", FIELD_STRMAP, 0),
        FIELD(profile, devices, "devices", FIELD_DEVICES, 0),
        {},
};

const struct type profile_type = { "profile", sizeof(struct profile), fields };
