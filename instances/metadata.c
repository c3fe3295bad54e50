/* SPDX-License-Identifier: Apache-2.0 */
#include "instances/metadata.h"
#include "api/utf8.h"
#include "base/alloc.h"
#include "base/names.h"

/* ---- from an image ---- */

static struct json_object *row_new(struct json_object *from, const char *file)
{
        struct json_object *row = json_object_new_object();
        struct json_object *when = json_get_array(from, "when"), *properties = json_get_object(from, "properties");
        json_set_take(row, "when", when ? json_object_get(when) : json_object_new_array());
        json_set_bool(row, "create_only", json_get_bool(from, "create_only", false));
        json_set_string(row, "template", file);
        json_set_take(row, "properties", properties ? json_object_get(properties) : json_object_new_object());
        return row;
}

static struct json_object *encode(const struct instance_metadata *m)
{
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        struct json_writer w = JSON_WRITER(&text);
        struct json_object *o = NULL;
        type_encode(&instance_metadata_type, m, TYPE_STORED, &w);
        int r = json_parse(strbuf_str(&text), text.len, &o, NULL);
        assert(r >= 0);
        return o;
}

/* An image keeps a template's text with its path; the file's name stands in what metadata.yaml said. */
static void take_templates(const struct image *image, struct json_object *rows, struct json_object *files)
{
        struct json_object *named = json_get_object(image->metadata, "templates");
        if (!image->templates)
                return;
        json_object_object_foreach (image->templates, path, template) {
                const char *file = json_get_string(json_get_object(named, path), "template", NULL);
                if (!file)
                        continue;
                json_set_take(rows, path, row_new(template, file));
                json_set_string(files, file, json_get_string(template, "text", ""));
        }
}

void metadata_from_image(const struct image *image, struct json_object **ret_metadata, struct json_object **ret_files)
{
        struct instance_metadata m = { .architecture = image->architecture,
                                       .creation_date = image->created_at / 1000000000,
                                       .expiry_date = image->expires_at / 1000000000 };
        struct json_object *files = json_object_new_object();
        m.templates = json_object_new_object();
        strmap_copy(&m.properties, &image->properties);
        take_templates(image, m.templates, files);
        *ret_metadata = encode(&m);
        *ret_files = files;
        strmap_done(&m.properties);
        json_object_put(m.templates);
}

/* ---- changes ---- */

static int bad_row(const char *path, const char *what, struct error *err)
{
        _cleanup_free_ char *shown = name_printable(path);
        return error_set(err, ERR_BAD_REQUEST, "The template for \"%s\" %s", shown, what);
}

static int check_when(const char *path, struct json_object *row, struct error *err)
{
        static const char *const known = " create copy rename start ";
        struct json_object *when = json_get_array(row, "when");
        if (!when)
                return json_has(row, "when") && json_object_object_get(row, "when")
                               ? bad_row(path, "has a \"when\" that is no list", err)
                               : 0;
        for (size_t i = 0; i < json_object_array_length(when); i++) {
                const char *word = json_object_get_string(json_object_array_get_idx(when, i));
                _cleanup_free_ char *padded = xasprintf(" %s ", word ? word : "");
                if (str_empty(word) || strchr(word, ' ') || !strstr(known, padded))
                        return bad_row(path, "has a \"when\" that is none of create, copy, rename and start", err);
        }
        return 0;
}

static int check_properties(const char *path, struct json_object *row, struct error *err)
{
        struct json_object *properties = json_get_object(row, "properties");
        if (!properties)
                return json_has(row, "properties") && json_object_object_get(row, "properties")
                               ? bad_row(path, "has \"properties\" that are no map", err)
                               : 0;
        json_object_object_foreach (properties, key, value) {
                if (!json_object_is_type(value, json_type_string))
                        return error_set(err, ERR_BAD_REQUEST, "The template for \"%s\": property \"%s\" is no text", path, key);
        }
        return 0;
}

static int check_row(const char *path, struct json_object *row, struct error *err)
{
        int r = name_check_path(path, err);
        if (r < 0)
                return error_prefix(err, "templates");
        if (!json_object_is_type(row, json_type_object))
                return bad_row(path, "is no map of \"when\", \"template\", \"create_only\" and \"properties\"", err);
        r = metadata_check_file_name(json_get_string(row, "template", ""), err);
        if (r < 0)
                return error_prefix(err, "The template for \"%s\"", path);
        r = check_when(path, row, err);
        return r < 0 ? r : check_properties(path, row, err);
}

/* `rows` of the body over those of `now`, checked, each in its whole form. */
static int next_rows(struct json_object *now, struct json_object *rows, struct json_object **ret, struct error *err)
{
        _cleanup_json_ struct json_object *next = json_object_new_object();
        if (now) {
                json_object_object_foreach (now, path, row)
                        json_set_take(next, path, json_object_get(row));
        }
        if (rows && !json_object_is_type(rows, json_type_object))
                return error_set(err, ERR_BAD_REQUEST, "templates: a map of paths is expected");
        if (rows) {
                json_object_object_foreach (rows, path, row) {
                        int r = row ? check_row(path, row, err) : 0;
                        if (r < 0)
                                return r;
                        if (row)
                                json_set_take(next, path, row_new(row, json_get_string(row, "template", "")));
                        else
                                json_object_object_del(next, path);
                }
        }
        if (json_object_object_length(next) > METADATA_FILES_COUNT_MAX)
                return error_set(err, ERR_TOO_LARGE, "More than %d templates", METADATA_FILES_COUNT_MAX);
        *ret = TAKE_PTR(next);
        return 0;
}

int metadata_next(struct json_object *now, struct json_object *body, enum type_mode mode, struct json_object **ret,
                  struct error *err)
{
        struct instance_metadata m = { 0 };
        struct json_object *rows = NULL, *next = NULL;
        int r = mode == TYPE_PATCH && now ? type_decode(&instance_metadata_type, now, TYPE_LOAD, &m, err) : 0;
        if (r >= 0)
                r = type_decode(&instance_metadata_type, body, mode, &m, err);
        if (r >= 0 && json_object_object_get_ex(body, "templates", &rows))
                r = next_rows(mode == TYPE_PATCH ? json_get_object(now, "templates") : NULL, rows, &next, err);
        if (r >= 0 && next) {
                json_object_put(m.templates);
                m.templates = next;
        }
        if (r >= 0 && !m.templates)
                m.templates = json_object_new_object();
        if (r >= 0)
                *ret = encode(&m);
        type_done(&instance_metadata_type, &m);
        return r;
}

/* ---- the texts ---- */

static bool is_plain_name(const char *name)
{
        size_t n = strlen(name);
        if (n == 0 || n > 255 || name[0] == '.' || name[0] == '-' || strchr(name, '/') || !utf8_is_valid(name, n))
                return false;
        for (size_t i = 0; i < n; i++)
                if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
                        return false;
        return true;
}

int metadata_check_file_name(const char *name, struct error *err)
{
        if (str_empty(name))
                return error_set(err, ERR_BAD_REQUEST, "The name of a template is missing");
        if (is_plain_name(name))
                return 0;
        _cleanup_free_ char *shown = name_printable(name);
        return error_set(err, ERR_BAD_REQUEST,
                         "\"%s\" is no name of a template: a file name without \"/\" that begins with neither \".\" nor \"-\"", shown);
}

static int check_sizes(struct json_object *files, struct error *err)
{
        size_t size = 0;
        json_object_object_foreach (files, name, text) {
                (void)name;
                size += (size_t)json_object_get_string_len(text);
        }
        if (json_object_object_length(files) > METADATA_FILES_COUNT_MAX)
                return error_set(err, ERR_TOO_LARGE, "More than %d templates", METADATA_FILES_COUNT_MAX);
        if (size > METADATA_FILES_SIZE_MAX)
                return error_set(err, ERR_TOO_LARGE, "The templates of the instance are larger than %llu KiB together",
                                 (unsigned long long)METADATA_FILES_SIZE_MAX / 1024);
        return 0;
}

int metadata_files_with(struct json_object *files, const char *name, const char *text, size_t n, struct json_object **ret,
                        struct error *err)
{
        _cleanup_json_ struct json_object *next = json_object_new_object();
        if (n > METADATA_FILE_SIZE_MAX)
                return error_set(err, ERR_TOO_LARGE, "A template is at most %llu KiB large",
                                 (unsigned long long)METADATA_FILE_SIZE_MAX / 1024);
        if (text && (memchr(text, '\0', n) || !utf8_is_valid(text, n)))
                return error_set(err, ERR_BAD_REQUEST, "Template \"%s\" is not UTF-8 text", name);
        if (files) {
                json_object_object_foreach (files, key, value)
                        json_set_take(next, key, json_object_get(value));
        }
        if (text)
                json_set_take(next, name, json_object_new_string_len(text, (int)n));
        else
                json_object_object_del(next, name);
        int r = check_sizes(next, err);
        if (r >= 0)
                *ret = TAKE_PTR(next);
        return r;
}
