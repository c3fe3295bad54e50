/* SPDX-License-Identifier: Apache-2.0 */
/* Whether containers are confined by AppArmor: the profiles are loaded once, when the daemon starts (runtime/apparmor.c). */
#pragma once

#include "server/server.h"

/* done(data), perhaps at once; a failure is logged, and containers run without. */
void apparmor_load(struct server *s, void (*done)(void *data), void *data);
bool apparmor_is_loaded(void);
