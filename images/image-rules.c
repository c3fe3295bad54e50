/* SPDX-License-Identifier: Apache-2.0 */
/* What comes with the bytes of an image, and what of it is believed. */
#include "images/image.h"
#include "base/alloc.h"
#include "base/names.h"
#include "base/time.h"
#include "base/units.h"
#include "config/key.h"

#define FILENAME_MAX_BYTES 255

static const struct {
        const char *name, *kernel;
} architectures[] = {
        { "amd64", "x86_64" },    { "x86_64", "x86_64" },   { "i386", "i686" },
        { "i686", "i686" },       { "arm64", "aarch64" },   { "aarch64", "aarch64" },
        { "armhf", "armv7l" },    { "armv7l", "armv7l" },   { "armel", "armv6l" },
        { "armv6l", "armv6l" },   { "ppc64el", "ppc64le" }, { "ppc64le", "ppc64le" },
        { "riscv64", "riscv64" }, { "s390x", "s390x" },     { "mips64el", "mips64" },
        { "mips64", "mips64" },
};

const char *image_architecture(const char *name)
{
        for (size_t i = 0; i < ARRAY_SIZE(architectures); i++)
                if (streq(architectures[i].name, name))
                        return architectures[i].kernel;
        return NULL;
}

void image_wishes_done(struct image_wishes *w)
{
        type_done(&image_type, &w->image);
        alias_list_done(&w->aliases);
        free(w->fingerprint);
        *w = (struct image_wishes){ 0 };
}

static bool has_control(const char *text)
{
        for (; *text; text++)
                if ((unsigned char)*text < 0x20 || *text == 0x7f)
                        return true;
        return false;
}

static int check_filename(const char *filename, struct error *err)
{
        if (strlen(filename) <= FILENAME_MAX_BYTES && !has_control(filename) && !strchr(filename, '/'))
                return 0;
        _cleanup_free_ char *shown = name_printable(filename);
        return error_set(err, ERR_BAD_REQUEST, "\"%s\" is not the name of a file", shown);
}

/* "a=1&b=2" as in a query, each once. */
static int parse_pairs(const char *header, const char *text, struct uri *ret, struct error *err)
{
        _cleanup_free_ char *target = xasprintf("/?%s", text);
        int r = uri_parse(target, ret, err);
        return r < 0 ? error_prefix(err, "The header %s", header) : 0;
}

static int properties_from_header(const char *text, struct strmap *out, struct error *err)
{
        _cleanup_uri_ struct uri uri = URI_INIT;
        int r = parse_pairs("X-LXD-properties", text, &uri, err);
        for (size_t i = 0; r >= 0 && i < uri.n_pairs; i++)
                strmap_set(out, uri.pairs[i].key, uri.pairs[i].value);
        return r;
}

static int profiles_from_header(const char *text, struct strlist *out, struct error *err)
{
        _cleanup_uri_ struct uri uri = URI_INIT;
        int r = parse_pairs("X-LXD-profiles", text, &uri, err);
        for (size_t i = 0; r >= 0 && i < uri.n_pairs; i++)
                if (streq(uri.pairs[i].key, "profile"))
                        strlist_add(out, uri.pairs[i].value);
        return r;
}

static int aliases_from_header(const char *text, struct alias_list *out, struct error *err)
{
        _cleanup_uri_ struct uri uri = URI_INIT;
        int r = parse_pairs("X-LXD-aliases", text, &uri, err);
        for (size_t i = 0; r >= 0 && i < uri.n_pairs; i++)
                if (streq(uri.pairs[i].key, "alias"))
                        alias_list_add(out, uri.pairs[i].value, "");
        return r;
}

static int fingerprint_from_header(const char *text, char **ret, struct error *err)
{
        int r = name_check_fingerprint(text, err);
        if (r >= 0 && strlen(text) != 64)
                r = error_set(err, ERR_BAD_REQUEST, "X-LXD-fingerprint must have 64 digits");
        if (r >= 0)
                *ret = xstrdup(text);
        return r;
}

int image_wishes_from_headers(struct request *req, struct image_wishes *w, struct error *err)
{
        const char *text;
        int r = 0;
        if (!str_empty(request_header(req, "x-lxd-secret")))
                return error_set(err, ERR_UNSUPPORTED,
                                 "Uploads with X-LXD-secret are not part of this release");
        if (!str_empty(text = request_header(req, "x-lxd-fingerprint")))
                r = fingerprint_from_header(text, &w->fingerprint, err);
        if (r >= 0 && !str_empty(text = request_header(req, "x-lxd-public")) &&
            units_parse_bool(text, &w->image.is_public) < 0)
                r = error_set(err, ERR_BAD_REQUEST, "X-LXD-public must be true or false");
        if (r >= 0 && !str_empty(text = request_header(req, "x-lxd-filename"))) {
                r = check_filename(text, err);
                w->image.filename = xstrdup(text);
        }
        if (r >= 0 && !str_empty(text = request_header(req, "x-lxd-properties")))
                r = properties_from_header(text, &w->image.properties, err);
        if (r >= 0 && !str_empty(text = request_header(req, "x-lxd-profiles")))
                r = profiles_from_header(text, &w->image.profiles, err);
        if (r >= 0 && !str_empty(text = request_header(req, "x-lxd-aliases")))
                r = aliases_from_header(text, &w->aliases, err);
        return r < 0 ? r : image_check(&w->image, err);
}

static int aliases_from_json(struct json_object *list, struct alias_list *out, struct error *err)
{
        for (size_t i = 0; list && i < json_object_array_length(list); i++) {
                struct json_object *item = json_object_array_get_idx(list, i);
                const char *name = json_get_string(item, "name", "");
                int r = name_check_alias(name, err);
                if (r < 0)
                        return r;
                alias_list_add(out, name, json_get_string(item, "description", ""));
        }
        return 0;
}

int image_wishes_from_json(struct json_object *body, struct image_wishes *w, struct error *err)
{
        const char *filename = json_get_string(body, "filename", "");
        int r = type_decode(&image_type, body, TYPE_REPLACE, &w->image, err);
        if (r >= 0)
                r = check_filename(filename, err);
        if (r >= 0 && *filename)
                w->image.filename = xstrdup(filename);
        if (r >= 0)
                r = aliases_from_json(json_get_array(body, "aliases"), &w->aliases, err);
        return r < 0 ? r : image_check(&w->image, err);
}

int image_check(const struct image *image, struct error *err)
{
        int r = 0;
        if (image->auto_update) {
                error_set(err, ERR_UNSUPPORTED,
                          "auto_update: updating images by itself is not part of this release");
                return error_hint(err, "Delete the image and fetch it again");
        }
        for (size_t i = 0; r >= 0 && i < image->profiles.n; i++)
                r = name_check_object("profile", image->profiles.items[i], err);
        for (size_t i = 0; r >= 0 && i < image->properties.n; i++) {
                const char *key = image->properties.items[i].key;
                if (!*key || strlen(key) > 255 || has_control(key)) {
                        _cleanup_free_ char *shown = name_printable(key);
                        r = error_set(err, ERR_BAD_REQUEST, "\"%s\" is not the name of a property", shown);
                }
        }
        return r;
}

static profile_exists_fn profile_exists;

void images_set_profile_check(profile_exists_fn fn)
{
        profile_exists = fn;
}

int image_check_profiles(struct server *s, const char *project, const struct image *image, struct error *err)
{
        int r = 0;
        for (size_t i = 0; profile_exists && r >= 0 && i < image->profiles.n; i++)
                r = profile_exists(s, project, image->profiles.items[i], err);
        return r;
}

static void properties_from_metadata(struct json_object *metadata, struct strmap *out)
{
        struct json_object *properties = json_get_object(metadata, "properties");
        if (!properties)
                return;
        json_object_object_foreach (properties, key, value)
                if (json_object_is_type(value, json_type_string))
                        strmap_set(out, key, json_object_get_string(value));
}

/* A date some build tool wrote: far future or negative is nothing a clock can show. */
static int64_t time_from_metadata(struct json_object *metadata, const char *key)
{
        int64_t seconds = json_get_int(metadata, key, 0);
        return seconds > 0 && seconds < 253402300800 /* the year 10000 */ && seconds < INT64_MAX / 1000000000
                       ? seconds * 1000000000
                       : 0;
}

static void set_text(char **to, const char *text)
{
        free(*to);
        *to = xstrdup(text);
}

static void take_wishes(struct image *image, const struct image_wishes *w)
{
        const struct image *from = &w->image;
        strmap_merge(&image->properties, &from->properties);
        config_drop_empty(&image->properties);
        if (!str_empty(from->filename) && str_empty(image->filename)) /* a part of a split one has its own */
                set_text(&image->filename, from->filename);
        if (from->expires_at)
                image->expires_at = from->expires_at;
        image->is_public = from->is_public;
        strlist_done(&image->profiles);
        for (size_t i = 0; i < from->profiles.n; i++)
                strlist_add(&image->profiles, from->profiles.items[i]);
        if (!from->profiles.n)
                strlist_add(&image->profiles, "default");
}

/* The rows of metadata.yaml with the text of the file each names. */
static int take_templates(struct image *image, struct json_object *metadata, struct json_object *texts,
                          struct error *err)
{
        struct json_object *rows = json_get_object(metadata, "templates");
        image->templates = json_object_new_object();
        if (!rows)
                return 0;
        json_object_object_foreach (rows, path, row) {
                struct json_object *template = json_object_new_object();
                const char *text = json_get_string(texts, json_get_string(row, "template", ""), "");
                json_set_take(image->templates, path, template);
                if (name_check_path(path, err) < 0)
                        return error_prefix(err, "The image's templates");
                json_set_take(template, "when", json_object_get(json_get_array(row, "when")));
                json_set_bool(template, "create_only", json_get_bool(row, "create_only", false));
                json_set_take(template, "properties", json_object_get(json_get_object(row, "properties")));
                json_set_string(template, "text", text);
        }
        return 0;
}

int image_from_inspection(struct image *image, const struct image_wishes *w, struct json_object *inspected,
                          struct error *err)
{
        struct json_object *metadata = json_get_object(inspected, "metadata");
        const char *name = json_get_string(inspected, "architecture", "");
        const char *architecture = image_architecture(name);
        if (!architecture) {
                _cleanup_free_ char *shown = name_printable(name);
                return error_set(err, ERR_BAD_REQUEST, "The image's architecture \"%s\" is not known", shown);
        }
        set_text(&image->architecture, architecture);
        set_text(&image->type, "container");
        set_text(&image->format,
                 streq(json_get_string(inspected, "rootfs_format", ""), "squashfs") ? "squashfs" : "tar");
        image->created_at = time_from_metadata(metadata, "creation_date");
        image->expires_at = time_from_metadata(metadata, "expiry_date");
        image->uploaded_at = time_now_ns();
        image->metadata = json_object_get(metadata);
        properties_from_metadata(metadata, &image->properties);
        take_wishes(image, w);
        int r = take_templates(image, metadata, json_get_object(inspected, "templates"), err);
        return r < 0 ? r : image_check(image, err);
}
