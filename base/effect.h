/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Side effects and their failpoints. A piece of code that changes the world outside the store says so right before
 * and right after:
 *
 *      effect_point(EFFECT_NIC_CREATE, EFFECT_BEFORE);
 *      r = link_create_veth(…);
 *      effect_point(EFFECT_NIC_CREATE, EFFECT_AFTER);
 *
 * With LIGHTD_FAILPOINT=<name>:<before|after>:<daemon|store|self> in the environment (tests only; root's environment
 * is root's business) the process named is killed with SIGKILL at that point and the caller goes on, or dies if it is
 * the one. `daemon` is the parent of a worker; `store` comes from LIGHTD_STORE_PID.
 */
#pragma once

#include "base/macros.h"

enum effect {
#define EFFECT(id, name, leaves, undo) EFFECT_##id,
#include "base/effects.def"
#undef EFFECT
        _EFFECT_MAX,
};

enum effect_when { EFFECT_BEFORE, EFFECT_AFTER };

void effect_point(enum effect e, enum effect_when when);
const char *effect_name(enum effect e);
const char *effect_leaves(enum effect e);
const char *effect_undo(enum effect e);
