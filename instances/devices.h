/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Device types of instances and profiles: one row each. A type that has no row is refused by name, so is a key its row
 * does not know.
 */
#pragma once

#include "api/devices.h"
#include "config/key.h"
#include "server/server.h"

/* The keys of the i-th type, NULL after the last one. */
config_tables device_type_keys(size_t i, const char **ret_name);

/* The devices of a profile or an instance by themselves: types, names, keys, values. */
int devices_check(struct server *s, const char *project, const struct devices *d, struct error *err);
/* The effective devices of an instance: also what an instance must have. *ret_pool: of the root disk, borrowed. */
int devices_check_instance(struct server *s, const char *project, const struct devices *d, const char **ret_pool,
                           struct error *err);
/* What changes with the effective devices in volatile.*: a nic gets its address, a device that is gone leaves nothing. */
void devices_note(const struct devices *old, const struct devices *now, struct strmap *volatile_config);
