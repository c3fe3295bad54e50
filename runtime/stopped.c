/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/stopped.h"
#include "base/fd.h"
#include "runtime/namespace.h"
#include "runtime/rootfs.h"

#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Any directory does that every host has and no layer or volume lies below; only this process sees the stage
 * there. */
#define STAGE_DIR "/proc/fs"

static int read_args(struct json_object *args, struct spec_rootfs *ret_rootfs, struct spec_idmap *ret_map,
                     struct error *err)
{
        int r = spec_parse_idmap(json_get_object(args, "idmap"), ret_map, err);
        if (r == 0 && ret_map->base == 0 && !json_get_bool(args, "privileged", false))
                return error_set(err, ERR_BAD_REQUEST,
                                 "The arguments have no \"idmap\" for an unprivileged instance");
        return r < 0 ? r : spec_parse_rootfs(json_get_object(args, "rootfs"), ret_rootfs, err);
}

static int assemble(const struct spec_rootfs *rootfs, const struct spec_idmap *map, int *ret_userns_fd,
                    struct error *err)
{
        _cleanup_close_ int userns = -EBADF;
        if (map->base) {
                userns = namespace_make_user(map);
                if (userns < 0)
                        return error_set_errno(err, userns, "Making a user namespace");
        }
        int r = rootfs_prepare(rootfs, err);
        if (r == 0)
                r = namespace_stage(STAGE_DIR, err);
        if (r < 0)
                return r;
        r = namespace_become_mapped(map);
        if (r < 0)
                return error_set_errno(err, r, "Taking the ids of the instance");
        r = rootfs_attach(rootfs, map, userns, err);
        if (r == 0)
                *ret_userns_fd = TAKE_FD(userns);
        return r;
}

int stopped_tree_assemble(struct json_object *args, struct stopped_tree *ret, struct error *err)
{
        struct spec_rootfs rootfs = { 0 };
        struct spec_idmap map = { 0 };
        int r = read_args(args, &rootfs, &map, err);
        if (r == 0)
                r = assemble(&rootfs, &map, &ret->userns_fd, err);
        spec_rootfs_done(&rootfs);
        return r;
}

void stopped_tree_done(struct stopped_tree *s)
{
        fd_reset(&s->userns_fd);
}

/* The mount copied with the namespace is locked; a bind of it on itself can become the root. */
static int pivot(void)
{
        if (mount(ROOTFS_STAGE, ROOTFS_STAGE, NULL, MS_BIND, NULL) < 0 || chdir(ROOTFS_STAGE) < 0)
                return -errno;
        if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0)
                return -errno;
        return chdir("/") < 0 ? -errno : 0;
}

int stopped_tree_enter(const struct stopped_tree *s)
{
        if (s->userns_fd >= 0 && setns(s->userns_fd, CLONE_NEWUSER) < 0)
                return -errno;
        if (unshare(CLONE_NEWNS) < 0)
                return -errno;
        int r = pivot();
        return r < 0 ? r : namespace_become_root();
}
