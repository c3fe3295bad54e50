/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Field tables: one row per member of a wire struct gives its JSON name, its place in the C struct and its type.
 * The same table decodes requests, encodes answers, writes and reads the stored form, copies and frees.
 * Unknown JSON members are ignored (clients send back whole envelopes); a wrong type is an error that names the
 * path: `devices.eth0.type: a string is expected`.
 */
#pragma once

#include "api/devices.h"
#include "base/error.h"
#include "base/json.h"
#include "base/strmap.h"

enum field_type {
        FIELD_STRING,  /* char *            NULL encodes as "" */
        FIELD_BOOL,    /* bool */
        FIELD_INT,     /* int64_t */
        FIELD_TIME,    /* int64_t           nanoseconds since 1970 ↔ RFC 3339 */
        FIELD_STRMAP,  /* struct strmap */
        FIELD_STRLIST, /* struct strlist */
        FIELD_DEVICES, /* struct devices */
        FIELD_JSON,    /* struct json_object *  anything, kept as it is */
};

enum field_flags {
        FIELD_READONLY = 1 << 0, /* shown, but a client's value is ignored */
        FIELD_STORED = 1 << 1,   /* only in the stored form, never shown */
        FIELD_SHOWN = 1 << 2,    /* only shown (computed), never stored */
        FIELD_REQUIRED = 1 << 3, /* absent or null is an error */
        FIELD_NULLABLE = 1 << 4, /* FIELD_STRLIST/FIELD_JSON: an empty one encodes as null */
        FIELD_OMIT = 1 << 5,     /* left out when empty */
};

struct strlist {
        char **items;
        size_t n;
        bool is_null; /* the client said null or nothing, as against [] */
};

struct field {
        const char *name;
        enum field_type type;
        unsigned flags;
        size_t offset;
};

struct type {
        const char *name; /* for messages: "instance" */
        size_t size;
        const struct field *fields; /* in the order they are encoded; ended by a NULL name */
};

#define FIELD(S, member, json_name, kind, flag) { json_name, kind, flag, offsetof(struct S, member) }

enum type_form { TYPE_REST, TYPE_STORED };
enum type_mode {
        TYPE_REPLACE, /* PUT, POST: what is absent is empty */
        TYPE_PATCH,   /* what is absent stays; maps and devices are merged key by key */
        TYPE_LOAD,    /* from the store: every field, READONLY too */
};

/* `out` must be a zeroed or a decoded struct; on failure it is unchanged. */
int type_decode(const struct type *type, struct json_object *from, enum type_mode mode, void *out, struct error *err);
void type_encode(const struct type *type, const void *from, enum type_form form, struct json_writer *w);
void type_encode_members(const struct type *type, const void *from, enum type_form form, struct json_writer *w);
void type_done(const struct type *type, void *obj);  /* frees members */
void type_free(const struct type *type, void *obj);  /* members and the struct; NULL is fine */
void *type_new(const struct type *type);
void *type_copy(const struct type *type, const void *from);

void strlist_add(struct strlist *l, const char *item);
void strlist_done(struct strlist *l);
bool strlist_has(const struct strlist *l, const char *item);

/* One map of strings (or of devices) from JSON; numbers and booleans are taken as their text, null removes. */
int field_decode_strmap(struct json_object *from, bool is_merge, struct strmap *out, struct error *err);
int field_decode_devices(struct json_object *from, bool is_merge, struct devices *out, struct error *err);
void field_encode_strmap(const struct strmap *m, struct json_writer *w);
void field_encode_devices(const struct devices *d, struct json_writer *w);
