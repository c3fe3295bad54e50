/* SPDX-License-Identifier: Apache-2.0 */
#include "images/worker/job.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

int job_get_path(struct json_object *args, const char *key, const char **ret_path, struct error *err)
{
        const char *path = json_get_string(args, key, NULL);
        if (!path || *path != '/')
                return error_set(err, ERR_BAD_REQUEST, "The job's argument \"%s\" is not an absolute path",
                                 key);
        *ret_path = path;
        return 0;
}

int job_open_dir(const char *path, struct error *err)
{
        int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        return fd < 0 ? error_set_errno(err, -errno, "Opening the directory \"%s\"", path) : fd;
}

int job_open_file(const char *path, uint64_t *ret_size, struct error *err)
{
        struct stat st;
        _cleanup_close_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_set_errno(err, -errno, "Opening \"%s\"", path);
        if (!S_ISREG(st.st_mode))
                return error_set(err, ERR_BAD_REQUEST, "\"%s\" is not a regular file", path);
        if (ret_size)
                *ret_size = (uint64_t)st.st_size;
        return TAKE_FD(fd);
}

int job_empty_dir(int dir_fd)
{
        /* A descriptor of its own: the caller's may be kept open over several calls and has one read
         * position. */
        int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        if (!dir) {
                fd_close(fd);
                return -errno;
        }
        struct dirent *e;
        int r = 0;
        while (r == 0 && (e = readdir(dir)))
                if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
                        r = path_remove_tree(dir_fd, e->d_name);
        closedir(dir);
        return r;
}
