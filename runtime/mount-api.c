/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/mount-api.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int configure(int fs_fd, const struct mount_option *options)
{
        for (; options && options->key; options++) {
                unsigned command = options->value ? FSCONFIG_SET_STRING : FSCONFIG_SET_FLAG;
                if (fsconfig(fs_fd, command, options->key, options->value, 0) < 0)
                        return -errno;
        }
        return fsconfig(fs_fd, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0 ? -errno : 0;
}

int mount_new(const char *type, unsigned attributes, const struct mount_option *options)
{
        _cleanup_close_ int fs_fd = fsopen(type, FSOPEN_CLOEXEC);
        if (fs_fd < 0)
                return -errno;
        int r = configure(fs_fd, options);
        if (r < 0)
                return r;
        int fd = fsmount(fs_fd, FSMOUNT_CLOEXEC, attributes);
        return fd < 0 ? -errno : fd;
}

int mount_clone(int dir_fd, const char *path, bool is_recursive)
{
        unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | (is_recursive ? AT_RECURSIVE : 0);
        int fd = open_tree(dir_fd, path, flags | (*path ? 0 : AT_EMPTY_PATH));
        return fd < 0 ? -errno : fd;
}

int mount_set(int mount_fd, unsigned set, unsigned clear, int userns_fd, bool is_recursive)
{
        struct mount_attr attr = { .attr_set = set, .attr_clr = clear };
        if (userns_fd >= 0) {
                attr.attr_set |= MOUNT_ATTR_IDMAP;
                attr.userns_fd = (uint64_t)userns_fd;
        }
        unsigned flags = AT_EMPTY_PATH | (is_recursive ? AT_RECURSIVE : 0);
        return mount_setattr(mount_fd, "", flags, &attr, sizeof attr) < 0 ? -errno : 0;
}

int mount_attach(int mount_fd, int target_fd)
{
        unsigned flags = MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH;
        return move_mount(mount_fd, "", target_fd, "", flags) < 0 ? -errno : 0;
}

int mount_attach_at(int mount_fd, int dir_fd, const char *name)
{
        return move_mount(mount_fd, "", dir_fd, name, MOVE_MOUNT_F_EMPTY_PATH) < 0 ? -errno : 0;
}

static int make_last(int parent_fd, const char *name, bool is_directory)
{
        if (is_directory)
                return mkdirat(parent_fd, name, 0755) < 0 && errno != EEXIST ? -errno : 0;
        int fd = openat(parent_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
        if (fd < 0)
                return errno == EEXIST ? 0 : -errno;
        fd_close(fd);
        return 0;
}

int mount_target(int root_fd, const char *path, bool is_directory)
{
        int fd = path_open_inroot(root_fd, path, O_PATH | (is_directory ? O_DIRECTORY : 0), 0);
        if (fd != -ENOENT)
                return fd;
        _cleanup_free_ char *copy = xstrdup(path);
        char *slash = strrchr(copy, '/');
        if (!slash || !slash[1])
                return -EINVAL;
        *slash = '\0';
        _cleanup_close_ int parent = mount_target(root_fd, *copy ? copy : "/", true);
        if (parent < 0)
                return parent;
        int r = make_last(parent, slash + 1, is_directory);
        return r < 0 ? r : path_open_inroot(root_fd, path, O_PATH | (is_directory ? O_DIRECTORY : 0), 0);
}
