/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/command.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/path.h"
#include "runtime/apparmor.h"
#include "runtime/inherited.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/magic.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#define NULL_DEVICE makedev(1, 3)
#define PTMX_DEVICE makedev(5, 2)

int command_fail(struct command_report *report, enum command_step step, int r)
{
        report->step = step;
        report->error = r;
        return r;
}

/* What lies under a device's name is the guest's choice: a link to one of our descriptors, or nothing of the kind. */
static int open_device(const char *path, dev_t wanted)
{
        struct stat st;
        _cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC), fd = -EBADF;
        if (root < 0)
                return -errno;
        fd = path_open_inroot(root, path, O_RDWR | O_NOCTTY | O_NONBLOCK, 0);
        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISCHR(st.st_mode) || st.st_rdev != wanted)
                return -ENODEV;
        int r = fd_set_nonblocking(fd, false);
        return r < 0 ? r : TAKE_FD(fd);
}

/* Used only if it is the multiplexer of a devpts. */
static int open_ptmx(void)
{
        struct statfs fs;
        _cleanup_close_ int master = open_device("dev/pts/ptmx", PTMX_DEVICE);
        if (master < 0)
                return master;
        if (fstatfs(master, &fs) < 0)
                return -errno;
        return fs.f_type == DEVPTS_SUPER_MAGIC ? TAKE_FD(master) : -ENOTTY;
}

/* The slave comes from the master itself, not from a path the guest could have replaced. */
static int open_slave(int master, const struct exec_request *req)
{
        struct winsize size = { .ws_col = req->width, .ws_row = req->height };
        int unlocked = 0;
        if (ioctl(master, TIOCSPTLCK, &unlocked) < 0)
                return -errno;
        if (size.ws_col && size.ws_row && ioctl(master, TIOCSWINSZ, &size) < 0)
                return -errno;
        _cleanup_close_ int slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (slave < 0)
                return -errno;
        if (req->uid != 0 && fchown(slave, req->uid, (gid_t)-1) < 0)
                return -errno;
        return TAKE_FD(slave);
}

/* The daemon gets the master and is the only one to have it: when it lets go, the terminal is hung up. */
static int open_pty(struct exec_request *req)
{
        static const char message[] = "{\"pty\":true}";
        _cleanup_close_ int master = open_ptmx();
        if (master < 0)
                return master;
        int slave = open_slave(master, req);
        if (slave < 0)
                return slave;
        ssize_t n = fd_send_with_fds(req->control, message, sizeof message - 1, &master, 1);
        if (n < 0) {
                fd_close(slave);
                return (int)n;
        }
        for (size_t i = 0; i < 3; i++)
                req->fds[i] = slave;
        return 0;
}

/* First away from 0-2, where a source may lie that has another target; then nothing but 0-2 is left open. */
static int place_descriptors(const struct exec_request *req)
{
        int moved[3];
        for (int i = 0; i < 3; i++) {
                int from = req->fds[i] >= 0 ? req->fds[i] : open_device("dev/null", NULL_DEVICE);
                if (from < 0)
                        return from;
                moved[i] = fcntl(from, F_DUPFD_CLOEXEC, 3);
                if (moved[i] < 0)
                        return -errno;
        }
        for (int i = 0; i < 3; i++)
                if (dup2(moved[i], i) < 0)
                        return -errno;
        return syscall(SYS_close_range, 3u, ~0u, 0u) < 0 ? -errno : 0;
}

static int begin_session(const struct exec_request *req)
{
        if (setsid() < 0)
                return -errno;
        return req->is_interactive && ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0 ? -errno : 0;
}

/* While the capabilities are still there. */
static int limit(const struct command *c)
{
        int r = inherited_reset_inside(c->req.is_32bit);
        if (r == 0)
                r = privileges_drop_capabilities(&c->privileges);
        return r < 0 ? r : privileges_load_filter(c->filter);
}

static int become_user(const struct exec_request *req)
{
        if (setresgid(req->gid, req->gid, req->gid) < 0 || setresuid(req->uid, req->uid, req->uid) < 0)
                return -errno;
        /* After the ids, whose change clears it: without its worker, an attached command is hung up. */
        if (!req->is_recorded && prctl(PR_SET_PDEATHSIG, SIGHUP) < 0)
                return -errno;
        return 0;
}

static int enter_directory(int root, const char *path)
{
        _cleanup_close_ int fd = path_open_inroot(root, path, O_PATH | O_DIRECTORY, 0);
        return fd < 0 ? fd : fchdir(fd) < 0 ? -errno : 0;
}

/* A directory that was asked for must be there; the default gives way to "/". */
static int choose_directory(const struct exec_request *req)
{
        _cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (root < 0)
                return -errno;
        if (*req->cwd)
                return enter_directory(root, req->cwd);
        if (req->home && *req->home == '/' && enter_directory(root, req->home) == 0)
                return 0;
        return fchdir(root) < 0 ? -errno : 0;
}

/* A script without "#!": as execvp() and every shell do it. */
static int run_script(const char *path, const struct exec_request *req)
{
        size_t n = 0;
        while (req->argv[n])
                n++;
        _cleanup_free_ const char **argv = xnew_array(const char *, n + 2);
        argv[0] = "/bin/sh";
        argv[1] = path;
        for (size_t i = 1; i < n; i++)
                argv[i + 1] = req->argv[i];
        execve(argv[0], (char *const *)argv, req->env);
        return -errno;
}

static int run_candidate(const char *path, const struct exec_request *req, struct command_report *report)
{
        execve(path, req->argv, req->env);
        if (errno == ENOEXEC)
                return run_script(path, req);
        int r = -errno;
        if (r == -ENOENT && access(path, F_OK) == 0)
                report->is_interpreter_missing = true;
        return r;
}

/* What was found but may not be run is worth more to say than what was not found. */
static int run_command(struct exec_request *req, struct command_report *report)
{
        char path[4096];
        size_t pos = 0;
        int result = -ENOENT;
        exec_request_default_path(req, access("/snap", F_OK) == 0);
        while (exec_next_candidate(exec_request_env(req, "PATH"), req->argv[0], &pos, path, sizeof path)) {
                int r = run_candidate(path, req, report);
                if (r != -ENOENT && r != -ENOTDIR)
                        result = r;
                if (r != -ENOENT && r != -ENOTDIR && r != -EACCES)
                        break;
        }
        return result;
}

static _noreturn_ void command_main(struct command *c)
{
        enum command_step step = COMMAND_SESSION;
        int r = begin_session(&c->req);
        if (r == 0) {
                step = COMMAND_IDENTITY;
                r = become_user(&c->req);
        }
        if (r == 0) {
                step = COMMAND_CWD;
                r = choose_directory(&c->req);
        }
        if (r == 0) {
                step = COMMAND_EXEC;
                r = run_command(&c->req, c->report);
        }
        command_fail(c->report, step, r);
        _exit(127);
}

/* CLONE_VFORK: back here only when the command has been exec'd or is gone, so the report needs no pipe. */
static pid_t fork_command(void)
{
        struct clone_args args = { .flags = CLONE_PARENT | CLONE_VFORK };
        long pid = syscall(SYS_clone3, &args, sizeof args);
        return pid < 0 ? -errno : (pid_t)pid;
}

/*
 * A guest does not see the joiner, which is in no pid namespace of its, but it sees the command, and a privileged one may
 * trace it: so that is born with no more than what it will execute may have.
 */
void command_join_and_run(struct command *c)
{
        enum command_step step = COMMAND_JOIN;
        int r = apparmor_confine_next_as(c->target.pidfd);
        if (r == 0)
                r = enter_join(&c->target, ENTER_ALL);
        if (r == 0 && c->req.is_interactive) {
                step = COMMAND_PTY;
                r = open_pty(&c->req);
        }
        if (r == 0) {
                step = COMMAND_DESCRIPTORS;
                r = place_descriptors(&c->req);
        }
        if (r == 0) {
                step = COMMAND_PRIVILEGES;
                r = limit(c);
        }
        if (r < 0) {
                command_fail(c->report, step, r);
                _exit(1);
        }
        pid_t pid = fork_command();
        if (pid == 0)
                command_main(c);
        if (pid < 0)
                command_fail(c->report, COMMAND_FORK, pid);
        else
                c->report->pid = pid;
        _exit(pid < 0);
}

int command_error(const struct command *c, struct error *err)
{
        static const char *const sentences[_COMMAND_STEP_MAX] = {
                [COMMAND_JOIN] = "Entering the instance",
                [COMMAND_PTY] = "Opening a terminal in the instance's /dev/pts",
                [COMMAND_DESCRIPTORS] = "Opening the command's input and output",
                [COMMAND_FORK] = "Starting a process in the instance",
                [COMMAND_SESSION] = "Making the command's session",
                [COMMAND_PRIVILEGES] = "Limiting the command's privileges",
                [COMMAND_IDENTITY] = "Changing to the command's user and group",
        };
        enum command_step step = c->report->step;
        int r = c->report->error;
        if (step == COMMAND_JOIN && r == -ESRCH)
                return error_set(err, ERR_WRONG_STATE, "The instance is not running");
        if ((step == COMMAND_JOIN || step == COMMAND_FORK) && r == -EAGAIN)
                return error_set(err, ERR_WRONG_STATE,
                                 "The instance has as many processes as its limit allows");
        if (step == COMMAND_CWD)
                return error_set_errno(err, r, "Entering the directory \"%s\"", c->req.cwd);
        if (step == COMMAND_IDENTITY && r == -EINVAL)
                return error_set(err, ERR_BAD_REQUEST, "The instance has no user \"%u\" or no group \"%u\"",
                                 c->req.uid, c->req.gid);
        return limit_error(err, r, step == COMMAND_PTY ? LIMIT_TERMINAL : LIMIT_PROCESS, "%s", sentences[step]);
}

int command_exec_status(const struct command_report *report, const char *name, char **ret_message)
{
        if (report->is_interpreter_missing)
                *ret_message = xasprintf("\"%s\": its interpreter is missing", name);
        else if (report->error == -ENOENT || report->error == -ENOTDIR)
                *ret_message = xasprintf("\"%s\": command not found", name);
        else
                *ret_message = xasprintf("\"%s\": %s", name, strerror(-report->error));
        return report->error == -ENOENT || report->error == -ENOTDIR ? 127 : 126;
}
