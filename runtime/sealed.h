/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our program file, out of reach of a privileged container. Its root is the host's, sees our processes before
 * they exec as /proc/<pid>/exe, can make a command out of "#!/proc/self/exe", and so could open our file and
 * write to it later. So what enters such a container runs from a detached, read-only mount of the file. An
 * unprivileged container's root owns nothing of ours and needs none of this. Must not know which job is run.
 */
#pragma once

#include "base/error.h"
#include "base/json.h"

/*
 * Starts this program's job again from a read-only mount, with the same arguments and descriptors; returns 0
 * only when it already runs from one.
 */
int sealed_ensure(const char *job, struct json_object *args, struct error *err);
