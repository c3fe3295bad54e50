/* SPDX-License-Identifier: Apache-2.0 */
/*
 * This daemon's part of the host's user ids. The 32-bit space is cut into places of 2^27; each daemon of the host takes
 * one for as long as it is known in /run/lightd, and its containers take 2^16 of it each. Files on disk carry ids from
 * 0, so a place need not be the same after a reboot.
 */
#pragma once

#include "server/server.h"

/* Sets s->idmap_base. Blocking: a few small files, at start-up. */
int idmap_claim(struct server *s, struct error *err);
