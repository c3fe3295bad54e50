/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The job `file-put`: {"path", "type":"file|directory|symlink", "uid","gid","mode" (each may be absent),
 * "write": "overwrite|append", "length":N, "commit":true}. The content (of a symbolic link: its target) comes
 * on descriptor 0.
 *
 * What is new belongs to root, 0644 or 0755, unless told otherwise; what exists keeps its inode, and its
 * owner and mode unless told otherwise. An upload that breaks off must not be taken for whole, and the end of
 * a pipe does not tell the two apart. It is whole if "length" bytes came (when given), and, with "commit", if
 * one byte arrives on descriptor 6 afterwards; otherwise, or on SIGTERM, a new file is removed and the answer
 * is "cancelled". What an existing file held is gone by then, as with any writing in place.
 */
#include "runtime/file-path.h"
#include "runtime/file.h"
#include "runtime/jobs.h"
#include "runtime/stream.h"
#include "base/fd.h"
#include "base/path.h"

#include <fcntl.h>
#include <unistd.h>

#define CONTENT_FD STDIN_FILENO
#define COMMIT_FD 6
#define TARGET_MAX 4095

struct attributes {
        int64_t uid, gid, mode; /* -1: not given */
};

static int read_attributes(struct json_object *args, struct attributes *ret, struct error *err)
{
        struct attributes a = { .uid = json_get_int(args, "uid", -1),
                                .gid = json_get_int(args, "gid", -1),
                                .mode = json_get_int(args, "mode", -1) };
        if (a.uid < -1 || a.uid >= UINT32_MAX || a.gid < -1 || a.gid >= UINT32_MAX)
                return error_set(err, ERR_BAD_REQUEST, "The file's owner is not a user and group number");
        if (a.mode < -1 || a.mode > 07777)
                return error_set(err, ERR_BAD_REQUEST, "The file's mode is not one of 0 to 07777");
        *ret = a;
        return 0;
}

/* Owner first: a change of owner takes set-id bits away. */
static int apply(int fd, const struct attributes *a)
{
        if ((a->uid >= 0 || a->gid >= 0) && fchown(fd, (uid_t)a->uid, (gid_t)a->gid) < 0)
                return -errno;
        return a->mode >= 0 && fchmod(fd, (mode_t)a->mode) < 0 ? -errno : 0;
}

static struct attributes with_defaults(const struct attributes *a, mode_t mode)
{
        return (struct attributes){ .uid = a->uid < 0 ? 0 : a->uid,
                                    .gid = a->gid < 0 ? 0 : a->gid,
                                    .mode = a->mode < 0 ? (int64_t)mode : a->mode };
}

static int describe_failure(struct guest_tree *tree, int r, struct error *err)
{
        if (r == -EINVAL)
                return error_set(err, ERR_BAD_REQUEST,
                                 "Writing \"%s\": the owner does not exist in the instance", tree->path);
        if (r == -ECANCELED)
                return error_set(err, ERR_CANCELLED, "The upload of \"%s\" broke off", tree->path);
        return error_set_errno(err, r, "Writing \"%s\"", tree->path);
}

static int check_whole(struct json_object *args, uint64_t moved)
{
        char byte;
        int64_t length = json_get_int(args, "length", -1);
        if (worker_is_cancelled() || (length >= 0 && (uint64_t)length != moved))
                return -ECANCELED;
        if (json_get_bool(args, "commit", false) && fd_read_exact(COMMIT_FD, &byte, 1) < 0)
                return -ECANCELED;
        return worker_is_cancelled() ? -ECANCELED : 0;
}

static int receive(int fd, struct json_object *args)
{
        uint64_t moved = 0;
        int r = stream_copy(CONTENT_FD, fd, STREAM_NO_LIMIT, &moved);
        return r < 0 ? r : check_whole(args, moved);
}

static int put_new_file(int parent, const char *name, int fd, struct json_object *args,
                        const struct attributes *a)
{
        struct attributes full = with_defaults(a, 0644);
        int r = receive(fd, args);
        if (r == 0)
                r = apply(fd, &full);
        if (r < 0)
                unlinkat(parent, name, 0);
        return r;
}

/* A link whose target is not there yet: the file appears where it points to, inside the guest's root. */
static int open_existing(struct guest_tree *tree, int flags, struct error *err)
{
        struct stat st;
        _cleanup_close_ int found = -EBADF;
        int r = guest_tree_look(tree, 0, &found, &st);
        if (r == -ENOENT)
                return path_open_inroot(tree->root, tree->path, O_WRONLY | O_CREAT | O_NONBLOCK | O_NOCTTY,
                                        0644);
        if (r < 0)
                return r;
        if (!S_ISREG(st.st_mode))
                return error_set(err, ERR_BAD_REQUEST, "\"%s\" is %s, not a file", tree->path,
                                 file_kind_words(st.st_mode));
        return guest_tree_reopen(tree, found, O_WRONLY | flags);
}

static int put_existing_file(struct guest_tree *tree, struct json_object *args, const struct attributes *a,
                             bool is_append, struct error *err)
{
        _cleanup_close_ int fd = open_existing(tree, is_append ? 0 : O_TRUNC, err);
        if (fd < 0)
                return fd;
        if (is_append && lseek(fd, 0, SEEK_END) < 0)
                return -errno;
        int r = receive(fd, args);
        return r < 0 ? r : apply(fd, a);
}

static int put_file(struct guest_tree *tree, struct json_object *args, const struct attributes *a,
                    struct error *err)
{
        _cleanup_free_ char *name = NULL;
        _cleanup_close_ int parent = -EBADF, fd = -EBADF;
        const char *write = json_get_string(args, "write", "overwrite");
        bool is_append = streq(write, "append");
        if (!is_append && !streq(write, "overwrite"))
                return error_set(err, ERR_BAD_REQUEST,
                                 "\"%s\" is not a way to write: \"overwrite\" or \"append\"", write);
        int r = guest_tree_parent(tree, &parent, &name, err);
        if (r < 0)
                return r;
        /* Private until it is whole. */
        fd = path_open_beneath(parent, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
        if (fd >= 0)
                return put_new_file(parent, name, fd, args, a);
        /* ELOOP: a symbolic link is there */
        return fd == -EEXIST || fd == -ELOOP ? put_existing_file(tree, args, a, is_append, err) : fd;
}

static int check_directory(struct guest_tree *tree, struct error *err)
{
        struct stat st;
        _cleanup_close_ int fd = -EBADF;
        int r = guest_tree_look(tree, 0, &fd, &st);
        if (r < 0 || S_ISDIR(st.st_mode))
                return r;
        return error_set(err, ERR_EXISTS, "\"%s\" exists and is %s, not a directory", tree->path,
                         file_kind_words(st.st_mode));
}

static int put_directory(struct guest_tree *tree, const struct attributes *a, struct error *err)
{
        struct attributes full = with_defaults(a, 0755);
        _cleanup_free_ char *name = NULL;
        _cleanup_close_ int parent = -EBADF, fd = -EBADF;
        int r = guest_tree_parent(tree, &parent, &name, err);
        if (r < 0)
                return streq(tree->path, "/") ? check_directory(tree, err) : r;
        if (mkdirat(parent, name, 0700) < 0)
                return errno == EEXIST ? check_directory(tree, err) : -errno;
        fd = path_open_beneath(parent, name, O_RDONLY | O_DIRECTORY, 0);
        r = fd < 0 ? fd : apply(fd, &full);
        if (r < 0)
                unlinkat(parent, name, AT_REMOVEDIR);
        return r;
}

static bool link_says(int parent, const char *name, const char *target)
{
        char now[TARGET_MAX + 1];
        ssize_t n = readlinkat(parent, name, now, sizeof now);
        return n >= 0 && (size_t)n == strlen(target) && memcmp(now, target, (size_t)n) == 0;
}

static int put_symlink(struct guest_tree *tree, struct json_object *args, const struct attributes *a,
                       struct error *err)
{
        struct attributes full = with_defaults(a, 0777);
        _cleanup_free_ char *name = NULL;
        _cleanup_close_ int parent = -EBADF;
        _cleanup_strbuf_ struct strbuf target = STRBUF_INIT;
        int r = fd_read_to_end(CONTENT_FD, &target, TARGET_MAX);
        if (r == 0)
                r = check_whole(args, target.len);
        if (r < 0)
                return r;
        if (target.len == 0 || strlen(target.data) != target.len)
                return error_set(err, ERR_BAD_REQUEST, "The target of \"%s\" is not a path", tree->path);
        r = guest_tree_parent(tree, &parent, &name, err);
        if (r < 0 || link_says(parent, name, target.data))
                return r;
        if (symlinkat(target.data, parent, name) < 0)
                return -errno;
        return fchownat(parent, name, (uid_t)full.uid, (gid_t)full.gid, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int put(struct guest_tree *tree, struct json_object *args, struct json_object **ret_result _unused_,
               struct error *err)
{
        struct attributes a = { .uid = -1, .gid = -1, .mode = -1 };
        const char *type = json_get_string(args, "type", "file");
        int r = read_attributes(args, &a, err);
        if (r < 0)
                return r;
        if (streq(type, "file"))
                r = put_file(tree, args, &a, err);
        else if (streq(type, "directory"))
                r = put_directory(tree, &a, err);
        else if (streq(type, "symlink"))
                r = put_symlink(tree, args, &a, err);
        else
                return error_set(err, ERR_BAD_REQUEST, "\"%s\" is not a type of file", type);
        return r < 0 && (!err || err->code == ERR_NONE) ? describe_failure(tree, r, err) : r;
}

int job_file_put(struct json_object *args, struct json_object **ret_result _unused_, struct error *err)
{
        return guest_tree_run("file-put", args, put, err);
}
