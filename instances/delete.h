/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "instances/power.h"

/* Of a stopped, claimed instance: gone from the store, its volume in the trash; the struct is gone when done runs. */
void instance_delete(struct instance *i, power_done_fn done, void *data);
/* An ephemeral one whose run has ended by itself. */
void instance_delete_ephemeral(struct instance *i);
