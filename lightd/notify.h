/* SPDX-License-Identifier: Apache-2.0 */
/* systemd's readiness protocol (sd_notify(3)): one datagram to $NOTIFY_SOCKET; without it nothing happens. */
#pragma once

void notify_ready(void);
void notify_stopping(void);
