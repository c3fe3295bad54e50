/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For a process of ours that needs few system calls from now on: all others answer EPERM. Not for guests, whose filter
 * (runtime/seccomp.c) forbids few and knows foreign ABIs.
 */
#pragma once

#include "base/macros.h"

/* For good, for this thread and what it forks; sets no_new_privs. At most 200 numbers. 0 or -errno. */
int syscall_filter_allow(const unsigned *numbers, size_t n);
