/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "instances/power.h"

/* Of a stopped, claimed instance: gone from the store, its volume in the trash; the struct is gone when done runs. */
void instance_delete(struct instance *i, power_done_fn done, void *data);
/*
 * Of one that no object names: its name is free at once, its number when its volume is in the trash. The struct goes then.
 * A volume that cannot be removed keeps the number; start-up removes it.
 */
void instance_drop(struct instance *i, const char *pool);
/* An ephemeral one whose run has ended by itself. */
void instance_delete_ephemeral(struct instance *i);
