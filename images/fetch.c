/* SPDX-License-Identifier: Apache-2.0 */
#include "images/fetch.h"
#include "images/add.h"
#include "base/alloc.h"
#include "server/event.h"
#include "server/job.h"

struct fetch {
        struct list node;
        struct server *server;
        char *project, *spool;
        struct recipe recipe;
        struct list waiters;
        struct job *job;
        struct add *add;
        bool is_cancelled;
};

struct waiter {
        struct list node;
        struct server *server;
        struct operation *op;
        fetch_done_fn done;
        void *data;
        /* of one that has its answer and waits for the loop to turn */
        int r;
        char *project, *fingerprint;
        struct error error;
};

static struct list fetches = { &fetches, &fetches }; /* one daemon per process */
static struct list answered = { &answered, &answered };

static bool is_of(const struct image *image, const struct recipe *wanted)
{
        _cleanup_recipe_ struct recipe recipe = { 0 };
        return image->update_source && recipe_from_source(image->update_source, &recipe, NULL) >= 0 &&
               recipe_equal(&recipe, wanted);
}

static struct object *find_kept(struct server *s, const char *project, const struct recipe *recipe)
{
        struct object **images;
        size_t n = object_list(s, &image_kind, project, &images);
        for (size_t i = 0; i < n; i++)
                if (is_of(images[i]->body, recipe))
                        return images[i];
        return NULL;
}

/* The object is looked up again: the loop has turned since it was found. */
static void deliver(void *data)
{
        struct waiter *w = data;
        struct object *o = NULL;
        int r = w->r;
        list_remove(&w->node);
        if (r >= 0)
                r = image_get(w->server, w->project, w->fingerprint, &o, &w->error);
        w->done(w->data, r, o, &w->error);
        free(w->project);
        free(w->fingerprint);
        error_done(&w->error);
        free(w);
}

static void answer_later(struct waiter *w, int r, const char *project, const char *fingerprint,
                         const struct error *err)
{
        list_remove(&w->node);
        list_append(&answered, &w->node);
        w->r = r;
        w->project = xstrdup(project);
        w->fingerprint = xstrdup(fingerprint);
        if (r < 0)
                error_set(&w->error, err->code, "%s", error_message(err));
        if (r < 0 && err->hint)
                error_hint(&w->error, "%s", err->hint);
        timer_start(w->server, 0, deliver, w);
}

static void fetch_end(struct fetch *f, int r, const char *fingerprint, const struct error *err)
{
        struct waiter *w;
        list_remove(&f->node);
        list_for_each (w, &f->waiters, node)
                answer_later(w, r, f->project, fingerprint, err);
        free(f->project);
        free(f->spool);
        recipe_done(&f->recipe);
        free(f);
}

static void on_added(void *data, int r, const char *fingerprint, struct error *err)
{
        struct fetch *f = data;
        if (r < 0 && err->code == ERR_EXISTS) { /* a reproducible build gave what is here already */
                fetch_end(f, 0, fingerprint, NULL);
                return;
        }
        if (r >= 0) {
                _cleanup_free_ char *url = image_url(fingerprint);
                struct json_object *context = json_object_new_object();
                json_set_string(context, "type", "container");
                event_lifecycle(f->server, NULL, "image-created", f->project, url, context);
        }
        fetch_end(f, r, fingerprint, err);
}

static void fail(struct fetch *f, int r, const struct error *err)
{
        image_discard(f->server, f->spool);
        fetch_end(f, r, NULL, err);
}

static void on_progress(void *data, const char *stage, int percent, int64_t bytes _unused_)
{
        struct fetch *f = data;
        struct waiter *w;
        list_for_each (w, &f->waiters, node)
                if (w->op)
                        operation_progress(w->op, stage, percent, NULL);
}

static void on_built(void *data, int r, struct json_object *result, struct error *err)
{
        struct fetch *f = data;
        f->job = NULL;
        if (r >= 0 && f->is_cancelled)
                r = error_set(err, ERR_CANCELLED, "Cancelled");
        if (r < 0) {
                fail(f, r, err);
                return;
        }
        struct image_wishes wishes = { 0 };
        _cleanup_json_ struct json_object *source = recipe_to_source(&f->recipe);
        struct add_spec spec = { .project = f->project,
                                 .spool = f->spool,
                                 .received = result,
                                 .take_wishes = &wishes,
                                 .may_mount_squashfs = true,
                                 .is_cached = true,
                                 .update_source = source,
                                 .done = on_added,
                                 .data = f };
        struct add *add = image_add(f->server, &spec);
        if (add)
                f->add = add;
}

static struct json_object *build_args(const struct fetch *f)
{
        struct json_object *args = json_object_new_object(), *ids = json_object_new_object(),
                           *packages = json_object_new_array();
        for (size_t i = 0; i < f->recipe.packages.n; i++)
                json_array_add_string(packages, f->recipe.packages.items[i]);
        json_set_int(ids, "base", f->server->idmap_base);
        json_set_int(ids, "size", SERVER_IDMAP_WORKERS);
        json_set_string(args, "release", f->recipe.release->codename);
        json_set_string(args, "spool", f->spool);
        json_set_take(args, "packages", packages);
        json_set_take(args, "ids", ids);
        if (f->server->cgroup) {
                const char *slash = strrchr(f->spool, '/');
                _cleanup_free_ char *group = xasprintf("%s/jobs/build-%s", f->server->cgroup, slash + 1);
                json_set_string(args, "cgroup", group);
        }
        return args;
}

static void start(struct fetch *f, const char *program, const char *name, struct json_object *take_args,
                  job_done_fn done)
{
        struct job_spec spec = JOB_SPEC_INIT;
        spec.program = program;
        spec.name = name;
        spec.take_args = take_args;
        spec.progress = on_progress;
        struct job *job = job_start(f->server, &spec, done, f);
        if (job)
                f->job = job; /* NULL: a test's runner, and f may be gone */
}

static void on_begun(void *data, int r, struct json_object *result _unused_, struct error *err)
{
        struct fetch *f = data;
        f->job = NULL;
        if (r >= 0 && f->is_cancelled)
                r = error_set(err, ERR_CANCELLED, "Cancelled");
        if (r < 0)
                fail(f, r, err);
        else
                start(f, "lightunpack", "image-build", build_args(f), on_built);
}

static struct fetch *fetch_find(const char *project, const struct recipe *recipe)
{
        struct fetch *f;
        list_for_each (f, &fetches, node)
                if (recipe_equal(&f->recipe, recipe) && streq(f->project, project) && !f->is_cancelled)
                        return f;
        return NULL;
}

static struct fetch *fetch_new(struct server *s, const char *project, const struct recipe *recipe)
{
        struct fetch *f = xnew(struct fetch);
        f->server = s;
        f->project = xstrdup(project);
        f->spool = image_spool_path(s);
        recipe_copy(&f->recipe, recipe);
        list_init(&f->waiters);
        list_append(&fetches, &f->node);
        return f;
}

void image_fetch(struct server *s, const char *project, const struct recipe *recipe, struct operation *op,
                 fetch_done_fn done, void *data)
{
        struct object *kept = find_kept(s, project, recipe);
        struct fetch *f = kept ? NULL : fetch_find(project, recipe);
        bool is_first = !kept && !f;
        struct waiter *w = xnew(struct waiter);
        *w = (struct waiter){ .server = s, .op = op, .done = done, .data = data };
        list_init(&w->node);
        if (kept) {
                answer_later(w, 0, project, kept->name, NULL);
                return;
        }
        if (is_first)
                f = fetch_new(s, project, recipe);
        list_append(&f->waiters, &w->node);
        if (!is_first)
                return;
        struct json_object *args = json_object_new_object();
        json_set_string(args, "path", f->spool);
        start(f, "lightrun", "image-begin", args, on_begun);
}

static bool cancel_in(struct list *waiters, void *data, struct error *err)
{
        struct waiter *w;
        list_for_each (w, waiters, node)
                if (w->data == data) {
                        answer_later(w, error_errno(ERR_CANCELLED), NULL, NULL, err);
                        return true;
                }
        return false;
}

bool image_fetch_cancel(struct server *s _unused_, void *data)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct fetch *f;
        error_set(&err, ERR_CANCELLED, "Cancelled");
        list_for_each (f, &fetches, node) {
                if (!cancel_in(&f->waiters, data, &err))
                        continue;
                if (!list_is_empty(&f->waiters))
                        return true;
                f->is_cancelled = true;
                if (f->job)
                        job_cancel(f->job);
                if (f->add)
                        image_add_cancel(f->add);
                return true;
        }
        return false; /* its answer may be on the way already */
}
