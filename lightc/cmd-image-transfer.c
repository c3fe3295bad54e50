/* SPDX-License-Identifier: Apache-2.0 */
/* image import and export: archives in and out. */
#include "api/uri.h"
#include "base/alloc.h"
#include "lightc/image.h"
#include "lightc/operation.h"
#include "lightc/output.h"
#include "lightc/progress.h"
#include "lightc/target.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

struct upload {
        struct progress progress;
        uint64_t total;
};

static void show_sent(void *data, uint64_t sent)
{
        struct upload *u = data;
        progress_bytes(&u->progress, "Sending the image", sent, u->total);
}

static const char *base_name(const char *path)
{
        const char *slash = strrchr(path, '/');
        return slash ? slash + 1 : path;
}

static int open_source(const char *path, int *ret_fd, struct error *err)
{
        struct stat st;
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
        if (fd < 0 || fstat(fd, &st) < 0)
                return error_set_errno(err, -errno, "Cannot open \"%s\"", path);
        if (S_ISDIR(st.st_mode))
                return error_set(err, ERR_UNSUPPORTED,
                                 "\"%s\" is a directory: pack it as a tar archive with metadata.yaml and rootfs/ first", path);
        *ret_fd = TAKE_FD(fd);
        return 0;
}

/* Words behind the archives: "local:" and properties. A second archive is the root file system of a split image. */
struct import {
        const char *meta, *rootfs;
        struct strbuf properties; /* "a=b&c=d", encoded as the header wants it */
};

static void add_property(struct strbuf *b, const char *word, const char *equals)
{
        _cleanup_free_ char *key = xstrndup(word, (size_t)(equals - word));
        strbuf_adds(b, b->len ? "&" : "");
        uri_encode(b, key);
        strbuf_addc(b, '=');
        uri_encode(b, equals + 1);
}

static int sort_words(const struct args *a, struct import *im, struct error *err)
{
        im->meta = a->words[0];
        for (size_t i = 1; i < a->n_words; i++) {
                const char *word = a->words[i], *equals = strchr(word, '=');
                if (target_is_remote_only(word)) {
                        int r = target_strip(word, &word, err);
                        if (r < 0)
                                return r;
                } else if (equals && access(word, F_OK) < 0)
                        add_property(&im->properties, word, equals);
                else if (!im->rootfs)
                        im->rootfs = word;
                else
                        return args_misuse(err, "\"%s\" is neither an archive nor a property", word);
        }
        if (str_starts(im->meta, "http://") || str_starts(im->meta, "https://"))
                return error_set(err, ERR_UNSUPPORTED, "\"%s\" cannot be imported by its address: fetch it first", im->meta);
        return 0;
}

static int copy_into(int to, int from, const char *path, struct error *err)
{
        for (;;) {
                ssize_t n = copy_file_range(from, NULL, to, NULL, GiB(1), 0);
                if (n == 0)
                        return 0;
                if (n < 0 && errno != EINTR)
                        return error_set_errno(err, -errno, "Cannot read \"%s\"", path);
        }
}

/* A sendable body of known length: parts and files one after the other, in a file without a name. */
static int add_part(int body, const char *boundary, const char *name, const char *path, int fd, struct error *err)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        struct stat st;
        strbuf_addf(&b, "--%s\r\nContent-Disposition: form-data; name=\"%s\"; filename=\"%s\"\r\n"
                        "Content-Type: application/octet-stream\r\n\r\n", boundary, name, base_name(path));
        int r = fd_write_all(body, b.data, b.len);
        if (r == 0 && fstat(fd, &st) < 0)
                r = -errno;
        if (r < 0)
                return error_set_errno(err, r, "Cannot put the image together");
        r = copy_into(body, fd, path, err);
        return r < 0 ? r : fd_write_all(body, "\r\n", 2);
}

static int open_scratch(struct error *err)
{
        const char *dir = getenv("TMPDIR");
        int fd = open(str_empty(dir) ? "/var/tmp" : dir, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
        if (fd < 0)
                fd = memfd_create("image", MFD_CLOEXEC);
        return fd < 0 ? error_set_errno(err, -errno, "Cannot make a temporary file") : fd;
}

static int make_multipart(const struct import *im, const char *boundary, int meta, int *ret_body, struct error *err)
{
        _cleanup_close_ int rootfs = -EBADF, body = -EBADF;
        _cleanup_strbuf_ struct strbuf end = STRBUF_INIT;
        int r = open_source(im->rootfs, &rootfs, err);
        if (r < 0)
                return r;
        body = open_scratch(err);
        r = body < 0 ? body : add_part(body, boundary, "metadata", im->meta, meta, err);
        if (r == 0)
                r = add_part(body, boundary, "rootfs", im->rootfs, rootfs, err);
        if (r < 0)
                return r;
        strbuf_addf(&end, "--%s--\r\n", boundary);
        r = fd_write_all(body, end.data, end.len);
        if (r < 0 || lseek(body, 0, SEEK_SET) < 0)
                return error_set_errno(err, r < 0 ? r : -errno, "Cannot put the image together");
        *ret_body = TAKE_FD(body);
        return 0;
}

static int send_image(struct client *c, const struct args *a, const struct import *im, int body, const char *type,
                      struct json_object **ret_operation, struct error *err)
{
        struct stat st;
        struct upload u = { 0 };
        size_t n = 0;
        const char *headers[10] = { 0 };
        _cleanup_free_ char *url = client_url(c, NULL, "images", NULL);
        if (fstat(body, &st) < 0)
                return error_set_errno(err, -errno, "Cannot read \"%s\"", im->meta);
        headers[n++] = "Content-Type", headers[n++] = type;
        headers[n++] = "X-LXD-filename", headers[n++] = base_name(im->meta);
        if (args_has(a, "public"))
                headers[n++] = "X-LXD-public", headers[n++] = "1";
        if (im->properties.len)
                headers[n++] = "X-LXD-properties", headers[n++] = im->properties.data;
        bool has_length = S_ISREG(st.st_mode);
        u.total = has_length ? (uint64_t)st.st_size : 0;
        progress_init(&u.progress, c->is_quiet, c->is_verbose);
        struct request req = { .method = "POST", .url = url, .headers = headers, .fd = body, .is_upload = true,
                               .length = has_length ? st.st_size : -1, .sent = show_sent, .sent_data = &u };
        _cleanup_json_ struct json_object *envelope = NULL;
        int r = client_call(c, &req, &envelope, err);
        progress_clear(&u.progress);
        return r < 0 ? r : operation_wait(c, json_get_object(envelope, "metadata"), "Importing the image", ret_operation, err);
}

static int add_aliases(struct client *c, const struct args *a, const char *fingerprint, struct error *err)
{
        _cleanup_free_ char *url = client_url(c, NULL, "images", "aliases", NULL);
        const char *alias;
        for (size_t i = 0; (alias = args_value_nth(a, "alias", i)); i++) {
                _cleanup_json_ struct json_object *body = json_object_new_object();
                json_set_string(body, "name", alias);
                json_set_string(body, "target", fingerprint);
                int r = client_put(c, "POST", url, body, NULL, err);
                if (r < 0)
                        return error_prefix(err, "The image %.12s was imported, but not named \"%s\"", fingerprint, alias);
        }
        return 0;
}

static int import_image(struct client *c, const struct args *a, const struct import *im, struct error *err)
{
        _cleanup_close_ int meta = -EBADF, multipart = -EBADF;
        _cleanup_json_ struct json_object *op = NULL;
        uint64_t random[2] = { 0 };
        (void)!getrandom(random, sizeof(random), 0);
        _cleanup_free_ char *boundary = xasprintf("lightc-%016llx%016llx", (unsigned long long)random[0], (unsigned long long)random[1]);
        _cleanup_free_ char *type = im->rootfs ? xasprintf("multipart/form-data; boundary=%s", boundary)
                                               : xstrdup("application/octet-stream");
        int r = open_source(im->meta, &meta, err);
        if (r == 0 && im->rootfs)
                r = make_multipart(im, boundary, meta, &multipart, err);
        if (r < 0)
                return r;
        r = send_image(c, a, im, im->rootfs ? multipart : meta, type, &op, err);
        if (r < 0)
                return error_prefix(err, "Importing \"%s\"", im->meta);
        const char *fingerprint = json_get_string(json_get_object(op, "metadata"), "fingerprint", "");
        r = add_aliases(c, a, fingerprint, err);
        if (!c->is_quiet)
                output_line("%s", fingerprint);
        return r;
}

static int run_import(struct client *c, const struct args *a, struct error *err)
{
        struct import im = { 0 };
        int r = sort_words(a, &im, err);
        if (r == 0)
                r = import_image(c, a, &im, err);
        strbuf_done(&im.properties);
        return r;
}

/*
 * The answer's body is one archive, or two in a multipart of which each part is a file. We look for the boundary
 * ourselves as the bytes come: an image is larger than memory should be.
 */
struct export {
        struct progress progress;
        const char *target; /* NULL or a directory: names as the daemon gives them */
        const char *fingerprint;
        char *directory;
        char *boundary; /* "\r\n--<boundary>", NULL: one file */
        struct strbuf window;
        uint64_t done, total;
        int fd;
        unsigned n_files;
        bool is_in_headers, is_at_end;
        struct error *err;
};

/* What follows `key="` in a Content-Disposition, if it is a plain file name. */
static char *name_in(const char *text, const char *key)
{
        const char *p = text ? strstr(text, key) : NULL;
        if (!p)
                return NULL;
        p += strlen(key);
        if (*p == '"')
                p++;
        size_t n = strcspn(p, "\";\r\n");
        _cleanup_free_ char *name = xstrndup(p, n);
        return n && !strchr(name, '/') && name[0] != '.' ? TAKE_PTR(name) : NULL;
}

static int open_part(struct export *x, const char *disposition)
{
        _cleanup_free_ char *given = name_in(disposition, "filename="), *path = NULL;
        const char *suffix = x->n_files ? ".root" : "";
        if (x->directory)
                path = given ? xasprintf("%s/%s", x->directory, given) : xasprintf("%s/%s%s", x->directory, x->fingerprint, suffix);
        else {
                /* "x" becomes "x.tar.xz" for a unified image; the two halves of a split one are "x" and "x.root". */
                const char *dot = given && !x->boundary ? strchr(given, '.') : NULL;
                path = xasprintf("%s%s%s", x->target, suffix, dot ? dot : "");
        }
        fd_reset(&x->fd);
        x->n_files++;
        x->fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        return x->fd < 0 ? error_set_errno(x->err, -errno, "Cannot write \"%s\"", path) : 0;
}

static int write_part(struct export *x, const char *bytes, size_t n)
{
        int r = x->fd < 0 ? 0 : fd_write_all(x->fd, bytes, n);
        return r < 0 ? error_set_errno(x->err, r, "Cannot write the image") : 0;
}

static int end_headers(struct export *x, size_t n_head)
{
        _cleanup_free_ char *head = xstrndup(x->window.data, n_head);
        x->is_in_headers = false;
        strbuf_consume(&x->window, n_head + 4);
        return open_part(x, head);
}

/* Takes one step through the window. 1: more steps are possible, 0: more bytes are needed. */
static int step(struct export *x)
{
        size_t mark = strlen(x->boundary);
        if (x->is_at_end || x->window.len == 0)
                return 0;
        if (x->is_in_headers) {
                char *end = memmem(x->window.data, x->window.len, "\r\n\r\n", 4);
                if (!end && x->window.len > KiB(16))
                        return error_set(x->err, ERR_INTERNAL, "The daemon's answer cannot be read");
                int r = end ? end_headers(x, (size_t)(end - x->window.data)) : 0;
                return r < 0 ? r : end != NULL;
        }
        char *found = memmem(x->window.data, x->window.len, x->boundary, mark);
        size_t n = found ? (size_t)(found - x->window.data) : x->window.len - MIN(x->window.len, mark);
        if (found && x->window.len - n < mark + 2)
                return 0;
        int r = write_part(x, x->window.data, n);
        if (r < 0)
                return r;
        if (found) {
                x->is_at_end = memcmp(found + mark, "--", 2) == 0;
                x->is_in_headers = true;
                fd_reset(&x->fd);
        }
        strbuf_consume(&x->window, found ? n + mark + 2 : n);
        return found != NULL;
}

static int take_bytes(void *data, const char *bytes, size_t n)
{
        struct export *x = data;
        int r;
        progress_bytes(&x->progress, "Exporting the image", x->done += n, x->total);
        if (!x->boundary)
                return write_part(x, bytes, n);
        strbuf_add(&x->window, bytes, n);
        while ((r = step(x)) > 0)
                ;
        return r;
}

static int receive(struct client *c, struct export *x, struct error *err)
{
        const char *type = client_header(c, "content-type");
        uint64_t length = c->parser.head.content_length;
        int r = 0;
        x->total = length == HTTP_LENGTH_UNKNOWN ? 0 : length;
        if (type && str_starts(type, "multipart/")) {
                _cleanup_free_ char *boundary = name_in(type, "boundary=");
                if (!boundary)
                        return error_set(err, ERR_INTERNAL, "The daemon's answer cannot be read");
                x->boundary = xasprintf("\r\n--%s", boundary);
                strbuf_adds(&x->window, "\r\n"); /* so that the first boundary looks like the others */
        } else
                r = open_part(x, client_header(c, "content-disposition"));
        if (r == 0)
                r = client_read_body(c, take_bytes, x, err);
        progress_clear(&x->progress);
        if (r == 0 && x->boundary && !x->is_at_end)
                r = error_set(err, ERR_INTERNAL, "The daemon's answer ended too early");
        return r;
}

static int run_export(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_json_ struct json_object *image = NULL;
        struct stat st;
        struct export x = { .target = args_word(a, 1), .fd = -EBADF, .err = err };
        int r = image_fetch(c, a->words[0], &image, err);
        if (r < 0)
                return r;
        x.fingerprint = json_get_string(image, "fingerprint", "");
        if (!x.target || (stat(x.target, &st) == 0 && S_ISDIR(st.st_mode)))
                x.directory = xstrdup(x.target ? x.target : ".");
        _cleanup_free_ char *url = client_url(c, NULL, "images", x.fingerprint, "export", NULL);
        struct request req = { .method = "GET", .url = url };
        progress_init(&x.progress, c->is_quiet, c->is_verbose);
        int status = client_begin(c, &req, err);
        r = status < 0 ? status : status >= 400 ? client_read_error(c, status, err) : receive(c, &x, err);
        fd_reset(&x.fd);
        strbuf_done(&x.window);
        free(x.boundary);
        free(x.directory);
        return r;
}

static const struct option import_options[] = {
        { .name = "alias", .value = "alias", .is_repeated = true, .help = "Name of the image" },
        { .name = "public", .help = "Everybody may fetch it" },
        { 0 },
};
static const struct option export_options[] = { { .name = "vm", .help = "Images of virtual machines (there are none: ignored)" }, { 0 } };

const struct command cmd_image_import = {
        .path = "image import",
        .summary = "Make an image of an archive, or of a metadata archive and a root file system",
        .args = (const struct arg[]){ { "<archive>" }, { "<rootfs>|<remote>:|<key>=<value>", .is_optional = true, .is_repeated = true }, { 0 } },
        .options = import_options,
        .run = run_import,
        .example = "lightc image import busybox.tar.xz --alias busybox\nlightc image import meta.tar.xz rootfs.squashfs --alias debian12",
};

const struct command cmd_image_export = {
        .path = "image export",
        .summary = "Write an image's archives into files",
        .args = (const struct arg[]){ { "[<remote>:]<image>" }, { "<target>", .is_optional = true }, { 0 } },
        .options = export_options,
        .run = run_export,
        .example = "lightc image export debian12 backup/",
};
