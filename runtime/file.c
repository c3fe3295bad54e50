/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/file.h"
#include "base/fd.h"
#include "base/names.h"
#include "base/path.h"
#include "base/worker.h"
#include "runtime/enter.h"
#include "runtime/file-path.h"
#include "runtime/stopped.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

int guest_tree_look(struct guest_tree *tree, int flags, int *ret_fd, struct stat *ret_st)
{
        _cleanup_close_ int fd = path_open_inroot(tree->root, tree->path, O_PATH | flags, 0);
        if (fd < 0)
                return fd;
        if (fstat(fd, ret_st) < 0)
                return -errno;
        *ret_fd = TAKE_FD(fd);
        return 0;
}

int guest_tree_reopen(struct guest_tree *tree, int fd, int flags)
{
        char name[16];
        snprintf(name, sizeof name, "%d", fd);
        int new_fd = openat(tree->proc_fds, name, flags | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
        return new_fd < 0 ? -errno : new_fd;
}

int guest_tree_parent(struct guest_tree *tree, int *ret_fd, char **ret_name, struct error *err)
{
        _cleanup_free_ char *dir = NULL, *name = NULL;
        if (file_split_path(tree->path, &dir, &name) < 0)
                return error_set(err, ERR_BAD_REQUEST, "\"%s\" does not name a file", tree->path);
        int fd = path_open_inroot(tree->root, dir, O_PATH | O_DIRECTORY, 0);
        if (fd < 0)
                return error_set_errno(err, fd, "Opening the directory of \"%s\"", tree->path);
        *ret_fd = fd;
        *ret_name = TAKE_PTR(name);
        return 0;
}

/* The end of the child. Status 1: answered, but the stream on descriptor 1 is not whole. */
static _noreturn_ void answer_and_exit(int r, struct json_object *result, struct error *err)
{
        bool was_answered = worker_has_answered();
        if (r >= 0)
                worker_answer_result(result);
        else if (err->code == ERR_NONE)
                error_set_errno(err, r, "Working in the instance's files");
        if (r < 0)
                worker_answer_error(err);
        _exit(r < 0 && was_answered);
}

static _noreturn_ void child_main(struct enter_target *t, const struct stopped_tree *stopped,
                                  struct json_object *args, guest_tree_fn *fn)
{
        struct error err = ERROR_INIT;
        struct json_object *result = NULL;
        struct guest_tree tree = { .path = json_get_string(args, "path", "") };
        tree.proc_fds = open("/proc/self/fd", O_PATH | O_DIRECTORY | O_CLOEXEC);
        int r = tree.proc_fds < 0 ? -errno
                : stopped         ? stopped_tree_enter(stopped)
                                  : enter_join(t, ENTER_FILES);
        if (r == -ESRCH)
                r = error_set(&err, ERR_WRONG_STATE, "The instance is not running");
        if (r < 0)
                answer_and_exit(r, NULL, &err);
        umask(0);
        tree.root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        r = tree.root < 0 ? -errno : fn(&tree, args, &result, &err);
        answer_and_exit(r, result, &err);
}

static int wait_child(pid_t pid, struct error *err)
{
        siginfo_t info = { 0 };
        while (waitid(P_PID, (id_t)pid, &info, WEXITED) < 0) {
                if (errno != EINTR)
                        return -errno;
                if (worker_is_cancelled())
                        kill(pid, SIGTERM); /* ours and not reaped: the number is its own */
        }
        if (info.si_code != CLD_EXITED)
                return error_set(err, ERR_WRONG_STATE, "The instance stopped while its files were used");
        worker_set_answered();
        if (info.si_status != 0)
                _exit(info.si_status);
        return 0;
}

static int run_in_running(const char *job, struct json_object *args, guest_tree_fn *fn, struct error *err)
{
        _cleanup_enter_target_ struct enter_target t = ENTER_TARGET_INIT;
        int r = enter_target_read(args, &t, err);
        if (r == 0)
                r = enter_hide(&t, job, args, err);
        if (r < 0)
                return r;
        pid_t pid = enter_fork(&t);
        if (pid == -ESRCH)
                return error_set(err, ERR_WRONG_STATE, "The instance is not running");
        if (pid < 0)
                return error_set_errno(err, pid, "Entering the instance");
        if (pid == 0)
                child_main(&t, NULL, args, fn);
        return wait_child(pid, err);
}

static int run_in_stopped(struct json_object *args, guest_tree_fn *fn, struct error *err)
{
        _cleanup_(stopped_tree_done) struct stopped_tree stopped = STOPPED_TREE_INIT;
        int r = stopped_tree_assemble(args, &stopped, err);
        if (r < 0)
                return r;
        pid_t pid = fork();
        if (pid < 0)
                return error_set_errno(err, -errno, "Starting a process");
        if (pid == 0)
                child_main(NULL, &stopped, args, fn);
        return wait_child(pid, err);
}

int guest_tree_run(const char *job, struct json_object *args, guest_tree_fn *fn, struct error *err)
{
        int r = name_check_path(json_get_string(args, "path", ""), err);
        if (r < 0)
                return r;
        return json_has(args, "rootfs") ? run_in_stopped(args, fn, err) : run_in_running(job, args, fn, err);
}
