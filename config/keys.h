/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The tables that belong to no single family: instances and profiles take the same keys, and the server itself has
 * none of its own family. Pool keys are in storage-pools/, network keys in networks/.
 */
#pragma once

#include "config/key.h"

extern const struct config_key config_keys_instance[];
extern const struct config_key config_keys_server[];

/* Ready for config_validate(). */
extern const struct config_key *const config_tables_instance[];
extern const struct config_key *const config_tables_server[];
