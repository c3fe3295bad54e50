/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "images/worker/sandbox-internal.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static int write_map(int proc_fd, const char *file, const struct sandbox_ids *ids)
{
        _cleanup_free_ char *line = xasprintf("0 %u %u\n", ids->base, ids->size);
        return path_write_value(proc_fd, file, line);
}

static int map_and_open(pid_t pid, const struct sandbox_ids *ids)
{
        _cleanup_free_ char *path = xasprintf("/proc/%d", (int)pid);
        _cleanup_close_ int proc_fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (proc_fd < 0)
                return -errno;
        int r = write_map(proc_fd, "uid_map", ids);
        if (r == 0)
                r = write_map(proc_fd, "gid_map", ids);
        if (r < 0)
                return r;
        int fd = openat(proc_fd, "ns/user", O_RDONLY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

/* A mount can be id-mapped only with a namespace that exists, so a child that does nothing holds it for a
 * moment. */
int userns_create(const struct sandbox_ids *ids)
{
        struct clone_args args = { .flags = CLONE_NEWUSER, .exit_signal = SIGCHLD };
        pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
        if (pid < 0)
                return -errno;
        if (pid == 0)
                for (;;)
                        pause();
        int fd = map_and_open(pid, ids);
        kill(pid, SIGKILL);
        while (waitpid(pid, NULL, 0) < 0 && errno == EINTR)
                ;
        return fd;
}
