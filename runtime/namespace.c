/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/namespace.h"
#include "base/fd.h"
#include "base/path.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int namespace_stage(const char *dir, struct error *err)
{
        if (unshare(CLONE_NEWNS) < 0)
                return error_set_errno(err, -errno, "Making a mount namespace");
        if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return error_set_errno(err, -errno, "Making the mount namespace private");
        if (mount("stage", dir, "tmpfs", MS_NOSUID | MS_NOEXEC, "size=256k,mode=711") < 0 || chdir(dir) < 0)
                return error_set_errno(err, -errno, "Mounting the stage on \"%s\"", dir);
        return 0;
}

int namespace_become_mapped(const struct spec_idmap *map)
{
        if (map->base == 0)
                return 0;
        if (prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP) < 0 || setgroups(0, NULL) < 0 ||
            setresgid((gid_t)-1, map->base, (gid_t)-1) < 0 || setresuid((uid_t)-1, map->base, (uid_t)-1) < 0)
                return -errno;
        return 0;
}

int namespace_become_root(void)
{
        if (setgroups(0, NULL) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0)
                return -errno;
        return 0;
}

static int write_map(pid_t pid, const char *file, const struct spec_idmap *map)
{
        char path[64], text[64];
        snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, file);
        snprintf(text, sizeof text, "0 %u %u\n", map->base, map->size);
        return path_write_value(AT_FDCWD, path, text);
}

int namespace_write_maps(pid_t pid, const struct spec_idmap *map)
{
        int r = write_map(pid, "gid_map", map);
        return r < 0 ? r : write_map(pid, "uid_map", map);
}

int namespace_open_user(pid_t pid)
{
        char path[64];
        snprintf(path, sizeof path, "/proc/%d/ns/user", (int)pid);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        return fd < 0 ? -errno : fd;
}

int namespace_make_user(const struct spec_idmap *map)
{
        int pidfd = -EBADF;
        struct clone_args args = { .flags = CLONE_NEWUSER | CLONE_PIDFD,
                                   .pidfd = (uint64_t)(uintptr_t)&pidfd,
                                   .exit_signal = SIGCHLD };
        long pid = syscall(SYS_clone3, &args, sizeof args);
        if (pid < 0)
                return -errno;
        if (pid == 0)
                for (;;)
                        pause();
        int fd = namespace_write_maps((pid_t)pid, map);
        if (fd == 0)
                fd = namespace_open_user((pid_t)pid);
        syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0);
        waitpid((pid_t)pid, NULL, 0);
        fd_close(pidfd);
        return fd;
}
