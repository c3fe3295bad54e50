/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/sealed.h"
#include "base/fd.h"
#include "base/worker.h"

#include <fcntl.h>
#include <linux/mount.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#define MARK "LIGHTRUN_SEALED"

static bool is_on_read_only_mount(void)
{
        struct statvfs fs;
        return statvfs("/proc/self/exe", &fs) == 0 && (fs.f_flag & ST_RDONLY);
}

/* Once the descriptor is closed by exec, the mount belongs to no namespace: nobody can make it writable
 * again. */
static int open_own_program_read_only(void)
{
        struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV };
        _cleanup_close_ int fd =
                (int)syscall(SYS_open_tree, AT_FDCWD, "/proc/self/exe", OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
        if (fd < 0 || syscall(SYS_mount_setattr, fd, "", AT_EMPTY_PATH, &attr, sizeof attr) < 0)
                return -errno;
        return TAKE_FD(fd);
}

/* Only returns with a failure. */
static int start_again(const char *job, struct json_object *args)
{
        const char *text = json_text(args);
        const char *const argv[] = { "lightrun", job, NULL };
        int args_fd = fd_memfd_sealed("arguments", text, strlen(text));
        if (args_fd < 0)
                return args_fd;
        if (args_fd == WORKER_FD_ARGS)
                fd_set_cloexec(args_fd, false);
        else if (dup2(args_fd, WORKER_FD_ARGS) < 0)
                return -errno;
        int fd = open_own_program_read_only();
        if (fd < 0 || setenv(MARK, "1", true) < 0)
                return fd < 0 ? fd : -errno;
        syscall(SYS_execveat, fd, "", argv, environ, AT_EMPTY_PATH);
        return -errno;
}

int sealed_ensure(const char *job, struct json_object *args, struct error *err)
{
        if (is_on_read_only_mount())
                return 0;
        int r = getenv(MARK) ? -EPERM : start_again(job, args);
        return error_set_errno(err, r, "Protecting the program \"lightrun\" from a privileged instance");
}
