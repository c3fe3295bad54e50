/* SPDX-License-Identifier: Apache-2.0 */
#include "images/add.h"
#include "images/turn.h"
#include "base/alloc.h"
#include "base/names.h"
#include "server/job.h"

struct add {
        struct server *server;
        char *project, *spool;
        struct image *image; /* moves into the change */
        struct image_wishes wishes;
        char *fingerprint;
        struct operation *op;
        void (*done)(void *data, int r, const char *fingerprint, struct error *err);
        void *data;
        struct job *job; /* the one that runs and may be cancelled */
        struct turn turn;
        struct error failure; /* of the commit, while the files are removed again */
        bool is_cancelled, has_turn;
        unsigned refs; /* one for the sequence, one for a start of a job that is not through yet */
};

static void add_unref(struct add *a)
{
        if (--a->refs)
                return;
        free(a->project);
        free(a->spool);
        free(a->fingerprint);
        type_free(&image_type, a->image);
        image_wishes_done(&a->wishes);
        error_done(&a->failure);
        free(a);
}

char *image_spool_path(struct server *s)
{
        static unsigned last;
        return xasprintf("%s/images/spool/%u", s->dir, ++last);
}

static void ignore(void *data _unused_, int r _unused_, struct json_object *result _unused_,
                   struct error *err _unused_)
{
}

static struct json_object *remove_args(const char *a, const char *b)
{
        struct json_object *args = json_object_new_object(), *paths = json_object_new_array();
        json_array_add_string(paths, a);
        if (b)
                json_array_add_string(paths, b);
        json_set_take(args, "paths", paths);
        return args;
}

static void start_remove(struct server *s, struct json_object *take_args, job_done_fn done, void *data)
{
        struct job_spec spec = JOB_SPEC_INIT;
        spec.program = "lightrun";
        spec.name = "image-remove";
        spec.take_args = take_args;
        job_start(s, &spec, done, data);
}

void image_discard(struct server *s, const char *path)
{
        start_remove(s, remove_args(path, NULL), ignore, NULL);
}

static void end(struct add *a, int r, struct error *err)
{
        if (a->has_turn)
                turn_end(&a->turn);
        if (r < 0)
                image_discard(a->server, a->spool);
        a->done(a->data, r, a->fingerprint, err);
        add_unref(a);
}

static void run(struct add *a, const char *program, const char *name, struct json_object *take_args,
                job_done_fn done)
{
        struct job_spec spec = JOB_SPEC_INIT;
        spec.program = program;
        spec.name = name;
        spec.take_args = take_args;
        spec.op = a->op;
        a->refs++;
        struct job *job = job_start(a->server, &spec, done, a);
        if (job)
                a->job = job;
        add_unref(a);
}

static void fail(struct add *a)
{
        end(a, error_errno(a->failure.code), &a->failure);
}

static void on_files_removed(void *data, int r _unused_, struct json_object *result _unused_,
                             struct error *err _unused_)
{
        fail(data);
}

/* The files have names and no object: they go, unless another project's image is made of the same bytes. */
static void take_back_files(struct add *a)
{
        if (image_is_stored(a->server, a->fingerprint)) {
                fail(a);
                return;
        }
        _cleanup_free_ char *meta = image_file(a->server, a->fingerprint, false);
        _cleanup_free_ char *rootfs = image_file(a->server, a->fingerprint, true);
        start_remove(a->server, remove_args(meta, rootfs), on_files_removed, a);
}

static void on_stored(void *data, int r, struct error *err)
{
        struct add *a = data;
        if (r >= 0) {
                end(a, 0, NULL);
                return;
        }
        error_move(&a->failure, err);
        take_back_files(a);
}

static void store(struct add *a)
{
        struct change *c = change_new(a->server);
        int r = image_put_aliases(a->server, c, a->project, &a->wishes.aliases, a->fingerprint, &a->failure);
        if (r < 0) {
                change_free(c);
                take_back_files(a);
                return;
        }
        change_put(c, &image_kind, a->project, a->fingerprint, OBJECT_REV_NEW, TAKE_PTR(a->image));
        change_commit(c, on_stored, a);
}

static void on_files_named(void *data, int r, struct json_object *result, struct error *err)
{
        struct add *a = data;
        a->job = NULL;
        if (r < 0) { /* perhaps one of two files */
                error_move(&a->failure, err);
                take_back_files(a);
                return;
        }
        a->image->layout = xstrdup(json_has(result, "rootfs_ext") ? "split" : "unified");
        a->image->meta_ext = xstrdup(json_get_string(result, "meta_ext", ""));
        a->image->rootfs_ext = xstrdup(json_get_string(result, "rootfs_ext", ""));
        a->image->meta_size = json_get_int(result, "meta_size", 0);
        a->image->rootfs_size = json_get_int(result, "rootfs_size", 0);
        store(a);
}

static int check_new(struct add *a, struct error *err)
{
        if (!object_find(a->server, &image_kind, a->project, a->fingerprint))
                return 0;
        error_set(err, ERR_EXISTS, "Image with same fingerprint already exists");
        error_hint(err, "It is \"%.12s\"", a->fingerprint);
        return error_object(err, image_kind.name, a->fingerprint), -EEXIST;
}

static void on_turn(void *data)
{
        struct add *a = data;
        _cleanup_error_ struct error err = ERROR_INIT;
        a->has_turn = true;
        int r = a->is_cancelled ? error_set(&err, ERR_CANCELLED, "Cancelled") : check_new(a, &err);
        if (r < 0) {
                end(a, r, &err);
                return;
        }
        _cleanup_free_ char *dir = image_dir(a->server);
        struct json_object *args = json_object_new_object();
        json_set_string(args, "spool", a->spool);
        json_set_string(args, "dir", dir);
        json_set_string(args, "fingerprint", a->fingerprint);
        run(a, "lightrun", "image-commit", args, on_files_named);
}

static void on_inspected(void *data, int r, struct json_object *result, struct error *err)
{
        struct add *a = data;
        a->job = NULL;
        if (r >= 0 && a->is_cancelled)
                r = error_set(err, ERR_CANCELLED, "Cancelled");
        if (r >= 0)
                r = image_from_inspection(a->image, &a->wishes, result, err);
        if (r < 0)
                end(a, r, err);
        else
                turn_take(&a->turn, on_turn, a);
}

static void inspect(struct add *a, bool is_split)
{
        struct json_object *args = json_object_new_object();
        _cleanup_free_ char *meta = xasprintf("%s/meta", a->spool),
                            *rootfs = xasprintf("%s/rootfs", a->spool);
        json_set_string(args, "meta", meta);
        json_set_string(args, "rootfs", is_split ? rootfs : "");
        if (a->server->cgroup) {
                const char *slash = strrchr(a->spool, '/');
                _cleanup_free_ char *group = xasprintf("%s/jobs/image-%s", a->server->cgroup, slash + 1);
                json_set_string(args, "cgroup", group);
        }
        run(a, "lightunpack", "image-inspect", args, on_inspected);
}

/* The name under which the rootfs came (or the whole image) is the image's; without one the client's wish is. */
static void take_filename(struct add *a, struct json_object *files)
{
        size_t n = json_object_array_length(files);
        const char *name = n ? json_get_string(json_object_array_get_idx(files, n - 1), "filename", "") : "";
        if (*name)
                a->image->filename = xstrdup(name);
}

static int take_received(struct add *a, struct json_object *received, struct error *err)
{
        struct json_object *files = json_get_array(received, "files");
        a->fingerprint = xstrdup(json_get_string(received, "fingerprint", ""));
        a->image->fingerprint = xstrdup(a->fingerprint);
        a->image->size = json_get_int(received, "size", 0);
        if (files)
                take_filename(a, files);
        int r = name_check_fingerprint(a->fingerprint, err);
        if (r < 0 || strlen(a->fingerprint) != 64)
                return error_set(err, ERR_INTERNAL, "lightunpack gave no fingerprint");
        if (a->wishes.fingerprint && !streq(a->wishes.fingerprint, a->fingerprint))
                return error_set(err, ERR_BAD_REQUEST, "Image fingerprint is \"%s\", expected \"%s\"",
                                 a->fingerprint, a->wishes.fingerprint);
        return check_new(a, err);
}

struct add *image_add(struct server *s, const struct add_spec *spec)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct json_object *files = json_get_array(spec->received, "files");
        struct add *a = xnew(struct add);
        a->refs = 2;
        a->server = s;
        a->project = xstrdup(spec->project);
        a->spool = xstrdup(spec->spool);
        a->op = spec->op;
        a->done = spec->done;
        a->data = spec->data;
        a->wishes = *spec->take_wishes;
        *spec->take_wishes = (struct image_wishes){ 0 };
        a->image = type_new(&image_type);
        a->image->is_cached = spec->is_cached;
        a->image->may_mount_squashfs = spec->may_mount_squashfs;
        a->image->update_source = json_object_get(spec->update_source);
        int r = take_received(a, spec->received, &err);
        if (r < 0)
                end(a, r, &err);
        else
                inspect(a, files && json_object_array_length(files) > 1);
        bool is_over = a->refs == 1;
        add_unref(a);
        return is_over ? NULL : a;
}

void image_add_cancel(struct add *a)
{
        a->is_cancelled = true;
        if (a->job)
                job_cancel(a->job);
}
