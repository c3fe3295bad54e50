/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/guest-dev.h"
#include "base/fd.h"
#include "base/path.h"
#include "runtime/mount-api.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

static const struct node {
        const char *name;
        bool is_optional;
} nodes[] = {
        { "null" },    { "zero" }, { "full" },       { "random" },
        { "urandom" }, { "tty" },  { "fuse", true }, { "net/tun", true },
};

static const struct link {
        const char *name, *target;
} links[] = {
        { "ptmx", "pts/ptmx" },          { "fd", "/proc/self/fd" },       { "stdin", "/proc/self/fd/0" },
        { "stdout", "/proc/self/fd/1" }, { "stderr", "/proc/self/fd/2" },
};

static const struct part {
        const char *type, *name;
        unsigned attributes;
        struct mount_option options[6];
} parts[] = {
        { "devpts",
          "pts",
          MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC,
          { { "source", "devpts" },
            { "gid", "5" },
            { "mode", "620" },
            { "ptmxmode", "666" },
            { "max", "1024" },
            {} } },
        { "tmpfs",
          "shm",
          MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV,
          { { "source", "tmpfs" }, { "mode", "1777" }, {} } },
        { "mqueue",
          "mqueue",
          MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC,
          { { "source", "mqueue" }, {} } },
};

/* Everything below is in a tmpfs only we have seen so far: plain names are safe. */
static int bind_file(int dev_fd, const char *name, int mount_fd)
{
        int fd = openat(dev_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0666);
        if (fd < 0)
                return -errno;
        fd_close(fd);
        return mount_attach_at(mount_fd, dev_fd, name);
}

static char *stage_name(char to[static 16], const struct node *node)
{
        snprintf(to, 16, "s%u", (unsigned)(node - nodes));
        return to;
}

static char *host_name(char to[static 32], const struct node *node)
{
        snprintf(to, 32, "/dev/%s", node->name);
        return to;
}

static int make_node(const struct node *node, uid_t base)
{
        char source[32], name[16];
        struct stat st;
        if (stat(host_name(source, node), &st) < 0)
                return -errno;
        if (!S_ISCHR(st.st_mode))
                return -ENODEV;
        stage_name(name, node);
        if (mknod(name, S_IFCHR | 0600, st.st_rdev) < 0 || chown(name, base + st.st_uid, base + st.st_gid) < 0 ||
            chmod(name, st.st_mode & 0777) < 0)
                return -errno;
        return 0;
}

int guest_dev_stage(uid_t base)
{
        for (size_t i = 0; i < ARRAY_SIZE(nodes); i++) {
                int r = make_node(&nodes[i], base);
                /* EPERM: we are in a user namespace ourselves, and bind what is there. */
                if (r < 0 && r != -EPERM && !(nodes[i].is_optional && r == -ENOENT))
                        return r;
        }
        return 0;
}

static int clone_node(const struct node *node)
{
        char source[32], name[16];
        int fd = mount_clone(AT_FDCWD, stage_name(name, node), false);
        return fd == -ENOENT ? mount_clone(AT_FDCWD, host_name(source, node), false) : fd;
}

int guest_dev_clone_null(void)
{
        return clone_node(&nodes[0]);
}

static int bind_node(int dev_fd, const struct node *node)
{
        _cleanup_close_ int fd = clone_node(node);
        if (fd < 0)
                return node->is_optional && fd == -ENOENT ? 0 : fd;
        return bind_file(dev_fd, node->name, fd);
}

static int attach_part(int dev_fd, const struct part *part)
{
        if (mkdirat(dev_fd, part->name, 0755) < 0)
                return -errno;
        _cleanup_close_ int fd = mount_new(part->type, part->attributes, part->options);
        return fd < 0 ? fd : mount_attach_at(fd, dev_fd, part->name);
}

/* The terminal is made in the container's devpts, so that no terminal of the host ever enters it. */
static int make_console(int dev_fd, int *ret_master)
{
        char name[24];
        int unlock = 0, number;
        struct winsize size = { .ws_row = 24, .ws_col = 80 };
        _cleanup_close_ int master = openat(dev_fd, "pts/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
        if (master < 0 || ioctl(master, TIOCSPTLCK, &unlock) < 0 || ioctl(master, TIOCGPTN, &number) < 0 ||
            ioctl(master, TIOCSWINSZ, &size) < 0)
                return -errno;
        snprintf(name, sizeof name, "pts/%d", number);
        _cleanup_close_ int fd = mount_clone(dev_fd, name, false);
        if (fd < 0)
                return fd;
        int r = bind_file(dev_fd, "console", fd);
        if (r == 0)
                *ret_master = TAKE_FD(master);
        return r;
}

static int fill(int dev_fd, int *ret_console)
{
        int r = mkdirat(dev_fd, "net", 0755) < 0 ? -errno : 0;
        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(nodes); i++)
                r = bind_node(dev_fd, &nodes[i]);
        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(links); i++)
                if (symlinkat(links[i].target, dev_fd, links[i].name) < 0)
                        r = -errno;
        for (size_t i = 0; r == 0 && i < ARRAY_SIZE(parts); i++)
                r = attach_part(dev_fd, &parts[i]);
        return r < 0 ? r : make_console(dev_fd, ret_console);
}

int guest_dev(int root_fd, int *ret_console)
{
        const struct mount_option options[] = {
                { "source", "none" }, { "mode", "755" }, { "size", "500k" }, {}
        };
        if (mkdirat(root_fd, "dev", 0755) < 0 && errno != EEXIST)
                return -errno;
        _cleanup_close_ int target = path_open_beneath(root_fd, "dev", O_PATH | O_DIRECTORY, 0);
        if (target < 0)
                return target;
        _cleanup_close_ int fd = mount_new("tmpfs", MOUNT_ATTR_NOSUID, options);
        if (fd < 0)
                return fd;
        int r = mount_attach(fd, target);
        if (r < 0)
                return r;
        mode_t old = umask(0);
        r = fill(fd, ret_console);
        umask(old);
        return r;
}
