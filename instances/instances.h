/* SPDX-License-Identifier: Apache-2.0 */
/* What the process (lightd/) asks of instances. */
#pragma once

#include "base/json.h"
#include "server/server.h"

typedef void (*instances_done_fn)(struct server *s, void *data);

void instances_register(struct server *s);
/*
 * Start-up, after the store is loaded and before anybody is answered: finds the monitors of what runs, adopts what was
 * starting and did start, tears down what did not, removes what no object names.
 */
void instances_recover(struct server *s, instances_done_fn done, void *data);
/* Starts what boot.autostart says, and what ran when `lightd shutdown` stopped it, in order and with delays. */
void instances_autostart(struct server *s);
/* Before all that, of a store that is only read: would anything be started, or has anything run that is to be looked after? */
bool instances_want_daemon(struct server *s);
/* Stops every instance by boot.stop.priority and notes that it shall run again; kills after the timeout. */
void instances_shutdown_all(struct server *s, uint64_t timeout_ms, instances_done_fn done, void *data);
/* Members of the environment object in GET /1.0 that only instances know: storage drivers, kernel features. */
void instances_write_environment(struct server *s, struct json_writer *w);
