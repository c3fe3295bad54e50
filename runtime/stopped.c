/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/stopped.h"
#include "base/fd.h"

int stopped_tree_assemble(struct json_object *args _unused_, struct stopped_tree *ret _unused_, struct error *err)
{
        return error_set(err, ERR_UNSUPPORTED, "The files of a stopped instance cannot be reached yet");
}

void stopped_tree_done(struct stopped_tree *s)
{
        fd_reset(&s->root_fd);
        fd_reset(&s->userns_fd);
}

int stopped_tree_enter(const struct stopped_tree *s _unused_)
{
        return -ENOTSUP;
}
