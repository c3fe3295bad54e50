/* SPDX-License-Identifier: Apache-2.0 */
#include "images/worker/tool.h"
#include "base/fd.h"
#include "base/strbuf.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#define LINE_MAX_SIZE KiB(8)

static const char *const tool_env[] = { "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                                        "LANG=C.UTF-8",
                                        "LC_ALL=C.UTF-8",
                                        "HOME=/",
                                        "DEBIAN_FRONTEND=noninteractive",
                                        "TMPDIR=/tmp",
                                        NULL };

static _noreturn_ void tool_main(const char *const *argv, int input_fd, int output_fd)
{
        signal(SIGPIPE, SIG_DFL);
        signal(SIGXFSZ, SIG_DFL);
        if (input_fd < 0)
                close(STDIN_FILENO);
        else if (dup2(input_fd, STDIN_FILENO) < 0)
                _exit(127);
        if (dup2(output_fd, STDOUT_FILENO) < 0 || dup2(output_fd, STDERR_FILENO) < 0)
                _exit(127);
        /* The answers' descriptor is not the tool's. */
        for (int fd = 3; fd < 64; fd++)
                close(fd);
        execve(argv[0], (char *const *)argv, (char *const *)tool_env);
        _exit(127);
}

static void take_bytes(struct strbuf *line, const char *p, size_t n, tool_line_fn *on_line, void *ctx)
{
        for (size_t i = 0; i < n; i++) {
                if (p[i] != '\n' && p[i] != '\r') {
                        strbuf_addc(line, p[i]);
                        continue;
                }
                on_line(ctx, strbuf_str(line));
                strbuf_clear(line);
        }
}

static int read_lines(int fd, tool_line_fn *on_line, void *ctx)
{
        _cleanup_strbuf_ struct strbuf line = STRBUF_INIT_MAX(LINE_MAX_SIZE);
        char buf[KiB(32)];
        ssize_t n;
        while ((n = read(fd, buf, sizeof buf)) != 0) {
                if (n < 0 && errno != EINTR)
                        return -errno;
                if (n > 0)
                        take_bytes(&line, buf, (size_t)n, on_line, ctx);
        }
        if (line.len > 0)
                on_line(ctx, line.data);
        return 0;
}

int tool_run(const char *const *argv, int input_fd, tool_line_fn *on_line, void *ctx, int *ret_status)
{
        _cleanup_close_ int out = -EBADF, in = -EBADF;
        int r = fd_pipe(&out, &in), status = 0;
        if (r < 0)
                return r;
        pid_t pid = fork();
        if (pid < 0)
                return -errno;
        if (pid == 0)
                tool_main(argv, input_fd, in);
        fd_reset(&in);
        r = read_lines(out, on_line, ctx);
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return -errno;
        *ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
        return r;
}
