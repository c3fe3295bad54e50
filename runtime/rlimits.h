/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resource limits as a freshly booted kernel gives them to its first process, instead of the daemon's. Before
 * the process enters a user namespace: only the host's root may raise a hard limit. What even that may not
 * raise is kept.
 */
#pragma once

#include "base/macros.h"

int rlimits_reset(void);
