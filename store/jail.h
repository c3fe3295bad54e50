/* SPDX-License-Identifier: Apache-2.0 */
/* Locks the process into one directory for the rest of its life. Knows nothing of what it will do there. */
#pragma once

#include "base/error.h"

/*
 * Makes dir (0700) if missing, goes there and gives up everything else. As root the directory becomes "/";
 * another user (tests) keeps his view of the file system but gets the same system-call filter.
 */
int jail_enter(const char *dir, struct error *err);
