/* SPDX-License-Identifier: Apache-2.0 */
#include "api/project.h"

static const struct field fields[] = {
        FIELD(project, name, "name", FIELD_STRING, 0),
        FIELD(project, description, "description", FIELD_STRING, 0),
        FIELD(project, config, "config", FIELD_STRMAP, 0),
        {},
};

const struct type project_type = { "project", sizeof(struct project), fields };
