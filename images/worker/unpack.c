/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/effect.h"
#include "base/fd.h"
#include "images/worker/extract.h"
#include "images/worker/job.h"
#include "images/worker/sandbox.h"
#include "images/worker/squashfs.h"

#include <unistd.h>

#define MAX_BYTES_DEFAULT GiB(64)

struct unpack {
        int archive_fd;
        int target_fd;
        uint64_t max_bytes;
        struct sandbox_ids ids;
        const char *strip;
        const char *cgroup;
        bool is_squashfs;
};

static struct json_object *describe(const struct extract_counts *counts)
{
        struct json_object *result = json_object_new_object();
        json_set_int(result, "files", (int64_t)counts->files);
        json_set_int(result, "bytes", (int64_t)counts->bytes);
        json_set_int(result, "skipped_nodes", (int64_t)counts->skipped_nodes);
        return result;
}

static int unpack_tar(const struct unpack *u, struct extract_counts *ret_counts, struct error *err)
{
        _cleanup_(archive_input_freep) struct archive_input *in = NULL;
        int r = archive_input_open(u->archive_fd, u->max_bytes, "unpack", &in, err);
        if (r < 0)
                return r;
        _cleanup_close_ int root_fd = job_open_dir("/", err);
        return root_fd < 0 ? root_fd : extract_tree(in, root_fd, u->strip, u->ids.size, ret_counts, err);
}

static int helper_unpack(void *data, struct json_object **ret_result, struct error *err)
{
        const struct unpack *u = data;
        struct extract_counts counts = { 0 };
        int r = u->is_squashfs ? squashfs_unpack(u->max_bytes, &counts, err) : unpack_tar(u, &counts, err);
        if (r == 0)
                *ret_result = describe(&counts);
        return r;
}

static int check_kind(struct unpack *u, const char *format, struct error *err)
{
        struct squashfs_header header;
        enum archive_kind kind = archive_kind_of(u->archive_fd);
        u->is_squashfs = streq(format, "squashfs");
        if (!u->is_squashfs && !streq(format, "tar"))
                return error_set(err, ERR_BAD_REQUEST,
                                 "Archive format \"%s\" is neither \"tar\" nor \"squashfs\"", format);
        if (kind != (u->is_squashfs ? ARCHIVE_SQUASHFS : ARCHIVE_TAR))
                return error_set(err, ERR_BAD_REQUEST, "The archive is not a %s",
                                 u->is_squashfs ? "squashfs file" : "tar archive in a known compression");
        if (u->is_squashfs && *u->strip)
                return error_set(err, ERR_UNSUPPORTED, "A squashfs file with \"%s\" inside is not supported",
                                 u->strip);
        return u->is_squashfs ? squashfs_read_header(u->archive_fd, &header, err) : 0;
}

static int run_sandboxed(struct unpack *u, struct json_object **ret_result, struct error *err)
{
        struct sandbox_spec spec = { .what = "Unpacking the image",
                                     .root = u->is_squashfs ? SANDBOX_ROOT_TOOLS : SANDBOX_ROOT_TARGET,
                                     .ids = u->ids,
                                     .target_fd = u->target_fd,
                                     .archive_fd = u->is_squashfs ? u->archive_fd : -EBADF,
                                     .n_fds = u->is_squashfs ? 0 : 1,
                                     .fds = { u->archive_fd },
                                     .cgroup = u->cgroup,
                                     .file_max_bytes = u->max_bytes,
                                     .run = helper_unpack,
                                     .data = u };
        int r = sandbox_run(&spec, ret_result, err);
        if (r == 0 && syncfs(u->target_fd) < 0)
                r = error_set_errno(err, -errno, "Unpacking the image");
        return r;
}

static int unpack_into(struct unpack *u, struct json_object **ret_result, struct error *err)
{
        effect_point(EFFECT_LAYER_UNPACK, EFFECT_BEFORE);
        int r = run_sandboxed(u, ret_result, err);
        if (r < 0) {
                json_object_put(*ret_result);
                *ret_result = NULL;
                /* The failure is the news; what cannot be emptied is removed at start-up with its temporary
                 * name. */
                job_empty_dir(u->target_fd);
        }
        effect_point(EFFECT_LAYER_UNPACK, EFFECT_AFTER);
        return r;
}

int job_layer_unpack(struct json_object *args, struct json_object **ret_result, struct error *err)
{
        const char *archive, *target;
        struct unpack u = { .strip = json_get_string(args, "strip", ""),
                            .cgroup = json_get_string(args, "cgroup", NULL),
                            .max_bytes =
                                    (uint64_t)MAX(json_get_int(args, "max_bytes", MAX_BYTES_DEFAULT), 1) };
        int r = job_get_path(args, "archive", &archive, err);
        if (r == 0)
                r = job_get_path(args, "target", &target, err);
        if (r == 0)
                r = sandbox_get_ids(args, &u.ids, err);
        if (r < 0)
                return r;
        if (*u.strip && !streq(u.strip, "rootfs/"))
                return error_set(err, ERR_BAD_REQUEST, "The prefix \"%s\" is neither empty nor \"rootfs/\"",
                                 u.strip);
        _cleanup_close_ int archive_fd = job_open_file(archive, NULL, err);
        if (archive_fd < 0)
                return archive_fd;
        _cleanup_close_ int target_fd = job_open_dir(target, err);
        if (target_fd < 0)
                return target_fd;
        u.archive_fd = archive_fd;
        u.target_fd = target_fd;
        r = check_kind(&u, json_get_string(args, "format", ""), err);
        return r < 0 ? r : unpack_into(&u, ret_result, err);
}
