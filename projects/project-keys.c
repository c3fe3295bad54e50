/* SPDX-License-Identifier: Apache-2.0 */
/* The keys of projects. Limits and restrictions come with further projects; until then they are refused by name. */
#include "projects/project.h"

#define FEATURE(key, shared)                                                                                 \
        KEY(key, SERVER, .type = &config_type_bool, .scope = ON_PROJECT, .update = UPDATE_ON_CREATE,         \
            .fallback = "false", .since = "0.1", .summary = "Whether it has " shared " of its own, or those of \"default\"")

static const struct config_key keys[] = {
        FEATURE("features.images", "images"),
        FEATURE("features.networks", "networks"),
        FEATURE("features.profiles", "profiles"),
        FEATURE("features.storage.volumes", "storage volumes"),
        KEY("user.*", SERVER, .type = &config_type_text, .scope = ON_PROJECT, .update = UPDATE_LIVE, .since = "0.1",
            .summary = "Free for users"),
        {},
};

const struct config_key *const project_tables[] = { keys, NULL };
