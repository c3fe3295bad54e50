/* SPDX-License-Identifier: Apache-2.0 */
/* Into a container's AppArmor profile: by this process's own attribute, before anything of the guest's is looked at. */
#pragma once

/*
 * The next program that this process, or a child it forks, executes runs in the profile. Before a guest's namespaces are
 * entered: below its /proc the attribute might be any file.
 */
int apparmor_confine_next(const char *profile);
/* The same with the profile of a container's init, if it has one: a command is never in another one than its instance. */
int apparmor_confine_next_as(int pidfd);
