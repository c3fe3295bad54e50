/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the daemon's own process may do. It decides and delegates: mounts, namespaces and foreign files are its workers'
 * work. So it keeps few capabilities; the bounding set stays whole, and a worker, being root, gains all of it by its exec.
 */
#pragma once

/* 0 or -errno. After the places are prepared, before anybody is answered. */
int privileges_trim(void);
