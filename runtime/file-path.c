/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/file-path.h"
#include "base/alloc.h"

#include <sys/stat.h>

int file_split_path(const char *path, char **ret_dir, char **ret_name)
{
        size_t end = strlen(path), start;
        while (end > 0 && path[end - 1] == '/')
                end--;
        for (start = end; start > 0 && path[start - 1] != '/'; start--)
                ;
        _cleanup_free_ char *name = xstrndup(path + start, end - start);
        if (!*name || streq(name, ".") || streq(name, ".."))
                return -EINVAL;
        *ret_dir = start ? xstrndup(path, start) : xstrdup("/");
        *ret_name = TAKE_PTR(name);
        return 0;
}

static const struct {
        mode_t type;
        const char *kind, *words;
} kinds[] = {
        { S_IFREG, "file", "a file" },
        { S_IFDIR, "directory", "a directory" },
        { S_IFLNK, "symlink", "a symbolic link" },
        { S_IFIFO, NULL, "a named pipe" },
        { S_IFSOCK, NULL, "a socket" },
        { S_IFCHR, NULL, "a device" },
        { S_IFBLK, NULL, "a device" },
};

const char *file_kind(mode_t mode)
{
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if ((mode & S_IFMT) == kinds[i].type)
                        return kinds[i].kind;
        return NULL;
}

const char *file_kind_words(mode_t mode)
{
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
                if ((mode & S_IFMT) == kinds[i].type)
                        return kinds[i].words;
        return "something unknown";
}
