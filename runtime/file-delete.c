/* SPDX-License-Identifier: Apache-2.0 */
/* The job `file-delete`: {"path"}. A file, link, device or socket goes; a directory only if it is empty. */
#include "runtime/file.h"
#include "runtime/jobs.h"
#include "base/fd.h"

#include <fcntl.h>
#include <unistd.h>

static int delete (struct guest_tree *tree, struct json_object *args _unused_,
                   struct json_object **ret_result _unused_, struct error *err)
{
        _cleanup_free_ char *name = NULL;
        _cleanup_close_ int parent = -EBADF;
        int r = guest_tree_parent(tree, &parent, &name, err);
        if (r < 0)
                return r;
        /* One component, looked up without following it. */
        if (unlinkat(parent, name, 0) == 0 || (errno == EISDIR && unlinkat(parent, name, AT_REMOVEDIR) == 0))
                return 0;
        if (errno == ENOTEMPTY || errno == EEXIST)
                return error_set(err, ERR_BAD_REQUEST, "The directory \"%s\" is not empty", tree->path);
        return error_set_errno(err, -errno, "Deleting \"%s\"", tree->path);
}

int job_file_delete(struct json_object *args, struct json_object **ret_result _unused_, struct error *err)
{
        return guest_tree_run("file-delete", args, delete, err);
}
