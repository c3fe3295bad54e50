/* SPDX-License-Identifier: Apache-2.0 */
/* links: testdaemon storage-pools profiles projects config */
/*
 * The same cases over every storage driver, with the real workers on a real file system. Needs root and the programs
 * in ../bin; works in a directory and a mount namespace of its own.
 */
#include "tests/lib/daemon.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/process.h"
#include "profiles/profiles.h"
#include "projects/projects.h"
#include "storage-pools/driver.h"
#include "storage-pools/internal.h"
#include "storage-pools/storage-pools.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#define FP "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static char *place; /* "/var/tmp/…": pools, images */

/* ---- workers: run here and now, answered in the next turn ---- */

struct real_job {
        struct test_daemon *daemon;
        job_done_fn done;
        void *data;
        struct json_object *result;
        struct error error;
};

static void end_job(void *data)
{
        struct real_job *j = data;
        int r = j->error.code == ERR_NONE ? 0 : error_errno(j->error.code);
        j->daemon->n_waiting--;
        j->done(j->data, r, j->result, &j->error);
        json_object_put(j->result);
        error_done(&j->error);
        free(j);
}

static void read_answer(struct real_job *j, char *text)
{
        for (char *line; (line = strsep(&text, "\n"));) {
                _cleanup_json_ struct json_object *o = NULL;
                struct json_object *part;
                if (!*line || json_parse(line, strlen(line), &o, NULL) < 0)
                        continue;
                if ((part = json_get_object(o, "result")))
                        j->result = json_object_get(part);
                else if ((part = json_get_object(o, "error")))
                        error_set(&j->error, error_code_from_reason(json_get_string(part, "reason", "")), "%s",
                                  json_get_string(part, "message", ""));
        }
        if (!j->result && j->error.code == ERR_NONE)
                error_set(&j->error, ERR_INTERNAL, "no answer");
}

static struct test_daemon *the_daemon;

static void run_real(struct server *s, const struct job_spec *spec, job_done_fn done, void *data)
{
        _cleanup_free_ char *path = xasprintf("%s/%s", getenv("BIN_DIR"), spec->program);
        const char *text = json_text(spec->take_args), *argv[] = { spec->program, spec->name, NULL };
        _cleanup_close_ int args = fd_memfd_sealed("args", text, strlen(text)), in = -EBADF, pidfd = -EBADF;
        int out = -EBADF, status;
        struct process_spec p = { .path = path, .argv = argv, .n_fds = 5, .cgroup_fd = -EBADF };
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        struct real_job *j = xnew(struct real_job);
        *j = (struct real_job){ .daemon = the_daemon, .done = done, .data = data };
        ASSERT_OK(fd_pipe(&in, &out));
        p.fds[0] = p.fds[1] = -EBADF;
        p.fds[2] = STDERR_FILENO;
        p.fds[3] = args;
        p.fds[4] = out;
        ASSERT_OK(process_spawn(&p, NULL, &pidfd));
        fd_close(out);
        ASSERT_OK(fd_read_to_end(in, &b, MiB(8)));
        ASSERT_OK(process_wait(pidfd, &status));
        strbuf_addf(&the_daemon->jobs, "%s ", spec->name);
        read_answer(j, b.data ? b.data : (char *)(char[]){ "" });
        the_daemon->n_waiting++;
        timer_start(s, 0, end_job, j);
}

/* ---- the stage ---- */

static void run_tool(const char *const *argv)
{
        _cleanup_free_ char *path = NULL;
        _cleanup_close_ int pidfd = -EBADF;
        int status = -1;
        ASSERT_OK(process_find_tool(argv[0], &path));
        struct process_spec p = { .path = path, .argv = argv, .n_fds = 3, .cgroup_fd = -EBADF,
                                  .fds = { -EBADF, -EBADF, STDERR_FILENO } };
        ASSERT_OK(process_spawn(&p, NULL, &pidfd));
        ASSERT_OK(process_wait(pidfd, &status));
        ASSERT_EQ(status, 0);
}

static void write_file(const char *path, const char *text)
{
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
        ASSERT_OK(fd < 0 ? -errno : fd_write_all(fd, text, strlen(text)));
}

static bool exists(const char *path)
{
        struct stat st;
        return lstat(path, &st) == 0;
}

static void make_images(void)
{
        _cleanup_free_ char *etc = xasprintf("%s/image/rootfs/etc", place), *tar = xasprintf("%s/image.tar", place);
        _cleanup_free_ char *file = xasprintf("%s/hostname", etc), *yaml = xasprintf("%s/image/metadata.yaml", place);
        _cleanup_free_ char *image = xasprintf("%s/image", place), *squashfs = xasprintf("%s/image.squashfs", place);
        _cleanup_free_ char *rootfs = xasprintf("%s/image/rootfs", place);
        ASSERT_OK(path_mkdir_all(etc, 0755));
        write_file(file, "from the image\n");
        write_file(yaml, "architecture: x86_64\n");
        run_tool((const char *[]){ "tar", "-C", image, "-cf", tar, "metadata.yaml", "rootfs", NULL });
        run_tool((const char *[]){ "mksquashfs", rootfs, squashfs, "-quiet", "-no-progress", NULL });
}

static void remove_place(void)
{
        if (place) {
                path_remove_tree(AT_FDCWD, place);
                free(place);
        }
}

/* False: cannot run here. A namespace of its own, so that nothing a test mounts outlives it. */
static bool set_stage(void)
{
        char self[4096], template[] = "/var/tmp/test-storage-XXXXXX";
        ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
        if (place)
                return true;
        if (n < 0 || geteuid() != 0 || unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                return false;
        self[n] = '\0';
        *strrchr(self, '/') = '\0';
        _cleanup_free_ char *bin = xasprintf("%s/../bin", self), *lightrun = xasprintf("%s/lightrun", bin);
        _cleanup_free_ char *lightunpack = xasprintf("%s/lightunpack", bin);
        if (!exists(lightrun) || !exists(lightunpack) || !mkdtemp(template))
                return false;
        setenv("BIN_DIR", bin, 1);
        place = xstrdup(template);
        atexit(remove_place);
        make_images();
        return true;
}

static struct test_daemon *start(void)
{
        if (!set_stage()) {
                fprintf(stderr, "skipped: needs root and lightrun and lightunpack in ../bin\n");
                exit(77);
        }
        struct test_daemon *d = test_daemon_new(
                (family_fn *[]){ projects_register, profiles_register, storage_pools_register, NULL });
        the_daemon = d;
        jobs_set_fake(d->server, run_real);
        free(d->server->dir);
        free(d->server->run_dir);
        d->server->dir = xasprintf("%s/daemon", place);
        d->server->run_dir = xasprintf("%s/run", place);
        layers_set_mountable(true);
        test_daemon_put(d, projects_first_start);
        return d;
}

static struct object *add_pool(struct test_daemon *d, const struct storage_driver *driver)
{
        struct object *o = NULL;
        _cleanup_free_ char *body = xasprintf("{\"name\":\"p\",\"driver\":\"%s\"}", driver->name);
        int status = api_post(d, "/1.0/storage-pools", body);
        if (status != 201)
                fail_msg("%s: %s", driver->name, api_string(d, "error"));
        ASSERT_OK(storage_pool_get_usable(d->server, "p", &o, NULL));
        return o;
}

static void remove_pool(struct test_daemon *d)
{
        if (api_delete(d, "/1.0/storage-pools/p") != 200)
                fail_msg("%s", api_string(d, "error"));
        _cleanup_free_ char *path = xasprintf("%s/storage-pools/p", d->server->dir);
        ASSERT_FALSE(exists(path));
        test_daemon_free(d);
}

#define EACH_DRIVER(d) for (const struct storage_driver *const *d = storage_drivers; *d; d++)

struct wait {
        bool is_over;
        int r;
        uint64_t bytes;
        struct error err;
};

static void on_done(void *data, int r, struct error *err)
{
        struct wait *w = data;
        w->is_over = true;
        w->r = r;
        error_copy(&w->err, err);
}

static void on_usage(void *data, int r, uint64_t bytes, struct error *err)
{
        on_done(data, r, err);
        ((struct wait *)data)->bytes = bytes;
}

static void expect(struct test_daemon *d, struct wait *w, int r)
{
        test_daemon_until(d, &w->is_over);
        if (w->r != r)
                fail_msg("%d (%s), expected %d", w->r, error_message(&w->err), r);
        error_done(&w->err);
}

static struct image_files image(const char *format)
{
        static char meta[128], rootfs[128];
        snprintf(meta, sizeof meta, "%s/image.tar", place);
        snprintf(rootfs, sizeof rootfs, "%s/image.squashfs", place);
        bool is_squashfs = streq(format, "squashfs");
        return (struct image_files){ FP, meta, is_squashfs ? rootfs : "", format, is_squashfs };
}

static void add_volume(struct test_daemon *d, struct object *pool, uint32_t num, const char *format)
{
        struct wait w = { 0 };
        struct image_files files = image(format);
        volume_create(d->server, pool, num, &files, NULL, on_done, &w);
        expect(d, &w, 0);
}

/* Where the image's files are to be seen once a container would start. */
static char *seen_root(struct test_daemon *d, struct object *pool, uint32_t num)
{
        _cleanup_free_ char *volume = volume_path(pool, num);
        if (!storage_pool_driver(pool)->uses_layers)
                return xasprintf("%s/rootfs", volume);
        struct wait w = { 0 };
        layer_mount(d->server, "p", FP, on_done, &w);
        expect(d, &w, 0);
        return layer_path(d->server, "p", FP);
}

static void check_image_is_seen(const char *root)
{
        _cleanup_free_ char *file = xasprintf("%s/etc/hostname", root);
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        struct stat st;
        ASSERT_OK(path_read_file(AT_FDCWD, file, 100, &b));
        ASSERT_STR(b.data, "from the image\n");
        ASSERT_OK(stat(file, &st) < 0 ? -errno : 0);
        ASSERT_EQ(st.st_uid, 0);
}

/* ---- the contract ---- */

TEST(a_pool_is_made_closed_and_removed_without_a_trace)
{
        EACH_DRIVER(driver)
        {
                static const char *const parts[] = { "layers", "instances", "trash" };
                struct test_daemon *d = start();
                struct object *pool = add_pool(d, *driver);
                for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
                        _cleanup_free_ char *part = storage_pool_part(pool, parts[i]);
                        struct stat st;
                        ASSERT_OK(stat(part, &st) < 0 ? -errno : 0);
                        ASSERT_EQ(st.st_mode & 07777, 0700);
                }
                remove_pool(d);
        }
}

TEST(a_directory_with_something_in_it_is_refused_and_left_alone)
{
        EACH_DRIVER(driver)
        {
                struct test_daemon *d = start();
                _cleanup_free_ char *body = xasprintf("{\"name\":\"p\",\"driver\":\"%s\",\"config\":{\"source\":"
                                                      "\"%s/image\"}}", (*driver)->name, place);
                _cleanup_free_ char *layers = xasprintf("%s/image/layers", place);
                _cleanup_free_ char *yaml = xasprintf("%s/image/metadata.yaml", place);
                ASSERT_EQ(api_post(d, "/1.0/storage-pools", body), 400);
                ASSERT_CONTAINS(api_string(d, "error"), "is not empty");
                ASSERT_FALSE(exists(layers));
                ASSERT_TRUE(exists(yaml));
                test_daemon_free(d);
        }
}

TEST(a_file_system_that_cannot_carry_a_pool_is_refused)
{
        EACH_DRIVER(driver)
        {
                struct test_daemon *d = start();
                _cleanup_free_ char *dir = xasprintf("%s/odd", place), *upper = xasprintf("%s/odd-upper", place);
                _cleanup_free_ char *work = xasprintf("%s/odd-work", place);
                _cleanup_free_ char *options = xasprintf("lowerdir=%s/image,upperdir=%s,workdir=%s", place, upper, work);
                _cleanup_free_ char *body = xasprintf("{\"name\":\"p\",\"driver\":\"%s\",\"config\":{\"source\":"
                                                      "\"%s/pool\"}}", (*driver)->name, dir);
                ASSERT_OK(path_mkdir_all(dir, 0755));
                ASSERT_OK(path_mkdir_all(upper, 0755));
                ASSERT_OK(path_mkdir_all(work, 0755));
                ASSERT_OK(mount("overlay", dir, "overlay", 0, options) < 0 ? -errno : 0);
                ASSERT_EQ(api_post(d, "/1.0/storage-pools", body), 501);
                ASSERT_CONTAINS(api_string(d, "error"), "does not support id-mapped mounts");
                _cleanup_free_ char *pool = xasprintf("%s/pool", dir);
                ASSERT_FALSE(exists(pool));
                ASSERT_OK(umount(dir) < 0 ? -errno : 0);
                test_daemon_free(d);
        }
}

TEST(a_volume_shows_its_image_with_its_owners)
{
        static const char *const formats[] = { "tar", "squashfs" };
        for (size_t f = 0; f < ARRAY_SIZE(formats); f++)
                EACH_DRIVER(driver)
                {
                        struct test_daemon *d = start();
                        struct object *pool = add_pool(d, *driver);
                        add_volume(d, pool, 7, formats[f]);
                        add_volume(d, pool, 8, formats[f]);
                        _cleanup_free_ char *root = seen_root(d, pool, 8);
                        check_image_is_seen(root);
                        layer_unuse(d->server, "p", FP);
                        remove_pool(d);
                }
}

TEST(the_spec_names_paths_of_the_pool)
{
        EACH_DRIVER(driver)
        {
                struct test_daemon *d = start();
                struct object *pool = add_pool(d, *driver);
                _cleanup_free_ char *volume = volume_path(pool, 7);
                const char *lower = "/run/l";
                _cleanup_json_ struct json_object *o =
                        volume_rootfs_json(pool, 7, &lower, (*driver)->uses_layers ? 1 : 0, true);
                ASSERT_STR(json_get_string(o, "type", ""), (*driver)->name);
                ASSERT_STR(json_get_string(o, "volume", ""), volume);
                ASSERT_EQ(json_get_array(o, "lowers") != NULL, (*driver)->uses_layers);
                remove_pool(d);
        }
}

TEST(a_volume_is_deleted_as_often_as_asked)
{
        EACH_DRIVER(driver)
        {
                struct test_daemon *d = start();
                struct object *pool = add_pool(d, *driver);
                _cleanup_free_ char *volume = volume_path(pool, 7), *trash = storage_pool_part(pool, "trash");
                add_volume(d, pool, 7, "tar");
                ASSERT_OK(path_mkdir_all(volume, 0700));
                for (int i = 0; i < 2; i++) {
                        struct wait w = { 0 };
                        volume_delete(d->server, pool, 7, on_done, &w);
                        expect(d, &w, 0);
                        ASSERT_FALSE(exists(volume));
                }
                while (d->n_waiting)
                        uv_run(&d->loop, UV_RUN_ONCE);
                ASSERT_TRUE(rmdir(trash) == 0); /* empty */
                remove_pool(d);
        }
}

TEST(usage_counts_what_the_volume_itself_holds)
{
        EACH_DRIVER(driver)
        {
                struct test_daemon *d = start();
                struct object *pool = add_pool(d, *driver);
                struct wait none = { 0 }, some = { 0 };
                _cleanup_free_ char *volume = volume_path(pool, 7);
                _cleanup_free_ char *part = xasprintf("%s/%s", volume, (*driver)->usage_part);
                _cleanup_free_ char *file = xasprintf("%s/file", part);
                volume_usage(d->server, pool, 7, on_usage, &none);
                expect(d, &none, 0);
                ASSERT_EQ(none.bytes, 0);
                ASSERT_OK(path_mkdir_all(part, 0755));
                write_file(file, "some bytes");
                volume_usage(d->server, pool, 7, on_usage, &some);
                expect(d, &some, 0);
                ASSERT_TRUE(some.bytes >= 512 && some.bytes <= MiB(1));
                remove_pool(d);
        }
}

TEST(a_broken_image_leaves_nothing)
{
        EACH_DRIVER(driver)
        {
                struct test_daemon *d = start();
                struct object *pool = add_pool(d, *driver);
                struct wait w = { 0 };
                _cleanup_free_ char *yaml = xasprintf("%s/image/metadata.yaml", place);
                _cleanup_free_ char *volume = volume_path(pool, 7), *layers = storage_pool_part(pool, "layers");
                _cleanup_free_ char *instances = storage_pool_part(pool, "instances");
                struct image_files broken = { FP, yaml, "", "tar", false };
                volume_create(d->server, pool, 7, &broken, NULL, on_done, &w);
                test_daemon_until(d, &w.is_over);
                ASSERT_TRUE(w.r < 0);
                error_done(&w.err);
                while (d->n_waiting)
                        uv_run(&d->loop, UV_RUN_ONCE);
                ASSERT_FALSE(exists(volume));
                ASSERT_TRUE(rmdir(layers) == 0 && rmdir(instances) == 0); /* both empty */
                remove_pool(d);
        }
}

static struct volume_info kept = { .pool = "p", .project = "default", .instance = "c1", .num = 7 };

static void one_volume(struct server *s _unused_, volume_visit_fn visit, void *data)
{
        visit(data, &kept);
}

TEST(start_up_keeps_what_is_named_and_removes_the_rest)
{
        EACH_DRIVER(driver)
        {
                struct test_daemon *d = start();
                struct object *pool = add_pool(d, *driver);
                struct wait w = { 0 };
                _cleanup_free_ char *volume = volume_path(pool, 7), *other = volume_path(pool, 8);
                _cleanup_free_ char *layers = storage_pool_part(pool, "layers"), *layer = xasprintf("%s/%s", layers, FP);
                _cleanup_free_ char *half = xasprintf("%s/.half.new", layers), *trash = storage_pool_part(pool, "trash");
                add_volume(d, pool, 7, "tar");
                ASSERT_OK(path_mkdir_all(volume, 0700));
                ASSERT_OK(path_mkdir_all(other, 0700));
                ASSERT_OK(path_mkdir_all(half, 0700));
                volumes_set_source(one_volume);
                storage_pools_start(d->server, on_done, &w);
                expect(d, &w, 0);
                while (d->n_waiting)
                        uv_run(&d->loop, UV_RUN_ONCE);
                ASSERT_TRUE(exists(volume));
                ASSERT_EQ(exists(layer), (*driver)->uses_layers);
                ASSERT_FALSE(exists(other));
                ASSERT_FALSE(exists(half));
                ASSERT_TRUE(rmdir(trash) == 0);
                volumes_set_source(NULL);
                remove_pool(d);
        }
}
