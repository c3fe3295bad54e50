/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/effect.h"
#include "base/fd.h"
#include "base/path.h"
#include "runtime/jobs.h"
#include "runtime/rootfs.h"

#include <fcntl.h>

int job_volume_create(struct json_object *args, struct json_object **ret_result _unused_, struct error *err)
{
        const char *path = json_get_string(args, "path", ""), *type = json_get_string(args, "type", "");
        int r = spec_check_path(path, "path", err);
        if (r < 0)
                return r;
        if (!streq(type, "overlay") && !streq(type, "dir"))
                return error_set(err, ERR_BAD_REQUEST, "Volume type \"%s\" is not overlay or dir", type);
        effect_point(EFFECT_VOLUME_CREATE, EFFECT_BEFORE);
        r = rootfs_create_volume(path, streq(type, "dir") ? ROOTFS_DIR : ROOTFS_OVERLAY, err);
        effect_point(EFFECT_VOLUME_CREATE, EFFECT_AFTER);
        return r;
}

int job_volume_delete(struct json_object *args, struct json_object **ret_result _unused_, struct error *err)
{
        const char *path = json_get_string(args, "path", "");
        int r = spec_check_path(path, "path", err);
        if (r < 0)
                return r;
        const char *name = strrchr(path, '/') + 1;
        _cleanup_free_ char *parent = xstrndup(path, (size_t)(name - path));
        _cleanup_close_ int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return errno == ENOENT ? 0 : error_set_errno(err, -errno, "Opening \"%s\"", parent);
        effect_point(EFFECT_TRASH_EMPTY, EFFECT_BEFORE);
        r = path_remove_tree(fd, name);
        effect_point(EFFECT_TRASH_EMPTY, EFFECT_AFTER);
        return r < 0 ? error_set_errno(err, r, "Removing the volume \"%s\"", path) : 0;
}
