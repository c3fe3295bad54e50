/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/path.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* A host that is only files. */
static char root[64];

static void begin_host(void)
{
        snprintf(root, sizeof root, "/tmp/test-limits.XXXXXX");
        ASSERT_TRUE(mkdtemp(root) != NULL);
}

static void end_host(void)
{
        ASSERT_OK(path_remove_tree(AT_FDCWD, root));
}

static void put(const char *path, const char *text)
{
        _cleanup_free_ char *full = xasprintf("%s%s", root, path), *dir = xstrdup(full);
        *strrchr(dir, '/') = '\0';
        ASSERT_OK(path_mkdir_all(dir, 0755));
        int fd = open(full, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        ASSERT_OK(fd_write_all(fd, text, strlen(text)));
        fd_close(fd);
}

static const char *met(int r, enum limit_act act)
{
        long long value;
        const struct kernel_limit *l = limit_met(root, r, act, &value);
        return l ? l->sysctl : "none";
}

TEST(limits_are_told_by_what_is_left_of_them)
{
        begin_host();
        ASSERT_STR(met(-EAGAIN, LIMIT_PROCESS), "none"); /* nothing to be seen */
        put("/proc/loadavg", "0.50 1.25 2.00 3/32700 12345\n");
        put("/proc/sys/kernel/pid_max", "32768\n");
        put("/proc/sys/kernel/threads-max", "100000\n");
        ASSERT_STR(met(-EAGAIN, LIMIT_PROCESS), "kernel.pid_max");
        put("/proc/sys/kernel/threads-max", "32701\n");
        ASSERT_STR(met(-EAGAIN, LIMIT_INSTANCE), "kernel.threads-max");
        ASSERT_STR(met(-EAGAIN, LIMIT_OPEN), "none");
        ASSERT_STR(met(-EPERM, LIMIT_PROCESS), "none");
        put("/proc/loadavg", "0.50 1.25 2.00 3/400 12345\n");
        ASSERT_STR(met(-EAGAIN, LIMIT_PROCESS), "none"); /* room for many: it was something else */
        end_host();
}

TEST(limits_of_namespaces_files_and_terminals)
{
        begin_host();
        put("/proc/sys/user/max_net_namespaces", "0\n");
        put("/proc/sys/user/max_pid_namespaces", "90000\n");
        ASSERT_STR(met(-ENOSPC, LIMIT_INSTANCE), "user.max_net_namespaces");
        ASSERT_STR(met(-ENOSPC, LIMIT_PROCESS), "none");
        put("/proc/sys/fs/file-nr", "5000\t0\t5000\n");
        put("/proc/sys/fs/file-max", "5000\n");
        ASSERT_STR(met(-ENFILE, LIMIT_OPEN), "fs.file-max");
        put("/proc/sys/kernel/pty/max", "4096\n");
        put("/proc/sys/kernel/pty/nr", "4096\n");
        ASSERT_STR(met(-ENOSPC, LIMIT_TERMINAL), "kernel.pty.max");
        end_host();
}

TEST(limit_errors_name_the_limit_its_value_and_what_raises_it)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        begin_host();
        put("/proc/sys/user/max_net_namespaces", "0\n");
        ASSERT_ERR(limit_error_at(root, &err, -ENOSPC, LIMIT_INSTANCE, "Making \"c1\""), -ENOSPC);
        ASSERT_STR(error_message(&err), "Making \"c1\": the kernel's limit user.max_net_namespaces is reached, it is 0");
        ASSERT_CONTAINS(err.hint, "sysctl -w user.max_net_namespaces=65536 ");
        ASSERT_EQ(err.code, ERR_NO_SPACE);
        limit_error_at(root, &err, -EMFILE, LIMIT_OPEN, "Opening \"x\"");
        ASSERT_STR(error_message(&err), "Opening \"x\": Too many open files");
        ASSERT_CONTAINS(err.hint, "LimitNOFILE");
        limit_error_at(root, &err, -EPERM, LIMIT_INSTANCE, "Making \"c1\"");
        ASSERT_STR(error_message(&err), "Making \"c1\": Operation not permitted");
        ASSERT_TRUE(err.hint == NULL);
        end_host();
}
