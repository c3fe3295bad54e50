/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a monitor keeps for the life of its container: its run directory as its root, CAP_KILL, the system calls that
 * monitor.c and console.c make. It reads what a guest writes, and runs as root on the host. Whoever adds a call to those
 * adds it to the list here.
 */
#pragma once

/* For good. 0 or -errno. */
int monitor_jail_enter(int run_dir_fd);
