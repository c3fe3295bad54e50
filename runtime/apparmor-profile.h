/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The AppArmor profiles that containers run in, as the text apparmor_parser reads. One for each kind of container and not
 * for each container: what keeps containers from each other are their namespaces and ids, and a launch loads nothing.
 * Pure: knows no kernel and no file.
 */
#pragma once

#include "base/strbuf.h"
#include <stdbool.h>

#define APPARMOR_PREFIX "lightd-container"

/* The profile of a kind of container. */
const char *apparmor_profile_name(bool is_privileged, bool is_nesting);
/* All of them, in one text. */
void apparmor_profiles_write(struct strbuf *to);
