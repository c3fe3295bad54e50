/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/effect.h"
#include "base/fd.h"
#include "base/names.h"
#include "base/path.h"
#include "base/worker.h"
#include "images/worker/build-apt.h"
#include "images/worker/build-finish.h"
#include "images/worker/job.h"
#include "images/worker/sandbox.h"
#include "images/worker/tool.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define BUILD_MEMORY_MAX GiB(2)
#define BUILD_FILE_MAX GiB(8)
#define EXTRA_PACKAGES_MAX 200
#define ROOT "/target/root"
#define SQUASHFS "/target/rootfs"

/*
 * What a container needs to boot to "running" and be usable; without udev systemd-networkd waits for ever
 * where /sys is writable.
 */
static const char base_packages[] = "systemd,systemd-sysv,udev,dbus,iproute2,iputils-ping,procps,netbase,"
                                    "ca-certificates,less,nano,debian-archive-keyring";

struct build {
        const struct build_release *release;
        const char *variant;
        char *packages; /* comma-separated, each checked */
        bool has_extra_packages;
        struct strbuf sources;
        struct build_watch watch;
};

static void build_done(struct build *b)
{
        free(b->packages);
        strbuf_done(&b->sources);
        build_watch_done(&b->watch);
}

static void on_bootstrap_line(void *ctx, const char *line)
{
        struct build *b = ctx;
        build_watch_line(&b->watch, line);
        worker_progress(build_stage_name(b->watch.stage), build_watch_percent(&b->watch));
}

static int sources_as_input(const struct build *b)
{
        int fds[2];
        if (pipe2(fds, O_CLOEXEC) < 0)
                return -errno;
        /* Some hundred bytes: they fit the pipe before anybody reads. */
        int r = fd_write_all(fds[1], b->sources.data, b->sources.len);
        fd_close(fds[1]);
        if (r < 0)
                fd_close(fds[0]);
        return r < 0 ? r : fds[0];
}

static int run_mmdebstrap(struct build *b, const char *simulate, const char *include, struct error *err)
{
        _cleanup_free_ char *variant = xasprintf("--variant=%s", b->variant);
        const char *argv[] = { "/usr/bin/mmdebstrap",
                               simulate,
                               "--mode=root",
                               variant,
                               include,
                               "--aptopt=Acquire::Languages \"none\"",
                               "--aptopt=Acquire::Retries \"2\"",
                               "--aptopt=APT::Install-Recommends \"false\"",
                               b->release->codename,
                               ROOT,
                               "-",
                               NULL };
        _cleanup_close_ int input = sources_as_input(b);
        int status = 0, r = input < 0 ? input : tool_run(argv, input, on_bootstrap_line, b, &status);
        if (r < 0)
                return error_set_errno(err, r, "Starting mmdebstrap");
        if (status == 127)
                return error_set(err, ERR_UNSUPPORTED,
                                 "mmdebstrap is not installed; building images needs it");
        return status == 0 ? 0 : build_watch_failed(&b->watch, b->release->codename, err);
}

static int bootstrap(struct build *b, struct error *err)
{
        _cleanup_free_ char *include = xasprintf("--include=%s", b->packages);
        return run_mmdebstrap(b, "--verbose", include, err);
}

/*
 * A package that is not there is told in seconds: mmdebstrap itself asks for the wanted ones after the base system is
 * installed. What it counted for its progress and the directory it made are not the real run's.
 */
static int check_packages(struct build *b, struct error *err)
{
        _cleanup_free_ char *include = xasprintf("--include=%s", b->packages);
        int r = run_mmdebstrap(b, "--simulate", include, err);
        build_watch_done(&b->watch);
        b->watch = (struct build_watch){ 0 };
        if (r < 0)
                return r;
        r = path_remove_tree(AT_FDCWD, ROOT);
        return r < 0 && r != -ENOENT ? error_set_errno(err, r, "Preparing the build") : 0;
}

struct squashing {
        char *complaint;
        bool is_full;
};

static void on_squash_line(void *ctx, const char *line)
{
        struct squashing *s = ctx;
        unsigned done, total;
        const char *bar = *line == '[' ? strchr(line, ']') : NULL;
        if (bar && sscanf(bar, "] %u/%u", &done, &total) == 2 && total > 0)
                worker_progress("squash", (int)(100.0 * MIN(done, total) / total));
        s->is_full |= strstr(line, "No space left on device") != NULL;
        if (!s->complaint && str_starts(line, "FATAL"))
                s->complaint = name_printable(line);
}

static int squash(struct error *err)
{
        static const char *const argv[] = {
                "/usr/bin/mksquashfs", ROOT, SQUASHFS, "-noappend", "-comp", "zstd",
                "-Xcompression-level", "3",  "-mem",   "512M",      NULL
        };
        struct squashing s = { 0 };
        int status = 0;
        worker_progress("squash", 0);
        int r = tool_run(argv, -EBADF, on_squash_line, &s, &status);
        if (r < 0)
                error_set_errno(err, r, "Starting mksquashfs");
        else if (status == 127)
                r = error_set(err, ERR_UNSUPPORTED, "mksquashfs is not installed; building images needs it");
        else if (status != 0)
                r = error_set(err, s.is_full ? ERR_NO_SPACE : ERR_INTERNAL, "Packing the built system: %s",
                              s.is_full     ? "No space left on device"
                              : s.complaint ? s.complaint
                                            : "mksquashfs failed");
        free(s.complaint);
        return r;
}

static int helper_build(void *data, struct json_object **ret_result, struct error *err)
{
        struct build *b = data;
        /* mmdebstrap and the packages create files as a system would. */
        umask(022);
        int r = b->has_extra_packages ? check_packages(b, err) : 0;
        if (r == 0)
                r = bootstrap(b, err);
        if (r == 0)
                r = build_customise(ROOT, strbuf_str(&b->sources), err);
        if (r == 0)
                r = squash(err);
        if (r == 0)
                r = build_write_metadata("/target", b->release, b->variant, err);
        return r < 0 ? r : build_describe("/target", ret_result, err);
}

static void read_sources_file(int dir_fd, const char *name, struct build *b)
{
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        bool is_deb822 = str_ends(name, ".sources");
        if ((!is_deb822 && !str_ends(name, ".list")) || path_read_file(dir_fd, name, MiB(1), &text) < 0)
                return;
        if (is_deb822)
                build_sources_from_deb822(strbuf_str(&text), b->release, &b->sources);
        else
                build_sources_from_list(strbuf_str(&text), b->release, &b->sources);
}

/* An installation may keep its entries in one file or many; what is no Debian archive is left out. */
static int read_sources(struct build *b, struct error *err)
{
        _cleanup_close_ int apt = open("/etc/apt", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        DIR *dir = opendir("/etc/apt/sources.list.d");
        struct dirent *e;
        if (apt >= 0)
                read_sources_file(apt, "sources.list", b);
        while (dir && (e = readdir(dir)))
                read_sources_file(dirfd(dir), e->d_name, b);
        if (dir)
                closedir(dir);
        if (b->sources.len > 0 && b->sources.len < KiB(32))
                return 0;
        error_set(err, ERR_UNSUPPORTED, "This host has no Debian package sources to build \"%s\" from",
                  b->release->codename);
        return error_hint(err, "Building needs a Debian host with its archive in /etc/apt");
}

static int read_packages(struct json_object *args, struct build *b, struct error *err)
{
        _cleanup_strbuf_ struct strbuf list = STRBUF_INIT;
        struct json_object *extra = json_get_array(args, "packages");
        size_t n = extra ? json_object_array_length(extra) : 0;
        if (n > EXTRA_PACKAGES_MAX)
                return error_set(err, ERR_BAD_REQUEST, "More than %d packages are asked for",
                                 EXTRA_PACKAGES_MAX);
        strbuf_adds(&list, base_packages);
        if (b->release->has_resolved_package)
                strbuf_adds(&list, ",systemd-resolved");
        for (size_t i = 0; i < n; i++) {
                const char *name = json_object_get_string(json_object_array_get_idx(extra, i));
                int r = build_package_check(name ? name : "", err);
                if (r < 0)
                        return r;
                strbuf_addf(&list, ",%s", name);
        }
        b->packages = strbuf_take(&list);
        b->has_extra_packages = n > 0;
        return 0;
}

static int read_build(struct json_object *args, struct build *b, struct error *err)
{
        static const char *const variants[] = { "minbase", "important", "standard" };
        const char *release = json_get_string(args, "release", ""),
                   *variant = json_get_string(args, "variant", "minbase");
        _cleanup_free_ char *shown = name_printable(release), *shown_variant = name_printable(variant);
        b->release = build_release_find(release);
        if (!b->release)
                return error_set(err, ERR_NOT_FOUND,
                                 "Debian \"%s\" is not a release that can be built (11, 12, 13)", shown);
        for (size_t i = 0; i < ARRAY_SIZE(variants); i++)
                if (streq(variant, variants[i]))
                        b->variant = variants[i];
        if (!b->variant)
                return error_set(err, ERR_BAD_REQUEST,
                                 "Variant \"%s\" is none of minbase, important, standard", shown_variant);
        int r = read_packages(args, b, err);
        return r < 0 ? r : read_sources(b, err);
}

static void remove_build(int spool_fd, bool keep_files)
{
        path_remove_tree(spool_fd, "root");
        for (int i = 0; !keep_files && i < _SPOOL_FILE_MAX; i++)
                unlinkat(spool_fd, spool_file_names[i], 0);
}

int job_image_build(struct json_object *args, struct json_object **ret_result, struct error *err)
{
        _cleanup_(build_done) struct build b = { 0 };
        struct sandbox_spec spec = { .what = "Building the image",
                                     .root = SANDBOX_ROOT_BUILD,
                                     .archive_fd = -EBADF,
                                     .cgroup = json_get_string(args, "cgroup", NULL),
                                     .memory_max_bytes = BUILD_MEMORY_MAX,
                                     .file_max_bytes = BUILD_FILE_MAX,
                                     .run = helper_build,
                                     .data = &b };
        const char *spool;
        int r = job_get_path(args, "spool", &spool, err);
        if (r == 0)
                r = sandbox_get_ids(args, &spec.ids, err);
        if (r == 0)
                r = read_build(args, &b, err);
        if (r < 0)
                return r;
        _cleanup_close_ int spool_fd = job_open_dir(spool, err);
        if (spool_fd < 0)
                return spool_fd;
        spec.target_fd = spool_fd;
        effect_point(EFFECT_IMAGE_RECEIVE, EFFECT_BEFORE);
        r = sandbox_run(&spec, ret_result, err);
        remove_build(spool_fd, r == 0);
        effect_point(EFFECT_IMAGE_RECEIVE, EFFECT_AFTER);
        return r < 0 ? r : fsync(spool_fd) < 0 ? error_set_errno(err, -errno, "Writing the image spool") : 0;
}
