/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/effect.h"
#include "base/fd.h"
#include "base/path.h"
#include "runtime/jobs.h"
#include "runtime/mount-api.h"
#include "runtime/spec.h"

#include <fcntl.h>
#include <linux/loop.h>
#include <linux/magic.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#define LOOP_TRIES 64

/* Another process may take the free device between the question and the claim. */
static int claim_loop(int image_fd, const char *image, char ret_path[static 32])
{
        _cleanup_close_ int control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
        if (control < 0)
                return -errno;
        struct loop_config config = { .fd = (uint32_t)image_fd,
                                      .info.lo_flags = LO_FLAGS_READ_ONLY | LO_FLAGS_AUTOCLEAR };
        /* For the host's root alone, who may open the device; as much of it as there is room for. */
        snprintf((char *)config.info.lo_file_name, sizeof config.info.lo_file_name, "%s", image);
        for (int i = 0; i < LOOP_TRIES; i++) {
                int n = ioctl(control, LOOP_CTL_GET_FREE);
                if (n < 0)
                        return -errno;
                snprintf(ret_path, 32, "/dev/loop%d", n);
                _cleanup_close_ int fd = open(ret_path, O_RDONLY | O_CLOEXEC);
                if (fd >= 0 && ioctl(fd, LOOP_CONFIGURE, &config) == 0)
                        return TAKE_FD(fd);
                if (errno != EBUSY && errno != ENXIO && errno != ENOENT)
                        return -errno;
        }
        return -EBUSY;
}

/* By a mount of its own that is nowhere: /sys shows every guest the path of what is behind a loop device. */
static int open_without_path(const char *image)
{
        char path[32];
        _cleanup_close_ int tree = open_tree(AT_FDCWD, image, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_SYMLINK_NOFOLLOW);
        if (tree < 0)
                return -errno;
        snprintf(path, sizeof path, "/proc/self/fd/%d", tree);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

static bool is_mounted(const char *target)
{
        struct statx st;
        struct statfs fs;
        return statx(AT_FDCWD, target, AT_SYMLINK_NOFOLLOW, STATX_TYPE, &st) == 0 &&
               (st.stx_attributes & STATX_ATTR_MOUNT_ROOT) && statfs(target, &fs) == 0 &&
               fs.f_type == SQUASHFS_MAGIC;
}

/*
 * With the loop device held open until the mount holds it: it clears itself at its last close. It keeps the
 * open file of the image, and with it any lock on that; so it gets one of its own.
 */
static int mount_image(const char *image, const char *target)
{
        char device[32];
        _cleanup_close_ int image_fd = open_without_path(image);
        _cleanup_close_ int loop = image_fd < 0 ? image_fd : claim_loop(image_fd, image, device);
        if (loop < 0)
                return loop;
        const struct mount_option options[] = { { "source", device }, { "ro", NULL }, {} };
        _cleanup_close_ int fd =
                mount_new("squashfs", MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, options);
        return fd < 0 ? fd : mount_attach_at(fd, AT_FDCWD, target);
}

/* Two starts of the first two containers of an image come at once: one of them mounts. */
static int mount_once(const char *image, const char *target, struct error *err)
{
        _cleanup_close_ int fd = open(image, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (fd < 0)
                return error_set_errno(err, -errno, "Opening the layer \"%s\"", image);
        if (flock(fd, LOCK_EX) < 0)
                return error_set_errno(err, -errno, "Locking the layer \"%s\"", image);
        if (is_mounted(target))
                return 0;
        if (mkdir(target, 0755) < 0 && errno != EEXIST)
                return error_set_errno(err, -errno, "Making \"%s\"", target);
        effect_point(EFFECT_LAYER_MOUNT, EFFECT_BEFORE);
        int r = mount_image(image, target);
        effect_point(EFFECT_LAYER_MOUNT, EFFECT_AFTER);
        return r < 0 ? error_set_errno(err, r, "Mounting the layer \"%s\"", image) : 0;
}

/* Files in a layer carry the ids 0..65535 of the host: no user of the host may reach a setuid program in one.
 */
static int make_parent(const char *target, struct error *err)
{
        _cleanup_free_ char *parent = xstrdup(target);
        *strrchr(parent, '/') = '\0';
        int r = path_mkdir_all(parent, 0700);
        return r < 0 ? error_set_errno(err, r, "Making \"%s\"", parent) : 0;
}

static int read_target(struct json_object *args, const char **ret, struct error *err)
{
        *ret = json_get_string(args, "target", "");
        int r = spec_check_path(*ret, "target", err);
        if (r >= 0 && strrchr(*ret, '/') == *ret)
                return error_set(err, ERR_BAD_REQUEST, "A layer is not mounted at \"%s\"", *ret);
        return r;
}

int job_layer_mount(struct json_object *args, struct json_object **ret_result _unused_, struct error *err)
{
        const char *image = json_get_string(args, "image", ""), *target;
        int r = read_target(args, &target, err);
        if (r >= 0)
                r = spec_check_path(image, "image", err);
        if (r >= 0)
                r = make_parent(target, err);
        return r < 0 ? r : mount_once(image, target, err);
}

int job_layer_unmount(struct json_object *args, struct json_object **ret_result _unused_, struct error *err)
{
        const char *target;
        int r = read_target(args, &target, err);
        if (r < 0)
                return r;
        effect_point(EFFECT_LAYER_UNMOUNT, EFFECT_BEFORE);
        r = is_mounted(target) && umount2(target, UMOUNT_NOFOLLOW) < 0 ? -errno : 0;
        effect_point(EFFECT_LAYER_UNMOUNT, EFFECT_AFTER);
        if (r < 0)
                return error_set_errno(err, r, "Unmounting the layer \"%s\"", target);
        if (rmdir(target) < 0 && errno != ENOENT)
                return error_set_errno(err, -errno, "Removing \"%s\"", target);
        return 0;
}
