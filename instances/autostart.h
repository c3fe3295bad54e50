/* SPDX-License-Identifier: Apache-2.0 */
/* Which instances start by themselves: boot.autostart, and what ran when the host or the daemon's user stopped it all. */
#pragma once

#include "instances/instance.h"

/* Its power object says it ran, but its run is gone: the host was rebooted. It starts again, as LXD does it. */
void autostart_note_lost(struct instance *i);
