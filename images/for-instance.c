/* SPDX-License-Identifier: Apache-2.0 */
/* The image an instance is made of: found here, or fetched first. */
#include "images/fetch.h"
#include "images/use.h"
#include "base/alloc.h"
#include "base/names.h"
#include "projects/project.h"

#include <sys/utsname.h>

struct wanted {
        struct list node;
        struct server *server;
        char *project, *word; /* NULL word: it is being fetched */
        int r;
        struct error error; /* of the source itself */
        image_ready_fn done;
        void *data;
};

static struct list all = { &all, &all }; /* one daemon per process */

static void wanted_free(struct wanted *w)
{
        list_remove(&w->node);
        free(w->project);
        free(w->word);
        error_done(&w->error);
        free(w);
}

/* i686 runs on x86_64 and armv7l on aarch64. */
static bool runs_here(const char *architecture)
{
        struct utsname u;
        return uname(&u) < 0 || streq(u.machine, architecture) ||
               (streq(u.machine, "x86_64") && streq(architecture, "i686")) ||
               (streq(u.machine, "aarch64") && streq(architecture, "armv7l"));
}

static int check_usable(const struct object *o, struct error *err)
{
        const struct image *image = o->body;
        if (runs_here(image->architecture))
                return 0;
        return error_set(err, ERR_BAD_REQUEST, "Image \"%.12s\" is for %s, which this machine does not run",
                         o->name, image->architecture);
}

static void finish(struct wanted *w, int r, struct object *o, struct error *err)
{
        if (r >= 0)
                r = check_usable(o, err);
        if (r >= 0)
                image_note_use(w->server, o);
        w->done(w->data, r, r < 0 ? NULL : o, err);
        wanted_free(w);
}

static void on_fetched(void *data, int r, struct object *image, struct error *err)
{
        finish(data, r, image, err);
}

static void look(void *data)
{
        struct wanted *w = data;
        struct object *o = NULL;
        int r = w->r < 0 ? w->r : image_resolve(w->server, w->project, w->word, &o, &w->error);
        finish(w, r, o, &w->error);
}

/* Members that would change which image is meant, and are not understood here. */
static int check_source(struct json_object *source, struct error *err)
{
        static const char *const refused[] = { "certificate", "secret", "properties" };
        const char *type = json_get_string(source, "type", "image"),
                   *mode = json_get_string(source, "mode", "");
        if (!streq(type, "image"))
                return error_set(err, ERR_BAD_REQUEST, "source.type: \"image\" is expected");
        if (*mode && !streq(mode, "pull"))
                return error_set(err, ERR_UNSUPPORTED, "source.mode: only \"pull\" is possible for an image");
        for (size_t i = 0; i < ARRAY_SIZE(refused); i++) {
                struct json_object *value = NULL;
                json_object_object_get_ex(source, refused[i], &value);
                if (value && !streq(json_object_get_string(value), "") && !streq(json_text(value), "{}"))
                        return error_set(err, ERR_UNSUPPORTED, "source.%s is not part of this release",
                                         refused[i]);
        }
        return 0;
}

static const char *word_of(struct json_object *source)
{
        const char *alias = json_get_string(source, "alias", "");
        return *alias ? alias : json_get_string(source, "fingerprint", "");
}

/* The recipe of an image of a remote, or one without a remote and a word for a local image. */
static int read_source(struct json_object *source, struct recipe *ret, struct error *err)
{
        int r = check_source(source, err);
        if (r >= 0)
                r = recipe_from_source(source, ret, err);
        if (r < 0 || ret->remote || *word_of(source))
                return r;
        return error_set(err, ERR_BAD_REQUEST, "source: neither \"alias\" nor \"fingerprint\"");
}

static const char *project_of(struct server *s, struct json_object *source, const char *project)
{
        return project_effective(s, json_get_string(source, "project", project), PROJECT_IMAGES);
}

int image_check_source(struct server *s, const char *project, struct json_object *source,
                       const struct object **ret_image, struct error *err)
{
        _cleanup_recipe_ struct recipe recipe = { 0 };
        struct object *o = NULL;
        int r = read_source(source, &recipe, err);
        if (r >= 0 && !recipe.remote)
                r = image_resolve(s, project_of(s, source, project), word_of(source), &o, err);
        if (r >= 0 && o)
                r = check_usable(o, err);
        *ret_image = o;
        return r;
}

static int begin(struct wanted *w, struct json_object *source, struct operation *op, bool *ret_is_fetched,
                 struct error *err)
{
        _cleanup_recipe_ struct recipe recipe = { 0 };
        int r = read_source(source, &recipe, err);
        if (r < 0)
                return r;
        if (!recipe.remote) {
                w->word = xstrdup(word_of(source));
                return 0;
        }
        *ret_is_fetched = true;
        image_fetch(w->server, w->project, &recipe, op, on_fetched, w);
        return 0;
}

void image_for_instance(struct server *s, const char *project, struct json_object *source,
                        struct operation *op, image_ready_fn done, void *data)
{
        struct wanted *w = xnew(struct wanted);
        bool is_fetched = false;
        list_append(&all, &w->node);
        w->server = s;
        w->project = xstrdup(project_of(s, source, project));
        w->done = done;
        w->data = data;
        w->r = begin(w, source, op, &is_fetched, &w->error);
        if (is_fetched)
                return;
        timer_start(s, 0, look, w); /* done never comes before this returns */
}

void image_for_instance_cancel(struct server *s, void *data)
{
        struct wanted *w;
        list_for_each (w, &all, node)
                if (w->data == data && image_fetch_cancel(s, w))
                        return;
}
