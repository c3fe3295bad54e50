/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Room on the disk that only urgent transactions may use: on a full disk one must be able to delete things,
 * and a deletion is first of all something more to write. A file "reserve" in the current directory holds the
 * blocks.
 */
#pragma once

#include "base/macros.h"

#define RESERVE_MAX MiB(4)

/* Holds a sixteenth of the free space, at most RESERVE_MAX, unless it already does. What fails is tried
 * later. */
void reserve_make(void);
/* True if there was something to give back. */
bool reserve_release(void);
