/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The jobs on directories of logs, which are ours and hold no guest's links: `log-get` {"dir","name"} ->
 * {"size":N} and then so many bytes on descriptor 1; `log-delete` {"dir","name"}: the file, or the directory
 * with what is in it.
 */
#include "runtime/jobs.h"
#include "runtime/stream.h"
#include "base/fd.h"
#include "base/path.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

static int open_dir(struct json_object *args, const char **ret_name, struct error *err)
{
        const char *dir = json_get_string(args, "dir", ""), *name = json_get_string(args, "name", "");
        if (*dir != '/' || !*name || strchr(name, '/') || streq(name, ".") || streq(name, ".."))
                return error_set(err, ERR_BAD_REQUEST, "\"dir\" and \"name\" do not name a log");
        int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0)
                return error_set_errno(err, -errno, "Opening the directory \"%s\"", dir);
        *ret_name = name;
        return fd;
}

static void answer_size(int64_t size)
{
        _cleanup_json_ struct json_object *o = json_object_new_object();
        json_set_int(o, "size", size);
        worker_answer_result(o);
}

int job_log_get(struct json_object *args, struct json_object **ret_result _unused_, struct error *err)
{
        const char *name = NULL;
        struct stat st;
        uint64_t moved;
        _cleanup_close_ int fd = -EBADF, dir = open_dir(args, &name, err);
        if (dir < 0)
                return dir;
        fd = path_open_beneath(dir, name, O_RDONLY | O_NONBLOCK | O_NOCTTY, 0);
        int r = fd < 0 ? fd : fstat(fd, &st) < 0 ? -errno : S_ISREG(st.st_mode) ? 0 : -EINVAL;
        if (r < 0)
                return error_set_errno(err, r, "Opening the log \"%s\"", name);
        answer_size(st.st_size);
        r = stream_copy(fd, STDOUT_FILENO, (uint64_t)st.st_size, &moved);
        return r < 0 ? error_set_errno(err, r, "Reading the log \"%s\"", name) : 0;
}

int job_log_delete(struct json_object *args, struct json_object **ret_result _unused_, struct error *err)
{
        const char *name = NULL;
        _cleanup_close_ int dir = open_dir(args, &name, err);
        if (dir < 0)
                return dir;
        int r = unlinkat(dir, name, 0) < 0 ? -errno : 0;
        if (r == -EISDIR)
                r = path_remove_tree(dir, name);
        return r < 0 ? error_set_errno(err, r, "Deleting the log \"%s\"", name) : 0;
}
