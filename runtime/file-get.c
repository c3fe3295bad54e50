/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The job `file-get`: {"path", "content":true} → {"type":"file|directory|symlink","uid","gid","mode","size",
 * "modified" (seconds since 1970), "entries":[…] of a directory,"target" of a symbolic link}. The answer comes before the
 * content of a file, which goes to descriptor 1: exactly "size" bytes, fewer if the file was cut meanwhile; until the end
 * where "size" is -1 (files of /proc and the like do not know theirs). With "content":false no content is sent.
 */
#include "runtime/file-path.h"
#include "runtime/file.h"
#include "runtime/jobs.h"
#include "runtime/stream.h"
#include "base/fd.h"

#include <dirent.h>
#include <fcntl.h>
#include <unistd.h>

#define CONTENT_FD STDOUT_FILENO
#define ENTRIES_MAX (JSON_TEXT_MAX - KiB(64))

static int describe(const struct stat *st, int64_t size, const char *target, struct json_object **ret)
{
        struct json_object *o = json_object_new_object();
        json_set_string(o, "type", file_kind(st->st_mode));
        json_set_int(o, "uid", st->st_uid);
        json_set_int(o, "gid", st->st_gid);
        json_set_int(o, "mode", st->st_mode & 07777);
        json_set_int(o, "size", size);
        json_set_int(o, "modified", st->st_mtim.tv_sec);
        json_set_string(o, "target", target);
        *ret = o;
        return 0;
}

/* Names are bytes to the kernel and text in JSON: the writer makes them so. */
static int write_entries(DIR *dir, struct strbuf *out)
{
        struct json_writer w = JSON_WRITER(out);
        struct dirent *e;
        json_write_array_begin(&w);
        while ((errno = 0, e = readdir(dir)))
                if (!streq(e->d_name, ".") && !streq(e->d_name, ".."))
                        json_write_string(&w, e->d_name);
        if (errno)
                return -errno;
        json_write_array_end(&w);
        return out->is_over ? -EFBIG : 0;
}

static int get_directory(int path_fd, const struct stat *st, struct json_object **ret, struct error *err)
{
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT_MAX(ENTRIES_MAX);
        struct json_object *entries = NULL;
        int fd = openat(path_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = fd < 0 ? NULL : fdopendir(fd);
        if (!dir) {
                fd_close(fd);
                return -errno;
        }
        int r = write_entries(dir, &text);
        closedir(dir);
        if (r == 0)
                r = json_parse(text.data, text.len, &entries, err);
        if (r < 0)
                return r;
        r = describe(st, st->st_size, NULL, ret);
        json_set_take(*ret, "entries", entries);
        return r;
}

static int get_symlink(int path_fd, const struct stat *st, struct json_object **ret)
{
        char target[4096];
        ssize_t n = readlinkat(path_fd, "", target, sizeof target - 1);
        if (n < 0)
                return -errno;
        target[n] = '\0';
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        _cleanup_json_ struct json_object *value = NULL;
        struct json_writer w = JSON_WRITER(&text);
        json_write_string(&w, target);
        int r = json_parse(text.data, text.len, &value, NULL);
        return r < 0 ? r : describe(st, n, json_object_get_string(value), ret);
}

static void answer(const struct stat *st, int64_t size)
{
        _cleanup_json_ struct json_object *o = NULL;
        describe(st, size, NULL, &o);
        worker_answer_result(o);
}

/* A size of 0 may mean "not known": the first piece says which. */
static int get_unsized(int fd, const struct stat *st)
{
        char piece[16384];
        uint64_t moved;
        ssize_t n = read(fd, piece, sizeof piece);
        if (n < 0)
                return -errno;
        answer(st, n == 0 ? 0 : -1);
        int r = fd_write_all(CONTENT_FD, piece, (size_t)n);
        return r < 0 || n == 0 ? r : stream_copy(fd, CONTENT_FD, STREAM_NO_LIMIT, &moved);
}

static int get_file(struct guest_tree *tree, int path_fd, const struct stat *st)
{
        uint64_t moved;
        _cleanup_close_ int fd = guest_tree_reopen(tree, path_fd, O_RDONLY);
        if (fd < 0)
                return fd;
        if (st->st_size == 0)
                return get_unsized(fd, st);
        (void)!posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
        answer(st, st->st_size);
        return stream_copy(fd, CONTENT_FD, (uint64_t)st->st_size, &moved);
}

static int get(struct guest_tree *tree, struct json_object *args, struct json_object **ret_result,
               struct error *err)
{
        struct stat st;
        _cleanup_close_ int fd = -EBADF;
        int r = guest_tree_look(tree, O_NOFOLLOW, &fd, &st);
        if (r == 0 && !file_kind(st.st_mode))
                return error_set(err, ERR_BAD_REQUEST, "\"%s\" is %s, which has no content to read",
                                 tree->path, file_kind_words(st.st_mode));
        if (r == 0 && S_ISDIR(st.st_mode))
                r = get_directory(fd, &st, ret_result, err);
        else if (r == 0 && S_ISLNK(st.st_mode))
                r = get_symlink(fd, &st, ret_result);
        else if (r == 0 && !json_get_bool(args, "content", true))
                r = describe(&st, st.st_size, NULL, ret_result);
        else if (r == 0)
                r = get_file(tree, fd, &st);
        if (r == -EFBIG)
                return error_set(err, ERR_TOO_LARGE, "The directory \"%s\" has too many entries", tree->path);
        return r < 0 ? error_set_errno(err, r, "Reading \"%s\"", tree->path) : 0;
}

int job_file_get(struct json_object *args, struct json_object **ret_result _unused_, struct error *err)
{
        return guest_tree_run("file-get", args, get, err);
}
