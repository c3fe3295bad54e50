/* SPDX-License-Identifier: Apache-2.0 */
#include "store/migrate.h"
#include "base/alloc.h"

/* A file name for the template of a path: its last part, made unlike those there are and no hidden file or option. */
static char *template_file_name(const char *path, struct json_object *files)
{
        const char *slash = strrchr(path, '/');
        _cleanup_free_ char *name = xasprintf("%.200s.tpl", slash ? slash + 1 : path);
        if (name[0] != '.' && name[0] != '-' && !json_has(files, name))
                return TAKE_PTR(name);
        return xasprintf("%d-%s", json_object_object_length(files), name);
}

static void name_templates(struct json_object *from, struct json_object *rows, struct json_object *files)
{
        if (!from)
                return;
        json_object_object_foreach (from, path, row) {
                _cleanup_free_ char *file = template_file_name(path, files);
                json_set_string(files, file, json_get_string(row, "text", ""));
                json_object_object_del(row, "text");
                json_set_string(row, "template", file);
                json_set_take(rows, path, json_object_get(row));
        }
}

/* "templates" with their texts and "properties" become "metadata" in LXD's form and "template_files". */
static int templates_get_names(struct json_object *body, struct error *err _unused_)
{
        struct json_object *metadata = json_object_new_object(), *rows = json_object_new_object();
        struct json_object *files = json_object_new_object(), *properties = json_get_object(body, "properties");
        name_templates(json_get_object(body, "templates"), rows, files);
        json_set_string(metadata, "architecture", json_get_string(body, "architecture", ""));
        json_set_int(metadata, "creation_date", 0);
        json_set_int(metadata, "expiry_date", 0);
        json_set_take(metadata, "properties", properties ? json_object_get(properties) : json_object_new_object());
        json_set_take(metadata, "templates", rows);
        json_object_object_del(body, "templates");
        json_object_object_del(body, "properties");
        json_set_take(body, "metadata", metadata);
        json_set_take(body, "template_files", files);
        return 0;
}

/* The first release is schema 1 of everything. */
const struct migration store_migrations[] = {
        { "instance", 1, templates_get_names },
        { NULL, 0, NULL },
};

int migrate_newest(const struct migration *table, const char *kind)
{
        int newest = 1;
        for (; table->kind; table++)
                if (streq(table->kind, kind))
                        newest = MAX(newest, table->from + 1);
        return newest;
}

static const struct migration *find_step(const struct migration *table, const char *kind, int from)
{
        for (; table->kind; table++)
                if (table->from == from && streq(table->kind, kind))
                        return table;
        return NULL;
}

int migrate_body(const struct migration *table, const char *kind, int schema, struct json_object *body,
                 struct error *err)
{
        int newest = migrate_newest(table, kind);
        if (schema > newest)
                return error_set(err, ERR_WRONG_STATE,
                                 "Objects of kind \"%s\" have schema %d, this release knows %d", kind, schema,
                                 newest);
        for (; schema < newest; schema++) {
                const struct migration *step = find_step(table, kind, schema);
                if (!step)
                        return error_set(err, ERR_INTERNAL, "No way from schema %d of \"%s\" to %d", schema,
                                         kind, schema + 1);
                int r = step->fn(body, err);
                if (r < 0)
                        return r;
        }
        return 0;
}
