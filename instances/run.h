/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by start.c, stop.c, ended.c and recover.c: the run of one instance from the inside. */
#pragma once

#include "instances/power.h"
#include "runtime/monitor-protocol.h"

/* A copy of the power object in another state. The caller owns it. */
struct instance_power *power_next(const struct instance *i, const char *state);
/* What is written down says that something of it may be alive. */
bool instance_may_run(const struct instance *i);
/* The kernel's word for this boot of the host. */
const char *host_boot_id(void);
/* At start-up: how a run that is over ended, as its monitor wrote it down. -ENOENT: nobody did. */
int instance_read_exit(const struct instance *i, struct monitor_exit *ret);
/* Init has ended (e NULL: the monitor was lost): everything that follows from it. */
void instance_ended(struct instance *i, const struct monitor_exit *e);
/* stop.c: the stop under way is through. */
void instance_stop_ended(struct instance *i);
/* Writes to a file of the container's cgroup2 group: "payload/cgroup.kill". 0 or -errno. */
int instance_cgroup_write(struct instance *i, const char *file, const char *value);
