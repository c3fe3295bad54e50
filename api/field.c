/* SPDX-License-Identifier: Apache-2.0 */
#include "api/field.h"
#include "base/alloc.h"
#include "base/time.h"

#define MEMBER(obj, field, T) ((T *)((char *)(obj) + (field)->offset))

void strlist_add(struct strlist *l, const char *item)
{
        l->items = xreallocarray(l->items, l->n + 1, sizeof *l->items);
        l->items[l->n++] = xstrdup(item);
        l->is_null = false;
}

void strlist_done(struct strlist *l)
{
        for (size_t i = 0; i < l->n; i++)
                free(l->items[i]);
        free(l->items);
        *l = (struct strlist){ 0 };
}

bool strlist_has(const struct strlist *l, const char *item)
{
        for (size_t i = 0; i < l->n; i++)
                if (streq(l->items[i], item))
                        return true;
        return false;
}

static int wrong_type(const char *what, struct error *err)
{
        return error_set(err, ERR_BAD_REQUEST, "%s is expected", what);
}

/* Clients write `true` or `3` where LXD's map holds strings; the text is what they mean. */
static const char *scalar_text(struct json_object *v)
{
        switch (json_object_get_type(v)) {
        case json_type_string:
        case json_type_boolean:
        case json_type_int:
        case json_type_double:
                return json_object_get_string(v);
        default:
                return NULL;
        }
}

int field_decode_strmap(struct json_object *from, bool is_merge, struct strmap *out, struct error *err)
{
        _cleanup_strmap_ struct strmap m = STRMAP_INIT;
        if (is_merge)
                strmap_copy(&m, out);
        if (from && !json_object_is_type(from, json_type_object))
                return wrong_type("an object", err);
        if (from) {
                json_object_object_foreach(from, key, v)
                {
                        const char *text = v ? scalar_text(v) : NULL;
                        if (v && !text) {
                                wrong_type("a string", err);
                                return error_prefix(err, "%s", key);
                        }
                        strmap_set(&m, key, text);
                }
        }
        strmap_done(out);
        *out = m;
        m = STRMAP_INIT;
        return 0;
}

int field_decode_devices(struct json_object *from, bool is_merge, struct devices *out, struct error *err)
{
        _cleanup_devices_ struct devices d = { 0 };
        if (is_merge)
                devices_copy(&d, out);
        if (from && !json_object_is_type(from, json_type_object))
                return wrong_type("an object", err);
        if (from) {
                json_object_object_foreach(from, name, v)
                {
                        _cleanup_strmap_ struct strmap keys = STRMAP_INIT;
                        if (!v) {
                                devices_remove(&d, name);
                                continue;
                        }
                        int r = field_decode_strmap(v, false, &keys, err);
                        if (r < 0)
                                return error_prefix(err, "%s", name);
                        for (size_t i = keys.n; i-- > 0;) /* how clients unset one */
                                if (!keys.items[i].value[0])
                                        strmap_remove(&keys, keys.items[i].key);
                        devices_set(&d, name, &keys);
                }
        }
        devices_done(out);
        *out = d;
        d = (struct devices){ 0 };
        return 0;
}

static int decode_strlist(struct json_object *v, struct strlist *out, struct error *err)
{
        struct strlist l = { .is_null = !v };
        if (v && !json_object_is_type(v, json_type_array))
                return wrong_type("a list", err);
        for (size_t i = 0; v && i < json_object_array_length(v); i++) {
                struct json_object *item = json_object_array_get_idx(v, i);
                if (!json_object_is_type(item, json_type_string)) {
                        strlist_done(&l);
                        return wrong_type("a list of strings", err);
                }
                strlist_add(&l, json_object_get_string(item));
        }
        strlist_done(out);
        *out = l;
        return 0;
}

static int decode_scalar(const struct field *f, struct json_object *v, void *out, struct error *err)
{
        int64_t ns = 0;
        switch (f->type) {
        case FIELD_STRING:
                if (v && !json_object_is_type(v, json_type_string))
                        return wrong_type("a string", err);
                free(*MEMBER(out, f, char *));
                *MEMBER(out, f, char *) = xstrdup(v ? json_object_get_string(v) : NULL);
                return 0;
        case FIELD_BOOL:
                if (v && !json_object_is_type(v, json_type_boolean))
                        return wrong_type("true or false", err);
                *MEMBER(out, f, bool) = v && json_object_get_boolean(v);
                return 0;
        case FIELD_INT:
                if (v && !json_object_is_type(v, json_type_int))
                        return wrong_type("a number", err);
                *MEMBER(out, f, int64_t) = v ? json_object_get_int64(v) : 0;
                return 0;
        default:
                if (v && (!json_object_is_type(v, json_type_string) ||
                          time_parse_rfc3339(json_object_get_string(v), &ns) < 0))
                        return wrong_type("a time like 2026-01-31T12:00:00Z", err);
                *MEMBER(out, f, int64_t) = ns;
                return 0;
        }
}

static int decode_field(const struct field *f, struct json_object *v, bool is_merge, void *out, struct error *err)
{
        switch (f->type) {
        case FIELD_STRMAP:
                return field_decode_strmap(v, is_merge, MEMBER(out, f, struct strmap), err);
        case FIELD_DEVICES:
                return field_decode_devices(v, is_merge, MEMBER(out, f, struct devices), err);
        case FIELD_STRLIST:
                return decode_strlist(v, MEMBER(out, f, struct strlist), err);
        case FIELD_JSON:
                json_object_put(*MEMBER(out, f, struct json_object *));
                *MEMBER(out, f, struct json_object *) = json_object_get(v);
                return 0;
        default:
                return decode_scalar(f, v, out, err);
        }
}

static int decode_into(const struct type *type, struct json_object *from, enum type_mode mode, void *out,
                       struct error *err)
{
        for (const struct field *f = type->fields; f->name; f++) {
                struct json_object *v = NULL;
                bool is_there = json_object_object_get_ex(from, f->name, &v);
                if (mode != TYPE_LOAD && (f->flags & (FIELD_READONLY | FIELD_STORED | FIELD_SHOWN)))
                        continue;
                if (!v && (f->flags & FIELD_REQUIRED) && !(mode == TYPE_PATCH && !is_there))
                        return error_set(err, ERR_BAD_REQUEST, "%s: \"%s\" is missing", type->name, f->name);
                if (!is_there && mode == TYPE_PATCH)
                        continue;
                int r = decode_field(f, v, mode == TYPE_PATCH, out, err);
                if (r < 0)
                        return error_prefix(err, "%s.%s", type->name, f->name);
        }
        return 0;
}

int type_decode(const struct type *type, struct json_object *from, enum type_mode mode, void *out, struct error *err)
{
        if (!from || !json_object_is_type(from, json_type_object))
                return error_set(err, ERR_BAD_REQUEST, "%s: a JSON object is expected", type->name);
        void *work = type_copy(type, out);
        int r = decode_into(type, from, mode, work, err);
        if (r < 0) {
                type_free(type, work);
                return r;
        }
        type_done(type, out);
        memcpy(out, work, type->size);
        free(work);
        return 0;
}

void field_encode_strmap(const struct strmap *m, struct json_writer *w)
{
        json_write_object_begin(w);
        for (size_t i = 0; i < m->n; i++)
                json_write_key_string(w, m->items[i].key, m->items[i].value);
        json_write_object_end(w);
}

void field_encode_devices(const struct devices *d, struct json_writer *w)
{
        json_write_object_begin(w);
        for (size_t i = 0; i < d->n; i++) {
                json_write_key(w, d->items[i].name);
                field_encode_strmap(&d->items[i].keys, w);
        }
        json_write_object_end(w);
}

static void encode_strlist(const struct field *f, const struct strlist *l, struct json_writer *w)
{
        if (l->n == 0 && (f->flags & FIELD_NULLABLE)) {
                json_write_null(w);
                return;
        }
        json_write_array_begin(w);
        for (size_t i = 0; i < l->n; i++)
                json_write_string(w, l->items[i]);
        json_write_array_end(w);
}

static void encode_value(const struct field *f, const void *from, struct json_writer *w)
{
        char stamp[TIME_TEXT_SIZE];
        switch (f->type) {
        case FIELD_STRING:
                json_write_string(w, *MEMBER(from, f, char *));
                break;
        case FIELD_BOOL:
                json_write_bool(w, *MEMBER(from, f, bool));
                break;
        case FIELD_INT:
                json_write_int(w, *MEMBER(from, f, int64_t));
                break;
        case FIELD_TIME:
                json_write_string(w, time_format_rfc3339(*MEMBER(from, f, int64_t), stamp));
                break;
        case FIELD_STRMAP:
                field_encode_strmap(MEMBER(from, f, struct strmap), w);
                break;
        case FIELD_STRLIST:
                encode_strlist(f, MEMBER(from, f, struct strlist), w);
                break;
        case FIELD_DEVICES:
                field_encode_devices(MEMBER(from, f, struct devices), w);
                break;
        case FIELD_JSON:
                json_write_tree(w, *MEMBER(from, f, struct json_object *));
                break;
        }
}

static bool is_empty(const struct field *f, const void *from)
{
        switch (f->type) {
        case FIELD_STRING:
                return str_empty(*MEMBER(from, f, char *));
        case FIELD_BOOL:
                return !*MEMBER(from, f, bool);
        case FIELD_INT:
        case FIELD_TIME:
                return *MEMBER(from, f, int64_t) == 0;
        case FIELD_STRMAP:
                return MEMBER(from, f, struct strmap)->n == 0;
        case FIELD_STRLIST:
                return MEMBER(from, f, struct strlist)->n == 0;
        case FIELD_DEVICES:
                return MEMBER(from, f, struct devices)->n == 0;
        default:
                return !*MEMBER(from, f, struct json_object *);
        }
}

void type_encode_members(const struct type *type, const void *from, enum type_form form, struct json_writer *w)
{
        unsigned hidden = form == TYPE_REST ? FIELD_STORED : FIELD_SHOWN;
        for (const struct field *f = type->fields; f->name; f++) {
                if ((f->flags & hidden) || ((f->flags & FIELD_OMIT) && is_empty(f, from)))
                        continue;
                json_write_key(w, f->name);
                encode_value(f, from, w);
        }
}

void type_encode(const struct type *type, const void *from, enum type_form form, struct json_writer *w)
{
        json_write_object_begin(w);
        type_encode_members(type, from, form, w);
        json_write_object_end(w);
}

static void field_done(const struct field *f, void *obj)
{
        switch (f->type) {
        case FIELD_STRING:
                free(*MEMBER(obj, f, char *));
                *MEMBER(obj, f, char *) = NULL;
                break;
        case FIELD_STRMAP:
                strmap_done(MEMBER(obj, f, struct strmap));
                break;
        case FIELD_STRLIST:
                strlist_done(MEMBER(obj, f, struct strlist));
                break;
        case FIELD_DEVICES:
                devices_done(MEMBER(obj, f, struct devices));
                break;
        case FIELD_JSON:
                json_object_put(*MEMBER(obj, f, struct json_object *));
                *MEMBER(obj, f, struct json_object *) = NULL;
                break;
        default:
                break;
        }
}

void type_done(const struct type *type, void *obj)
{
        for (const struct field *f = type->fields; f->name; f++)
                field_done(f, obj);
}

void type_free(const struct type *type, void *obj)
{
        if (obj)
                type_done(type, obj);
        free(obj);
}

void *type_new(const struct type *type)
{
        return xcalloc(1, type->size);
}

static void copy_strlist(struct strlist *to, const struct strlist *from)
{
        *to = (struct strlist){ .is_null = from->is_null };
        for (size_t i = 0; i < from->n; i++)
                strlist_add(to, from->items[i]);
}

static void copy_field(const struct field *f, void *to, const void *from)
{
        switch (f->type) {
        case FIELD_STRING:
                *MEMBER(to, f, char *) = xstrdup(*MEMBER(from, f, char *));
                break;
        case FIELD_STRMAP:
                *MEMBER(to, f, struct strmap) = STRMAP_INIT;
                strmap_copy(MEMBER(to, f, struct strmap), MEMBER(from, f, struct strmap));
                break;
        case FIELD_STRLIST:
                copy_strlist(MEMBER(to, f, struct strlist), MEMBER(from, f, struct strlist));
                break;
        case FIELD_DEVICES:
                *MEMBER(to, f, struct devices) = (struct devices){ 0 };
                devices_copy(MEMBER(to, f, struct devices), MEMBER(from, f, struct devices));
                break;
        case FIELD_JSON:
                json_object_get(*MEMBER(to, f, struct json_object *));
                break;
        default:
                break;
        }
}

void *type_copy(const struct type *type, const void *from)
{
        void *to = xmemdup(from, type->size);
        for (const struct field *f = type->fields; f->name; f++)
                copy_field(f, to, from);
        return to;
}
