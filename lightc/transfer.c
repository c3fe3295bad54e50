/* SPDX-License-Identifier: Apache-2.0 */
#include "lightc/transfer.h"
#include "base/alloc.h"
#include "lightc/progress.h"
#include "lightc/target.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

int transfer_parse(const char *word, char **ret_instance, char **ret_path, struct error *err)
{
        _cleanup_free_ char *name = NULL;
        const char *rest;
        int r = target_split(word, &name, &rest, err);
        if (r < 0)
                return r;
        if (!rest)
                return error_set(err, ERR_BAD_REQUEST, "\"%s\" is not of the form <instance>/<path>, as \"c1/root/\" is", word);
        *ret_instance = TAKE_PTR(name);
        *ret_path = xasprintf("/%s", rest + strspn(rest, "/"));
        return 0;
}

static char *file_url(const struct transfer *t, const char *path)
{
        char *url = client_url(t->client, NULL, "instances", t->instance, "files", NULL);
        client_url_add(&url, "path", path);
        return url;
}

/* "X-LXD-…" for one thing to be made. */
struct headers {
        char uid[24], gid[24], mode[16];
        const char *list[16];
};

static void fill_headers(struct headers *h, const char *type, int64_t uid, int64_t gid, int mode)
{
        size_t n = 0;
        snprintf(h->uid, sizeof(h->uid), "%lld", (long long)uid);
        snprintf(h->gid, sizeof(h->gid), "%lld", (long long)gid);
        snprintf(h->mode, sizeof(h->mode), "%04o", (unsigned)mode & 07777);
        h->list[n++] = "X-LXD-type", h->list[n++] = type;
        if (uid >= 0)
                h->list[n++] = "X-LXD-uid", h->list[n++] = h->uid;
        if (gid >= 0)
                h->list[n++] = "X-LXD-gid", h->list[n++] = h->gid;
        if (mode >= 0)
                h->list[n++] = "X-LXD-mode", h->list[n++] = h->mode;
        h->list[n++] = "Content-Type", h->list[n++] = "application/octet-stream";
        h->list[n] = NULL;
}

/* Which file it was about, unless the sentence says that already. */
static int explain(const struct transfer *t, const char *verb, const char *remote, struct error *err)
{
        if (strstr(error_message(err), remote))
                return error_errno(err->code);
        return error_prefix(err, "Cannot %s \"%s\" in \"%s\"", verb, remote, t->instance);
}

static int send(struct transfer *t, const struct request *req, const char *remote, struct error *err)
{
        int r = client_call(t->client, req, NULL, err);
        return r < 0 ? explain(t, "write", remote, err) : 0;
}

static int make_remote_dir(struct transfer *t, const char *remote, int64_t uid, int64_t gid, int mode, struct error *err)
{
        struct headers h;
        _cleanup_free_ char *url = file_url(t, remote);
        fill_headers(&h, "directory", uid, gid, mode);
        struct request req = { .method = "POST", .url = url, .headers = h.list };
        return send(t, &req, remote, err);
}

struct upload {
        struct progress progress;
        char *stage;
        uint64_t total;
};

static void show_sent(void *data, uint64_t sent)
{
        struct upload *u = data;
        progress_bytes(&u->progress, u->stage, sent, u->total);
}

int transfer_push_fd(struct transfer *t, int fd, const struct remote_file *as, const char *remote, struct error *err)
{
        struct headers h;
        struct stat st;
        _cleanup_free_ char *url = file_url(t, remote), *stage = xasprintf("Pushing %s", remote);
        if (fstat(fd, &st) < 0)
                return error_set_errno(err, -errno, "Cannot read what is to become \"%s\"", remote);
        bool has_length = S_ISREG(st.st_mode);
        off_t at = has_length ? MAX(lseek(fd, 0, SEEK_CUR), 0) : 0;
        struct upload u = { .stage = stage, .total = has_length ? (uint64_t)st.st_size : 0 };
        fill_headers(&h, "file", as->uid, as->gid, as->mode);
        struct request req = { .method = "POST", .url = url, .headers = h.list, .fd = fd, .is_upload = true,
                               .length = has_length ? MAX(st.st_size - at, 0) : -1, .sent = show_sent, .sent_data = &u };
        progress_init(&u.progress, t->client->is_quiet, false);
        int r = send(t, &req, remote, err);
        progress_clear(&u.progress);
        return r;
}

static int push_symlink(struct transfer *t, const char *local, const struct stat *st, const char *remote, struct error *err)
{
        struct headers h;
        char target[4096];
        ssize_t n = readlink(local, target, sizeof(target));
        if (n < 0)
                return error_set_errno(err, -errno, "Cannot read the link \"%s\"", local);
        _cleanup_free_ char *url = file_url(t, remote);
        fill_headers(&h, "symlink", t->uid >= 0 ? t->uid : st->st_uid, t->gid >= 0 ? t->gid : st->st_gid, -1);
        struct request req = { .method = "POST", .url = url, .headers = h.list, .data = target, .n_data = (size_t)n };
        return send(t, &req, remote, err);
}

static int push_tree(struct transfer *t, const char *local, const struct stat *st, const char *remote, struct error *err)
{
        if (!t->is_recursive) {
                int r = error_set(err, ERR_BAD_REQUEST, "\"%s\" is a directory", local);
                error_hint(err, "--recursive pushes directories");
                return r;
        }
        int r = make_remote_dir(t, remote, t->uid >= 0 ? t->uid : st->st_uid, t->gid >= 0 ? t->gid : st->st_gid,
                                (int)st->st_mode & 07777, err);
        DIR *d = r == 0 ? opendir(local) : NULL;
        if (r == 0 && !d)
                return error_set_errno(err, -errno, "Cannot read the directory \"%s\"", local);
        for (struct dirent *e; r == 0 && (e = readdir(d));) {
                if (streq(e->d_name, ".") || streq(e->d_name, ".."))
                        continue;
                _cleanup_free_ char *from = xasprintf("%s/%s", local, e->d_name);
                _cleanup_free_ char *to = xasprintf("%s/%s", str_ends(remote, "/") ? "" : remote, e->d_name);
                r = transfer_push(t, from, to, err);
        }
        if (d)
                closedir(d);
        return r;
}

static int push_regular(struct transfer *t, const char *local, const char *remote, struct error *err)
{
        struct stat st;
        _cleanup_close_ int fd = open(local, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_set_errno(err, -errno, "Cannot open \"%s\"", local);
        struct remote_file as = { .uid = t->uid >= 0 ? t->uid : st.st_uid, .gid = t->gid >= 0 ? t->gid : st.st_gid,
                                  .mode = t->mode >= 0 ? t->mode : (int)st.st_mode & 07777 };
        return transfer_push_fd(t, fd, &as, remote, err);
}

int transfer_push(struct transfer *t, const char *local, const char *remote, struct error *err)
{
        struct stat st;
        if (streq(local, "-")) {
                struct remote_file as = { .uid = MAX(t->uid, 0), .gid = MAX(t->gid, 0), .mode = t->mode >= 0 ? t->mode : 0644 };
                return transfer_push_fd(t, STDIN_FILENO, &as, remote, err);
        }
        if ((t->is_recursive ? lstat : stat)(local, &st) < 0)
                return error_set_errno(err, -errno, "Cannot open \"%s\"", local);
        if (S_ISDIR(st.st_mode))
                return push_tree(t, local, &st, remote, err);
        if (S_ISLNK(st.st_mode))
                return push_symlink(t, local, &st, remote, err);
        if (t->is_recursive && !S_ISREG(st.st_mode))
                return error_set(err, ERR_UNSUPPORTED, "\"%s\" is neither a file, a directory nor a link", local);
        return push_regular(t, local, remote, err);
}

static int discard(void *data _unused_, const char *bytes _unused_, size_t n _unused_)
{
        return 0;
}

static bool exists(struct transfer *t, const char *remote)
{
        _cleanup_free_ char *url = file_url(t, remote);
        struct request req = { .method = "GET", .url = url };
        int status = client_begin(t->client, &req, NULL);
        if (status > 0)
                client_read_body(t->client, discard, NULL, NULL);
        return status == 200;
}

/* Upwards until one is there, then down again making the others. */
int transfer_make_parents(struct transfer *t, const char *remote, struct error *err)
{
        const char *slash = strrchr(remote, '/');
        if (!slash || slash == remote)
                return 0;
        _cleanup_free_ char *parent = xstrndup(remote, (size_t)(slash - remote));
        if (exists(t, parent))
                return 0;
        int r = transfer_make_parents(t, parent, err);
        return r < 0 ? r : make_remote_dir(t, parent, MAX(t->uid, 0), MAX(t->gid, 0), 0755, err);
}

static int64_t number_of(const struct client *c, const char *header, int base, int64_t fallback)
{
        const char *text = client_header(c, header);
        char *end;
        long long v = text ? strtoll(text, &end, base) : -1;
        return text && *text && !*end ? v : fallback;
}

static void read_headers(const struct client *c, struct remote_file *f)
{
        const char *type = client_header(c, "x-lxd-type");
        snprintf(f->type, sizeof(f->type), "%s", type ? type : "file");
        f->uid = number_of(c, "x-lxd-uid", 10, 0);
        f->gid = number_of(c, "x-lxd-gid", 10, 0);
        f->mode = (int)number_of(c, "x-lxd-mode", 8, 0644) & 07777;
}

struct download {
        struct progress progress;
        char *stage;
        uint64_t done, total;
        int fd, result;
};

static int save_piece(void *data, const char *bytes, size_t n)
{
        struct download *d = data;
        d->result = fd_write_all(d->fd, bytes, n);
        progress_bytes(&d->progress, d->stage, d->done += n, d->total);
        return d->result;
}

static int save_to_fd(struct transfer *t, const char *remote, int fd, const char *shown, struct error *err)
{
        uint64_t length = t->client->parser.head.content_length;
        _cleanup_free_ char *stage = xasprintf("Pulling %s", remote);
        struct download d = { .fd = fd, .stage = stage, .total = length == HTTP_LENGTH_UNKNOWN ? 0 : length };
        progress_init(&d.progress, t->client->is_quiet, false);
        int r = client_read_body(t->client, save_piece, &d, err);
        progress_clear(&d.progress);
        return d.result < 0 ? error_set_errno(err, d.result, "Cannot write \"%s\"", shown) : r;
}

static int save_file(struct transfer *t, const char *remote, int dir_fd, const char *name, const struct remote_file *f,
                     struct error *err)
{
        _cleanup_close_ int fd = openat(dir_fd, name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY,
                                        f->mode & 0777);
        if (fd < 0) {
                int r = error_set_errno(err, -errno, "Cannot write \"%s\"", name);
                client_disconnect(t->client);
                return r;
        }
        int r = save_to_fd(t, remote, fd, name, err);
        if (r == 0 && fchmod(fd, (mode_t)f->mode & 0777) < 0 && errno != EPERM)
                r = error_set_errno(err, -errno, "Cannot set the mode of \"%s\"", name);
        return r;
}

static int save_symlink(struct transfer *t, int dir_fd, const char *name, struct error *err)
{
        _cleanup_strbuf_ struct strbuf target = STRBUF_INIT;
        int r = client_read_text(t->client, &target, err);
        if (r < 0)
                return r;
        size_t n = strcspn(strbuf_str(&target), "\n");
        if (target.data)
                target.data[n] = '\0';
        if (symlinkat(strbuf_str(&target), dir_fd, name) < 0)
                return error_set_errno(err, -errno, "Cannot make the link \"%s\"", name);
        return 0;
}

/* A name an instance gave: it must not leave the directory it is written to. */
static bool is_plain_name(const char *name)
{
        return *name && !strchr(name, '/') && !streq(name, ".") && !streq(name, "..");
}

static int pull_entries(struct transfer *t, const char *remote, int dir_fd, struct json_object *names, struct error *err)
{
        int r = 0;
        for (size_t i = 0; r == 0 && names && i < json_object_array_length(names); i++) {
                const char *name = json_object_get_string(json_object_array_get_idx(names, i));
                struct remote_file f;
                if (!is_plain_name(name))
                        return error_set(err, ERR_BAD_REQUEST, "\"%s\" in \"%s\" holds an entry with an impossible name",
                                         remote, t->instance);
                _cleanup_free_ char *path = xasprintf("%s/%s", str_ends(remote, "/") ? "" : remote, name);
                r = transfer_pull(t, path, dir_fd, name, -EBADF, &f, err);
        }
        return r;
}

static int save_tree(struct transfer *t, const char *remote, int dir_fd, const char *name, const struct remote_file *f,
                     struct error *err)
{
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        _cleanup_json_ struct json_object *envelope = NULL;
        int r = client_read_text(t->client, &text, err);
        if (r == 0)
                r = json_parse_max(strbuf_str(&text), text.len, CLIENT_ANSWER_MAX, &envelope, err);
        if (r < 0)
                return r;
        if (!t->is_recursive) {
                r = error_set(err, ERR_BAD_REQUEST, "\"%s\" in \"%s\" is a directory", remote, t->instance);
                error_hint(err, "--recursive pulls directories");
                return r;
        }
        if (mkdirat(dir_fd, name, (mode_t)(f->mode & 0777) | 0700) < 0 && errno != EEXIST)
                return error_set_errno(err, -errno, "Cannot make the directory \"%s\"", name);
        _cleanup_close_ int fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
        if (fd < 0)
                return error_set_errno(err, -errno, "Cannot open the directory \"%s\"", name);
        return pull_entries(t, remote, fd, json_get_array(envelope, "metadata"), err);
}

int transfer_pull(struct transfer *t, const char *remote, int dir_fd, const char *name, int out_fd,
                  struct remote_file *ret, struct error *err)
{
        _cleanup_free_ char *url = file_url(t, remote);
        struct request req = { .method = "GET", .url = url };
        int status = client_begin(t->client, &req, err);
        if (status < 0)
                return status;
        if (status >= 400) {
                client_read_error(t->client, status, err);
                return explain(t, "read", remote, err);
        }
        read_headers(t->client, ret);
        if (streq(ret->type, "directory"))
                return name ? save_tree(t, remote, dir_fd, name, ret, err)
                            : (client_disconnect(t->client),
                               error_set(err, ERR_BAD_REQUEST, "\"%s\" in \"%s\" is a directory", remote, t->instance));
        if (!name)
                return save_to_fd(t, remote, out_fd, "standard output", err);
        if (streq(ret->type, "symlink"))
                return save_symlink(t, dir_fd, name, err);
        return save_file(t, remote, dir_fd, name, ret, err);
}
