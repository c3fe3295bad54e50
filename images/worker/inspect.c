/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/fd.h"
#include "base/names.h"
#include "base/worker.h"
#include "images/worker/archive.h"
#include "images/worker/job.h"
#include "images/worker/metadata.h"
#include "images/worker/sandbox.h"
#include "images/worker/squashfs.h"
#include "images/worker/text.h"

#define TEMPLATES_MAX 64
#define TEMPLATE_SIZE_MAX KiB(256)
/* Each byte may need six in JSON, and the whole answer is one line below JSON_TEXT_MAX. */
#define TEMPLATES_SIZE_MAX KiB(512)

struct inspect {
        int meta_fd;
        int rootfs_fd; /* -EBADF: unified */
        struct json_object *metadata;
        struct json_object *templates;
        size_t templates_size;
        bool has_rootfs;
        bool has_init;
};

static int refuse(const char *name, const char *why, struct error *err)
{
        _cleanup_free_ char *shown = name_printable(name);
        return error_set(err, ERR_BAD_REQUEST, "The image's \"%s\" is refused: %s", shown, why);
}

static int read_text(struct archive_input *in, struct archive_entry *e, const char *name, size_t max,
                     struct strbuf *out, struct error *err)
{
        if (archive_entry_hardlink(e) || archive_entry_filetype(e) != AE_IFREG)
                return refuse(name, "it is not a regular file", err);
        char buf[KiB(16)];
        la_ssize_t n;
        out->max = max;
        while ((n = archive_read_data(archive_input_reader(in), buf, sizeof buf)) > 0) {
                strbuf_add(out, buf, (size_t)n);
                if (out->is_over)
                        return refuse(name, "it is too large", err);
        }
        if (n < 0)
                return archive_input_failed(in, err);
        return text_is_utf8(strbuf_str(out), out->len) ? 0 : refuse(name, "it is not UTF-8 text", err);
}

static int take_metadata(struct inspect *x, struct archive_input *in, struct archive_entry *e,
                         struct error *err)
{
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        if (x->metadata)
                return refuse("metadata.yaml", "it stands twice in the archive", err);
        int r = read_text(in, e, "metadata.yaml", METADATA_SIZE_MAX, &text, err);
        if (r == 0)
                r = metadata_from_yaml(strbuf_str(&text), text.len, &x->metadata, err);
        return r < 0 ? r : metadata_check(x->metadata, err);
}

static int take_template(struct inspect *x, struct archive_input *in, struct archive_entry *e,
                         const char *path, struct error *err)
{
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        const char *name = path + strlen("templates/");
        if (archive_entry_filetype(e) == AE_IFDIR && !archive_entry_hardlink(e))
                return 0;
        if (!metadata_is_template_name(name) || !text_is_utf8(name, strlen(name)))
                return refuse(path, "a template's file name is one plain word", err);
        if (json_object_object_length(x->templates) >= TEMPLATES_MAX)
                return error_set(err, ERR_TOO_LARGE, "The image has more than %d templates", TEMPLATES_MAX);
        int r = read_text(in, e, path, TEMPLATE_SIZE_MAX, &text, err);
        if (r < 0)
                return r;
        x->templates_size += text.len;
        if (x->templates_size > TEMPLATES_SIZE_MAX)
                return error_set(err, ERR_TOO_LARGE,
                                 "The image's templates are larger than 512 KiB together");
        json_set_string(x->templates, name, strbuf_str(&text));
        return 0;
}

static int take_entry(struct inspect *x, struct archive_input *in, struct archive_entry *e, const char *path,
                      struct error *err)
{
        bool is_dir = archive_entry_filetype(e) == AE_IFDIR && !archive_entry_hardlink(e);
        if (streq(path, "metadata.yaml"))
                return take_metadata(x, in, e, err);
        if (str_starts(path, "templates/"))
                return take_template(x, in, e, path, err);
        if ((streq(path, "templates") || streq(path, "rootfs")) && !is_dir)
                return refuse(path, "it is not a directory", err);
        if (streq(path, "rootfs.img"))
                return error_set(err, ERR_UNSUPPORTED,
                                 "The image is a virtual machine's (it holds \"rootfs.img\")");
        x->has_rootfs |= streq(path, "rootfs") || str_starts(path, "rootfs/");
        x->has_init |= streq(path, "rootfs/sbin/init") || streq(path, "rootfs/usr/sbin/init");
        return 0;
}

/* The first template metadata.yaml names that was not found; NULL: all are there. */
static const char *missing_template(const struct inspect *x)
{
        struct json_object *rows = json_get_object(x->metadata, "templates");
        if (!rows)
                return NULL;
        struct json_object_iterator it = json_object_iter_begin(rows), end = json_object_iter_end(rows);
        for (; !json_object_iter_equal(&it, &end); json_object_iter_next(&it)) {
                const char *file = json_get_string(json_object_iter_peek_value(&it), "template", "");
                if (!json_has(x->templates, file))
                        return file;
        }
        return NULL;
}

/* To its end: one that is cut short or damaged is told now and not at the first launch. */
static int read_archive(struct inspect *x, struct error *err)
{
        _cleanup_(archive_input_freep) struct archive_input *in = NULL;
        struct archive_entry *e;
        int r = archive_input_open(x->meta_fd, 0, "inspect", &in, err);
        while (r == 0) {
                _cleanup_free_ char *path = NULL;
                if ((r = archive_input_next(in, &e, err)) <= 0)
                        return r;
                r = archive_clean_name(archive_entry_pathname(e), &path, err);
                if (r == 0)
                        r = take_entry(x, in, e, path, err);
        }
        return r;
}

static int check_templates(const struct inspect *x, struct error *err)
{
        const char *file = missing_template(x);
        return file ? refuse(file, "metadata.yaml names this template and the archive does not have it", err)
                    : 0;
}

/* The root file system of a split image, read to its end like the whole of a unified one. */
static int check_rootfs_tar(struct inspect *x, struct error *err)
{
        _cleanup_(archive_input_freep) struct archive_input *in = NULL;
        struct archive_entry *e;
        int r = archive_input_open(x->rootfs_fd, 0, "inspect", &in, err);
        if (r == 0)
                while ((r = archive_input_next(in, &e, err)) > 0)
                        ;
        return r;
}

static int check_rootfs(struct inspect *x, const char **ret_format, struct error *err)
{
        struct squashfs_header header;
        *ret_format = "tar";
        if (x->rootfs_fd < 0)
                return x->has_rootfs
                               ? 0
                               : error_set(err, ERR_BAD_REQUEST, "The image has no directory \"rootfs\"");
        switch (archive_kind_of(x->rootfs_fd)) {
        case ARCHIVE_SQUASHFS:
                *ret_format = "squashfs";
                return squashfs_read_header(x->rootfs_fd, &header, err);
        case ARCHIVE_TAR:
                return check_rootfs_tar(x, err);
        default:
                return error_set(err, ERR_BAD_REQUEST,
                                 "The image's rootfs is neither a squashfs file nor a tar archive in a known "
                                 "compression");
        }
}

static int inspect(struct inspect *x, const char **ret_format, struct error *err)
{
        enum archive_kind kind = archive_kind_of(x->meta_fd);
        if (kind == ARCHIVE_SQUASHFS)
                return error_set(err, ERR_UNSUPPORTED,
                                 "The image's metadata is in a squashfs file; a tar archive is needed");
        if (kind == ARCHIVE_UNKNOWN)
                return error_set(err, ERR_BAD_REQUEST,
                                 "The image is not a tar archive in a known compression");
        x->templates = json_object_new_object();
        int r = read_archive(x, err);
        if (r == 0 && !x->metadata)
                r = error_set(err, ERR_BAD_REQUEST, "The image has no metadata.yaml");
        if (r == 0)
                r = check_templates(x, err);
        return r < 0 ? r : check_rootfs(x, ret_format, err);
}

static int helper_inspect(void *data, struct json_object **ret_result, struct error *err)
{
        struct inspect *x = data;
        const char *format = NULL; /* gcc cannot see that inspect() sets it */
        int r = inspect(x, &format, err);
        if (r < 0)
                return r;
        struct json_object *result = json_object_new_object();
        json_set_string(result, "architecture", json_get_string(x->metadata, "architecture", ""));
        json_set_string(result, "layout", x->rootfs_fd < 0 ? "unified" : "split");
        json_set_string(result, "rootfs_format", format);
        if (x->has_init)
                json_set_bool(result, "has_init", true);
        json_set_take(result, "metadata", x->metadata);
        json_set_take(result, "templates", x->templates);
        *ret_result = result;
        return 0;
}

int job_image_inspect(struct json_object *args, struct json_object **ret_result, struct error *err)
{
        const char *meta, *rootfs = json_get_string(args, "rootfs", "");
        struct inspect x = { .rootfs_fd = -EBADF };
        int r = job_get_path(args, "meta", &meta, err);
        if (r < 0)
                return r;
        _cleanup_close_ int meta_fd = job_open_file(meta, NULL, err), rootfs_fd = -EBADF;
        if (meta_fd < 0)
                return meta_fd;
        if (*rootfs && (rootfs_fd = job_open_file(rootfs, NULL, err)) < 0)
                return rootfs_fd;
        x.meta_fd = meta_fd;
        x.rootfs_fd = rootfs_fd;
        struct sandbox_spec spec = { .what = "Reading the image",
                                     .root = SANDBOX_ROOT_EMPTY,
                                     .ids = sandbox_ids_nobody,
                                     .target_fd = -EBADF,
                                     .archive_fd = -EBADF,
                                     .fds = { meta_fd, rootfs_fd },
                                     .n_fds = rootfs_fd >= 0 ? 2 : 1,
                                     .cgroup = json_get_string(args, "cgroup", NULL),
                                     .file_max_bytes = 1,
                                     .run = helper_inspect,
                                     .data = &x };
        return sandbox_run(&spec, ret_result, err);
}
