/* SPDX-License-Identifier: Apache-2.0 */
/* What the process calls of profiles/. */
#pragma once

#include "profiles/profile.h"

void profiles_register(struct server *s);
/* Puts the default profile, without devices, into the change of the first start. */
void profiles_first_start(struct server *s, struct change *c);
