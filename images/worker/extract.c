/* SPDX-License-Identifier: Apache-2.0 */
#include "images/worker/extract.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/names.h"
#include "base/path.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* A directory's time is set last: what is put into it later would change it again. */
struct dir_time {
        char *path;
        struct timespec mtime;
};

struct extract {
        struct archive_input *in;
        int root_fd;
        const char *strip;
        uint32_t ids_size;
        struct extract_counts counts;
        bool found_strip;
        char *parent; /* the directory of the last entry, which is mostly the next one's too */
        int parent_fd;
        struct dir_time *dir_times;
        size_t n_dir_times;
        size_t dir_times_room;
};

static void extract_done(struct extract *x)
{
        for (size_t i = 0; i < x->n_dir_times; i++)
                free(x->dir_times[i].path);
        free(x->dir_times);
        free(x->parent);
        fd_close(x->parent_fd);
}

static int refuse(const char *name, const char *why, struct error *err)
{
        _cleanup_free_ char *shown = name_printable(name);
        return error_set(err, ERR_BAD_REQUEST, "The archive's entry \"%s\" is refused: %s", shown, why);
}

static int failed(const char *name, int r, struct error *err)
{
        _cleanup_free_ char *shown = name_printable(name);
        if (r == -ELOOP || r == -ENOTDIR)
                return refuse(name, "its path leads through something that is not a directory", err);
        return error_set_errno(err, r, "Unpacking \"%s\"", shown);
}

static void forget_parent(struct extract *x)
{
        free(TAKE_PTR(x->parent));
        fd_reset(&x->parent_fd);
}

/* Directories an archive has no entry for. Never through a link: each level is opened from the one above. */
static int open_or_make_dirs(int root_fd, char *path)
{
        int fd = path_open_beneath(root_fd, path, O_RDONLY | O_DIRECTORY, 0);
        if (fd != -ENOENT)
                return fd;
        char *slash = strrchr(path, '/');
        _cleanup_close_ int above = -EBADF;
        if (slash) {
                *slash = '\0';
                above = open_or_make_dirs(root_fd, path);
                *slash = '/';
                if (above < 0)
                        return above;
        }
        const char *name = slash ? slash + 1 : path;
        int in_fd = slash ? above : root_fd;
        if (mkdirat(in_fd, name, 0755) < 0 && errno != EEXIST)
                return -errno;
        return path_open_beneath(in_fd, name, O_RDONLY | O_DIRECTORY, 0);
}

/* *ret_fd is borrowed, *ret_name points into path. */
static int open_parent(struct extract *x, const char *path, int *ret_fd, const char **ret_name)
{
        const char *slash = strrchr(path, '/');
        *ret_name = slash ? slash + 1 : path;
        *ret_fd = x->root_fd;
        if (!slash)
                return 0;
        size_t n = (size_t)(slash - path);
        if (!x->parent || strlen(x->parent) != n || memcmp(x->parent, path, n) != 0) {
                forget_parent(x);
                _cleanup_free_ char *dir = xstrndup(path, n);
                int fd = open_or_make_dirs(x->root_fd, dir);
                if (fd < 0)
                        return fd;
                x->parent = TAKE_PTR(dir);
                x->parent_fd = fd;
        }
        *ret_fd = x->parent_fd;
        return 0;
}

/* An archive may hold a name twice; the last one counts. A directory is only replaced when it is empty. */
static int make_room(struct extract *x, int dir_fd, const char *name)
{
        if (unlinkat(dir_fd, name, 0) < 0) {
                if (errno == ENOENT)
                        return 0;
                if (errno != EISDIR && errno != EPERM)
                        return -errno;
                if (unlinkat(dir_fd, name, AT_REMOVEDIR) < 0)
                        return -errno;
                forget_parent(x);
        }
        return 0;
}

static struct timespec mtime_of(struct archive_entry *e)
{
        struct timespec t = { .tv_nsec = UTIME_OMIT };
        if (archive_entry_mtime_is_set(e))
                t = (struct timespec){ archive_entry_mtime(e), archive_entry_mtime_nsec(e) };
        return t;
}

/* Owner before mode (a change of owner clears setuid), both before capabilities (which a change of owner
 * drops). */
static int finish_inode(int fd, struct archive_entry *e, const char **ret_what)
{
        *ret_what = "the owner";
        if (fchown(fd, (uid_t)archive_entry_uid(e), (gid_t)archive_entry_gid(e)) < 0)
                return -errno;
        *ret_what = "the mode";
        if (fchmod(fd, archive_entry_mode(e) & 07777) < 0)
                return -errno;
        return extract_attributes(fd, e, ret_what);
}

static int finish_open(int fd, struct archive_entry *e, const char *path, struct error *err)
{
        const char *what;
        int r = finish_inode(fd, e, &what);
        if (r == 0)
                return 0;
        _cleanup_free_ char *shown = name_printable(path);
        return error_set_errno(err, r, "Unpacking \"%s\": setting %s", shown, what);
}

static int write_block(int fd, const char *data, size_t n, int64_t offset)
{
        while (n > 0) {
                ssize_t k = pwrite(fd, data, n, offset);
                if (k < 0 && errno != EINTR)
                        return -errno;
                if (k > 0)
                        data += k, n -= (size_t)k, offset += k;
        }
        return 0;
}

static int write_content(struct extract *x, int fd, int64_t size, const char *path, struct error *err)
{
        const void *data;
        size_t n;
        int64_t offset, end = 0;
        int r;
        while ((r = archive_read_data_block(archive_input_reader(x->in), &data, &n, &offset)) == ARCHIVE_OK) {
                if ((r = archive_input_account(x->in, n, err)) < 0)
                        return r;
                if ((r = write_block(fd, data, n, offset)) < 0)
                        return failed(path, r, err);
                x->counts.bytes += n;
                end = offset + (int64_t)n;
        }
        if (r != ARCHIVE_EOF)
                return archive_input_failed(x->in, err);
        /* A hole at the end is no data block. */
        return end < size && ftruncate(fd, size) < 0 ? failed(path, -errno, err) : 0;
}

static int make_file(struct extract *x, struct archive_entry *e, int dir_fd, const char *name,
                     const char *path, struct error *err)
{
        struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, mtime_of(e) };
        _cleanup_close_ int fd =
                openat(dir_fd, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
        if (fd < 0)
                return failed(path, -errno, err);
        int r = write_content(x, fd, archive_entry_size(e), path, err);
        if (r == 0)
                r = finish_open(fd, e, path, err);
        if (r == 0 && futimens(fd, times) < 0)
                r = failed(path, -errno, err);
        return r;
}

static void remember_time(struct extract *x, struct archive_entry *e, const char *path)
{
        if (x->n_dir_times == x->dir_times_room) {
                x->dir_times_room = x->dir_times_room ? 2 * x->dir_times_room : 256;
                x->dir_times = xreallocarray(x->dir_times, x->dir_times_room, sizeof *x->dir_times);
        }
        x->dir_times[x->n_dir_times++] = (struct dir_time){ xstrdup(path), mtime_of(e) };
}

static int make_dir(struct extract *x, struct archive_entry *e, int dir_fd, const char *name,
                    const char *path, struct error *err)
{
        int r = 0;
        if (*name && mkdirat(dir_fd, name, 0700) < 0) {
                struct stat st;
                if (errno != EEXIST || fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
                        return failed(path, -errno, err);
                if (!S_ISDIR(st.st_mode))
                        r = make_room(x, dir_fd, name) < 0 || mkdirat(dir_fd, name, 0700) < 0 ? -errno : 0;
        }
        if (r < 0)
                return failed(path, r, err);
        _cleanup_close_ int fd =
                openat(dir_fd, *name ? name : ".", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return failed(path, -errno, err);
        remember_time(x, e, *path ? path : ".");
        return finish_open(fd, e, path, err);
}

static int make_symlink(struct archive_entry *e, int dir_fd, const char *name)
{
        struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, mtime_of(e) };
        const char *target = archive_entry_symlink(e);
        if (str_empty(target))
                return -EINVAL;
        if (symlinkat(target, dir_fd, name) < 0 ||
            fchownat(dir_fd, name, (uid_t)archive_entry_uid(e), (gid_t)archive_entry_gid(e),
                     AT_SYMLINK_NOFOLLOW) < 0 ||
            utimensat(dir_fd, name, times, AT_SYMLINK_NOFOLLOW) < 0)
                return -errno;
        return 0;
}

/* By name: opening a FIFO would wait, opening a socket fails. The directory is ours alone, so names do not
 * move. */
static int make_special(struct archive_entry *e, int dir_fd, const char *name, mode_t type)
{
        if (mknodat(dir_fd, name, type | 0600, 0) < 0 ||
            fchownat(dir_fd, name, (uid_t)archive_entry_uid(e), (gid_t)archive_entry_gid(e),
                     AT_SYMLINK_NOFOLLOW) < 0 ||
            fchmodat(dir_fd, name, archive_entry_mode(e) & 07777, 0) < 0)
                return -errno;
        return 0;
}

/* The entry's name without the prefix; NULL: not ours to unpack. A linked rootfs is refused here. */
static int strip_name(struct extract *x, struct archive_entry *e, const char *name, char **ret_path,
                      struct error *err)
{
        size_t n = strlen(x->strip);
        if (n == 0)
                return archive_clean_name(name, ret_path, err);
        _cleanup_free_ char *clean = NULL;
        int r = archive_clean_name(name, &clean, err);
        if (r < 0)
                return r;
        bool is_top = strlen(clean) == n - 1 && memcmp(clean, x->strip, n - 1) == 0;
        if (is_top && (archive_entry_hardlink(e) || archive_entry_filetype(e) != AE_IFDIR))
                return refuse(clean, "it is not a directory", err);
        bool is_below = str_starts(clean, x->strip);
        x->found_strip |= is_top || is_below;
        *ret_path = is_top ? xstrdup("") : is_below ? xstrdup(clean + n) : NULL;
        return 0;
}

static int make_hardlink(struct extract *x, const char *wanted, int dir_fd, const char *name,
                         const char *path, struct error *err)
{
        _cleanup_free_ char *clean = NULL;
        size_t n = strlen(x->strip);
        if (archive_clean_name(wanted, &clean, NULL) < 0 || !str_starts(clean, x->strip) ||
            strlen(clean) == n)
                return refuse(path, "it is a hard link to something outside the tree", err);
        char *target = clean + n, *slash = strrchr(target, '/');
        _cleanup_close_ int above = -EBADF;
        if (slash) {
                *slash = '\0';
                above = path_open_beneath(x->root_fd, target, O_PATH | O_DIRECTORY, 0);
                if (above < 0)
                        return failed(path, above, err);
        }
        int r = linkat(slash ? above : x->root_fd, slash ? slash + 1 : target, dir_fd, name, 0) < 0 ? -errno
                                                                                                    : 0;
        if (r == -ENOENT || r == -EPERM)
                return refuse(path, "it is a hard link to something that is not a file of the archive", err);
        return r < 0 ? failed(path, r, err) : 0;
}

static int check_owner(struct extract *x, struct archive_entry *e, const char *path, struct error *err)
{
        int64_t uid = archive_entry_uid(e), gid = archive_entry_gid(e);
        if (uid >= 0 && uid < x->ids_size && gid >= 0 && gid < x->ids_size)
                return 0;
        _cleanup_free_ char *shown = name_printable(path);
        return error_set(err, ERR_BAD_REQUEST,
                         "The archive's entry \"%s\" belongs to %lld:%lld, outside of 0 to %u", shown,
                         (long long)uid, (long long)gid, x->ids_size - 1);
}

static int make_by_type(struct extract *x, struct archive_entry *e, int dir_fd, const char *name,
                        const char *path, struct error *err)
{
        int r;
        switch (archive_entry_filetype(e)) {
        case AE_IFREG:
                return make_file(x, e, dir_fd, name, path, err);
        case AE_IFLNK:
                r = make_symlink(e, dir_fd, name);
                return r < 0 ? failed(path, r, err) : 0;
        case AE_IFIFO:
        case AE_IFSOCK:
                r = make_special(e, dir_fd, name, archive_entry_filetype(e));
                return r < 0 ? failed(path, r, err) : 0;
        default:
                return refuse(path, "it is of an unknown kind", err);
        }
}

static bool is_node(struct archive_entry *e)
{
        return archive_entry_filetype(e) == AE_IFCHR || archive_entry_filetype(e) == AE_IFBLK;
}

static int make_entry(struct extract *x, struct archive_entry *e, const char *path, struct error *err)
{
        const char *name, *hardlink = archive_entry_hardlink(e);
        int dir_fd, r;
        if (!hardlink && is_node(e))
                return x->counts.skipped_nodes++, 0;
        if (!hardlink && (r = check_owner(x, e, path, err)) < 0)
                return r;
        if ((r = open_parent(x, path, &dir_fd, &name)) < 0)
                return failed(path, r, err);
        if (!hardlink && archive_entry_filetype(e) == AE_IFDIR) {
                r = make_dir(x, e, dir_fd, name, path, err);
        } else if (!*name) {
                return refuse(".", "the tree's root is not a directory", err);
        } else {
                if ((r = make_room(x, dir_fd, name)) < 0)
                        return failed(path, r, err);
                /* Making room may have dropped the remembered parent. */
                if ((r = open_parent(x, path, &dir_fd, &name)) < 0)
                        return failed(path, r, err);
                r = hardlink ? make_hardlink(x, hardlink, dir_fd, name, path, err)
                             : make_by_type(x, e, dir_fd, name, path, err);
        }
        if (r == 0)
                x->counts.files++;
        return r;
}

static int extract_all(struct extract *x, struct error *err)
{
        struct archive_entry *e;
        int r;
        while ((r = archive_input_next(x->in, &e, err)) > 0) {
                _cleanup_free_ char *path = NULL;
                if ((r = strip_name(x, e, archive_entry_pathname(e), &path, err)) < 0)
                        return r;
                if (path && (r = make_entry(x, e, path, err)) < 0)
                        return r;
        }
        if (r == 0 && *x->strip && !x->found_strip)
                return error_set(err, ERR_BAD_REQUEST, "The archive has no directory \"%.*s\"",
                                 (int)strlen(x->strip) - 1, x->strip);
        if (r == 0 && x->counts.files == 0)
                return error_set(err, ERR_BAD_REQUEST, "The archive is empty");
        return r;
}

static int set_dir_times(struct extract *x, struct error *err)
{
        for (size_t i = x->n_dir_times; i-- > 0;) {
                const struct dir_time *d = &x->dir_times[i];
                struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, d->mtime };
                int fd = path_open_beneath(x->root_fd, d->path, O_RDONLY | O_DIRECTORY, 0);
                /* Replaced by a later entry of the same name: that one's business. */
                if (fd == -ENOENT || fd == -ENOTDIR || fd == -ELOOP)
                        continue;
                int r = fd < 0 ? fd : futimens(fd, times) < 0 ? -errno : 0;
                fd_close(fd);
                if (r < 0)
                        return failed(d->path, r, err);
        }
        return 0;
}

int extract_tree(struct archive_input *in, int root_fd, const char *strip, uint32_t ids_size,
                 struct extract_counts *ret_counts, struct error *err)
{
        _cleanup_(extract_done) struct extract x = {
                .in = in, .root_fd = root_fd, .strip = strip, .ids_size = ids_size, .parent_fd = -EBADF
        };
        umask(0);
        int r = extract_all(&x, err);
        if (r == 0)
                r = set_dir_times(&x, err);
        if (r == 0)
                *ret_counts = x.counts;
        return r;
}
