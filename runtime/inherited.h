/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a process inherits and exec keeps: scheduling, memory policy, personality, dump filter, OOM score, resource limits,
 * session keyring. A guest's process gets what a freshly booted kernel gives its first one, whatever shell, service or
 * administrator's session started the daemon. Knows no container.
 */
#pragma once

#include "base/macros.h"

/*
 * For a process on its way into a container, before it enters a user namespace: only the host's root may raise a limit
 * or lower a score. What even that may not change here is kept. -errno when something of the host's would remain.
 */
int inherited_reset(void);

/*
 * The rest, last of all, inside: session keyring of the guest's own, file mode mask, signals, and for a 32-bit system on
 * a 64-bit kernel the personality that makes uname(2) name the machine its programs and packages are for. -errno.
 */
int inherited_reset_inside(bool is_32bit);
