/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "server/request.h"

extern const struct route server_routes[];
extern const struct object_kind server_config_kind;
/* Something GET /1.0 shows has changed (a pool's driver, the configuration). */
void server_api_forget(void);
