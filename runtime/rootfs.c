/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/rootfs.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "runtime/mount-api.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

static const struct volume_dir {
        enum spec_rootfs_type type;
        const char *name;
        mode_t mode;
} volume_dirs[] = {
        { ROOTFS_OVERLAY, "upper", 0755 },
        { ROOTFS_OVERLAY, "work", 0755 },
        { ROOTFS_OVERLAY, "nested", 0711 },
        { ROOTFS_OVERLAY, "nested/docker", 0711 },
        { ROOTFS_OVERLAY, "nested/containers", 0711 },
        { ROOTFS_OVERLAY, "nested/lightd", 0711 },
        { ROOTFS_DIR, "rootfs", 0755 },
};

int rootfs_create_volume(const char *volume, enum spec_rootfs_type type, struct error *err)
{
        if (mkdir(volume, 0700) < 0 && errno != EEXIST)
                return error_set_errno(err, -errno, "Making the volume \"%s\"", volume);
        _cleanup_close_ int dir = open(volume, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0)
                return error_set_errno(err, -errno, "Opening the volume \"%s\"", volume);
        for (size_t i = 0; i < ARRAY_SIZE(volume_dirs); i++) {
                const struct volume_dir *d = &volume_dirs[i];
                if (d->type != type)
                        continue;
                mode_t old = umask(0);
                int r = mkdirat(dir, d->name, d->mode) < 0 && errno != EEXIST ? -errno : 0;
                umask(old);
                if (r < 0)
                        return error_set_errno(err, r, "Making \"%s\" in the volume \"%s\"", d->name, volume);
        }
        return 0;
}

int rootfs_prepare(const struct spec_rootfs *r, struct error *err)
{
        if (r->create)
                return rootfs_create_volume(r->volume, r->type, err);
        if (access(r->volume, F_OK) < 0)
                return error_set_errno(err, -errno, "Opening the volume \"%s\"", r->volume);
        return 0;
}

static int stage_mount(int mount_fd, const char *name)
{
        if (mkdir(name, 0755) < 0)
                return -errno;
        return mount_attach_at(mount_fd, AT_FDCWD, name);
}

int rootfs_stage_bind(const char *source, const char *name, int userns_fd, bool is_readonly,
                      bool is_recursive)
{
        struct stat st;
        _cleanup_close_ int fd = mount_clone(AT_FDCWD, source, is_recursive);
        if (fd < 0)
                return fd;
        unsigned set = MOUNT_ATTR_NODEV | (is_readonly ? MOUNT_ATTR_RDONLY : 0);
        int r = mount_set(fd, set, 0, userns_fd, is_recursive);
        if (r < 0)
                return r;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (S_ISDIR(st.st_mode))
                return stage_mount(fd, name);
        _cleanup_close_ int file = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
        return file < 0 ? -errno : mount_attach_at(fd, AT_FDCWD, name);
}

/* EINVAL from the id-mapping call is the file system's answer "not me", which says nothing to a person. */
static int map_failed(int r, const char *path, struct error *err)
{
        if (r == -EINVAL)
                return error_set(err, ERR_UNSUPPORTED,
                                 "This kernel cannot map the ids of the file system that holds \"%s\"", path);
        return error_set_errno(err, r, "Mounting \"%s\"", path);
}

static int stage_layer(const char *path, const char *name, int userns_fd, bool is_readonly, struct error *err)
{
        _cleanup_close_ int fd = mount_clone(AT_FDCWD, path, false);
        if (fd < 0)
                return error_set_errno(err, fd, "Opening the layer \"%s\"", path);
        int r = userns_fd < 0 && !is_readonly
                        ? 0
                        : mount_set(fd, is_readonly ? MOUNT_ATTR_RDONLY : 0, 0, userns_fd, false);
        if (r == 0)
                r = stage_mount(fd, name);
        return r < 0 ? map_failed(r, path, err) : 0;
}

/*
 * Layers are named relative to the stage: a mount option holds at most 255 bytes, and no path of the host
 * shows in the guest's mountinfo.
 */
static int stage_layers(const struct spec_rootfs *r, int userns_fd, struct strbuf *ret_lowerdir,
                        struct error *err)
{
        for (size_t i = 0; i < r->n_lowers; i++) {
                char name[16];
                snprintf(name, sizeof name, "l%u", (unsigned)i);
                int k = stage_layer(r->lowers[i], name, userns_fd, true, err);
                if (k < 0)
                        return k;
                strbuf_addf(ret_lowerdir, "%s%s", i ? ":" : "", name);
        }
        return stage_layer(r->volume, "v", userns_fd, false, err);
}

/* nodev here, in a namespace the host owns: copied into the container's it is locked, so no guest can take it
 * off. */
static unsigned root_attributes(int userns_fd)
{
        return userns_fd >= 0 ? MOUNT_ATTR_NODEV : 0;
}

/* redirect_dir and metacopy would let a crafted upper directory point into other layers. */
static int attach_overlay(const struct spec_rootfs *r, int userns_fd, struct error *err)
{
        _cleanup_strbuf_ struct strbuf lowerdir = STRBUF_INIT;
        int k = stage_layers(r, userns_fd, &lowerdir, err);
        if (k < 0)
                return k;
        const struct mount_option options[] = {
                { "source", "rootfs" },
                { "lowerdir", strbuf_str(&lowerdir) },
                { "upperdir", "v/upper" },
                { "workdir", "v/work" },
                { "redirect_dir", "nofollow" },
                { "metacopy", "off" },
                {},
        };
        struct statvfs st;
        _cleanup_close_ int fd = mount_new("overlay", root_attributes(userns_fd), options);
        if (fd >= 0 && fstatvfs(fd, &st) == 0 && (st.f_flag & ST_RDONLY))
                k = -EROFS; /* overlayfs does not fail when it cannot write to its work directory */
        else
                k = fd < 0 ? fd : stage_mount(fd, ROOTFS_STAGE);
        return k < 0 ? error_set_errno(err, k, "Mounting the root file system of the volume \"%s\"",
                                       r->volume)
                     : 0;
}

/* A pool is mounted nosuid and nodev; a root file system needs its setuid programs. */
static int attach_dir(const struct spec_rootfs *r, int userns_fd, struct error *err)
{
        _cleanup_free_ char *path = xasprintf("%s/rootfs", r->volume);
        _cleanup_close_ int fd = mount_clone(AT_FDCWD, path, false);
        if (fd < 0)
                return error_set_errno(err, fd, "Opening the volume \"%s\"", r->volume);
        unsigned clear = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_RDONLY;
        unsigned set = root_attributes(userns_fd);
        int k = mount_set(fd, set, clear | (set ? 0 : MOUNT_ATTR_NODEV), userns_fd, false);
        if (k == 0)
                k = stage_mount(fd, ROOTFS_STAGE);
        return k < 0 ? map_failed(k, path, err) : 0;
}

int rootfs_attach(const struct spec_rootfs *r, const struct spec_idmap *map _unused_, int userns_fd, struct error *err)
{
        assert((map->base == 0) == (userns_fd < 0));
        return r->type == ROOTFS_OVERLAY ? attach_overlay(r, userns_fd, err) : attach_dir(r, userns_fd, err);
}
