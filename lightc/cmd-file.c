/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/path.h"
#include "lightc/edit.h"
#include "lightc/output.h"
#include "lightc/target.h"
#include "lightc/transfer.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int parse_mode(const struct args *a, int *ret, struct error *err)
{
        const char *text = args_value(a, "mode", NULL);
        char *end;
        *ret = -1;
        if (!text)
                return 0;
        long v = strtol(text, &end, 8);
        if (end == text || *end || v < 0 || v > 07777)
                return args_misuse(err, "\"%s\" is no mode: octal digits like 0644 are expected", text);
        *ret = (int)v;
        return 0;
}

static int prepare(struct client *c, const struct args *a, struct transfer *t, struct error *err)
{
        int uid, gid;
        *t = (struct transfer){ .client = c, .is_recursive = args_has(a, "recursive"),
                                .makes_dirs = args_has(a, "create-dirs") };
        int r = args_int(a, "uid", -1, &uid, err);
        if (r == 0)
                r = args_int(a, "gid", -1, &gid, err);
        if (r == 0)
                r = parse_mode(a, &t->mode, err);
        if (r == 0) {
                t->uid = uid;
                t->gid = gid;
        }
        return r;
}

static const char *last_part(const char *path)
{
        const char *slash = strrchr(path, '/');
        return slash ? slash + 1 : path;
}

static char *without_slash(const char *path)
{
        size_t n = strlen(path);
        while (n > 1 && path[n - 1] == '/')
                n--;
        return xstrndup(path, n);
}

/* Into a directory when the target says so, when there are several, and for a tree. */
static char *push_target(const char *source, const char *path, bool is_dir)
{
        _cleanup_free_ char *from = without_slash(source), *to = without_slash(path);
        if (!is_dir)
                return TAKE_PTR(to);
        return xasprintf("%s/%s", streq(to, "/") ? "" : to, last_part(from));
}

static int run_push(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_free_ char *instance = NULL, *path = NULL;
        struct transfer t;
        size_t n = a->n_words - 1;
        int r = prepare(c, a, &t, err);
        if (r == 0)
                r = transfer_parse(a->words[n], &instance, &path, err);
        bool is_dir = r == 0 && (str_ends(path, "/") || n > 1 || t.is_recursive);
        t.instance = instance;
        for (size_t i = 0; r == 0 && i < n; i++) {
                if (streq(a->words[i], "-") && is_dir)
                        return args_misuse(err, "Standard input needs a file name in the instance");
                _cleanup_free_ char *remote = push_target(a->words[i], path, is_dir);
                if (t.makes_dirs)
                        r = transfer_make_parents(&t, remote, err);
                if (r == 0)
                        r = transfer_push(&t, a->words[i], remote, err);
        }
        return r;
}

/* Where a pulled thing goes: into an existing directory under its own name, or exactly there. */
static int open_destination(const struct args *a, const char *target, const char *remote, size_t n_sources, int *ret_fd,
                            char **ret_name, struct error *err)
{
        _cleanup_free_ char *plain = without_slash(target), *from = without_slash(remote);
        struct stat st;
        bool is_dir = stat(target, &st) == 0 && S_ISDIR(st.st_mode);
        bool wants_dir = is_dir || str_ends(target, "/") || n_sources > 1;
        if (!wants_dir) {
                const char *slash = strrchr(plain, '/');
                _cleanup_free_ char *above = slash ? xstrndup(plain, MAX((size_t)(slash - plain), 1u)) : xstrdup(".");
                *ret_name = xstrdup(last_part(plain));
                free(plain);
                plain = TAKE_PTR(above);
        } else
                *ret_name = xstrdup(last_part(from));
        if (args_has(a, "create-dirs"))
                path_mkdir_all(plain, 0755);
        *ret_fd = open(plain, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        return *ret_fd < 0 ? error_set_errno(err, -errno, "Cannot open the directory \"%s\"", plain) : 0;
}

static int pull_one(struct client *c, const struct args *a, const char *word, const char *target, size_t n, struct error *err)
{
        _cleanup_free_ char *instance = NULL, *path = NULL, *name = NULL;
        _cleanup_close_ int dir = -EBADF;
        struct remote_file f;
        struct transfer t;
        int r = prepare(c, a, &t, err);
        if (r == 0)
                r = transfer_parse(word, &instance, &path, err);
        if (r)
                return r;
        t.instance = instance;
        if (streq(target, "-"))
                return transfer_pull(&t, path, -EBADF, NULL, STDOUT_FILENO, &f, err);
        r = open_destination(a, target, path, n, &dir, &name, err);
        return r < 0 ? r : transfer_pull(&t, path, dir, *name ? name : ".", -EBADF, &f, err);
}

static int run_pull(struct client *c, const struct args *a, struct error *err)
{
        size_t n = a->n_words - 1;
        int r = 0;
        for (size_t i = 0; r == 0 && i < n; i++)
                r = pull_one(c, a, a->words[i], a->words[n], n, err);
        return r;
}

static int run_delete(struct client *c, const struct args *a, struct error *err _unused_)
{
        int status = STATUS_OK;
        for (size_t i = 0; i < a->n_words; i++) {
                _cleanup_error_ struct error why = ERROR_INIT;
                _cleanup_free_ char *instance = NULL, *path = NULL;
                int r = transfer_parse(a->words[i], &instance, &path, &why);
                if (r == 0) {
                        _cleanup_free_ char *url = client_url(c, NULL, "instances", instance, "files", NULL);
                        client_url_add(&url, "path", path);
                        r = client_put(c, "DELETE", url, NULL, NULL, &why);
                }
                if (r < 0) {
                        output_error(a->words[i], &why);
                        status = STATUS_FAILED;
                }
        }
        return status;
}

/* A file that is not there yet is made. */
static int edit_copy(struct transfer *t, const char *path, int fd, const char *temporary, struct error *err)
{
        struct remote_file f = { .mode = 0644 };
        struct stat before, after;
        int r = transfer_pull(t, path, -EBADF, NULL, fd, &f, err);
        if (r < 0 && err->code != ERR_NOT_FOUND)
                return r;
        error_done(err);
        fstat(fd, &before);
        r = edit_file(temporary, err);
        if (r < 0)
                return r;
        /* Editors replace the file rather than write into it. */
        _cleanup_close_ int edited = open(temporary, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        if (edited < 0 || fstat(edited, &after) < 0)
                return error_set_errno(err, -errno, "Cannot read \"%s\"", temporary);
        if (before.st_ino == after.st_ino && before.st_mtim.tv_sec == after.st_mtim.tv_sec &&
            before.st_mtim.tv_nsec == after.st_mtim.tv_nsec)
                return 0;
        return transfer_push_fd(t, edited, &f, path, err);
}

static int run_edit(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_free_ char *instance = NULL, *path = NULL;
        struct transfer t;
        int r = prepare(c, a, &t, err);
        if (r == 0)
                r = transfer_parse(a->words[0], &instance, &path, err);
        if (r)
                return r;
        t.instance = instance;
        if (!isatty(STDIN_FILENO))
                return transfer_push_fd(&t, STDIN_FILENO, &(struct remote_file){ .uid = -1, .gid = -1, .mode = -1 }, path,
                                        err);
        const char *dir = getenv("TMPDIR");
        _cleanup_free_ char *temporary = xasprintf("%s/lightc-XXXXXX", str_empty(dir) ? "/tmp" : dir);
        _cleanup_close_ int fd = mkostemp(temporary, O_CLOEXEC);
        if (fd < 0)
                return error_set_errno(err, -errno, "Cannot make the temporary file \"%s\"", temporary);
        r = edit_copy(&t, path, fd, temporary, err);
        unlink(temporary);
        return r;
}

#define OPTION_RECURSIVE { .name = "recursive", .letter = 'r', .help = "Directories with what is in them" }
#define OPTION_CREATE_DIRS { .name = "create-dirs", .letter = 'p', .help = "Make directories that are missing above" }
#define REMOTE_PATH "[<remote>:]<instance>/<path>"

static const struct option push_options[] = {
        OPTION_RECURSIVE,
        OPTION_CREATE_DIRS,
        { .name = "uid", .value = "uid", .help = "Owner there (the local file's)" },
        { .name = "gid", .value = "gid", .help = "Group there (the local file's)" },
        { .name = "mode", .value = "mode", .help = "Permissions there (the local file's)" },
        { 0 },
};
static const struct option pull_options[] = { OPTION_RECURSIVE, OPTION_CREATE_DIRS, { 0 } };

const struct command cmd_file_push = {
        .path = "file push",
        .summary = "Copy files into an instance",
        .args = (const struct arg[]){ { "<source>", .is_repeated = true }, { REMOTE_PATH }, { 0 } },
        .options = push_options,
        .run = run_push,
        .example = "lightc file push site.conf c1/etc/nginx/conf.d/\nlightc file push -r -p www c1/srv/\n"
                   "lightc file push - c1/etc/motd --mode 0644 < motd",
};

const struct command cmd_file_pull = {
        .path = "file pull",
        .summary = "Copy files out of an instance",
        .args = (const struct arg[]){ { REMOTE_PATH, .is_repeated = true }, { "<target>" }, { 0 } },
        .options = pull_options,
        .run = run_pull,
        .example = "lightc file pull c1/etc/hosts .\nlightc file pull -r c1/var/log logs\nlightc file pull c1/etc/hosts -",
};

const struct command cmd_file_delete = {
        .path = "file delete",
        .aliases = "rm",
        .summary = "Delete files in an instance",
        .args = (const struct arg[]){ { REMOTE_PATH, .is_repeated = true }, { 0 } },
        .run = run_delete,
        .example = "lightc file delete c1/tmp/core",
};

const struct command cmd_file_edit = {
        .path = "file edit",
        .summary = "Change a file of an instance in an editor, or from standard input",
        .args = (const struct arg[]){ { REMOTE_PATH }, { 0 } },
        .run = run_edit,
        .example = "lightc file edit c1/etc/hosts",
};
