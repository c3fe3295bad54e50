/* SPDX-License-Identifier: Apache-2.0 */
#include "images/image-ops.h"
#include "images/use.h"
#include "base/alloc.h"
#include "base/log.h"
#include "projects/used-by.h"
#include "server/job.h"

struct recover {
        struct server *server;
        void (*done)(struct server *s, void *data);
        void *data;
};

static void in_project(struct server *s, const struct object *project, struct strlist *urls)
{
        used_by_project(s, project, &image_kind, "/1.0/images", urls);
}

void images_register(struct server *s)
{
        object_kind_register(s, &image_kind);
        object_kind_register(s, &image_alias_kind);
        image_use_register(s);
        router_add(s, image_alias_routes); /* first: an alias may be called "export" */
        router_add(s, image_routes);
        used_by_add("project", in_project);
}

static struct json_object *files_of_all(struct server *s)
{
        struct object **images;
        struct json_object *files = json_object_new_array();
        size_t n = object_list(s, &image_kind, NULL, &images);
        for (size_t i = 0; i < n; i++) {
                _cleanup_free_ char *rootfs = xasprintf("%s.rootfs", images[i]->name);
                json_array_add_string(files, images[i]->name);
                if (streq(((const struct image *)images[i]->body)->layout, "split"))
                        json_array_add_string(files, rootfs);
        }
        return files;
}

static void on_swept(void *data, int r, struct json_object *result, struct error *err)
{
        struct recover *rec = data;
        struct json_object *missing = json_get_array(result, "missing");
        if (r < 0)
                log_error("images: %s", error_message(err));
        for (size_t i = 0; missing && i < json_object_array_length(missing); i++)
                log_error("images: the file \"%s\" of an image is missing",
                          json_object_get_string(json_object_array_get_idx(missing, i)));
        rec->done(rec->server, rec->data);
        free(rec);
}

void images_recover(struct server *s, void (*done)(struct server *s, void *data), void *data)
{
        struct job_spec spec = JOB_SPEC_INIT;
        struct recover *rec = xnew(struct recover);
        _cleanup_free_ char *dir = image_dir(s);
        *rec = (struct recover){ .server = s, .done = done, .data = data };
        spec.program = "lightrun";
        spec.name = "image-sweep";
        spec.take_args = json_object_new_object();
        json_set_string(spec.take_args, "dir", dir);
        json_set_take(spec.take_args, "keep", files_of_all(s));
        job_start(s, &spec, on_swept, rec);
}
