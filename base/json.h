/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON at the door and JSON out.
 *
 * Reading goes through json-c in its strict mode with our own limits: at most JSON_DEPTH_MAX levels, valid UTF-8,
 * nothing after the value, no NUL inside a string (json-c keeps "\u0000"; we refuse it, since every string here
 * is a C string later). Writing appends straight into a strbuf: building a tree only to print it costs three
 * times as much.
 */
#pragma once

#include "base/error.h"
#include "base/strbuf.h"
#include <json-c/json_object.h>
#include <json-c/json_object_iterator.h>
#include <json-c/linkhash.h>

#define JSON_DEPTH_MAX 32
#define JSON_TEXT_MAX MiB(4)

static inline void json_putp(struct json_object **o)
{
        json_object_put(*o);
}
#define _cleanup_json_ _cleanup_(json_putp)

/* Parses n bytes. "null" gives NULL and success. The error says where ("line 3: unexpected character"). */
int json_parse(const char *text, size_t n, struct json_object **ret, struct error *err);
/* The same with another cap than JSON_TEXT_MAX: for a client, whose daemon may list ten thousand instances. */
int json_parse_max(const char *text, size_t n, size_t max, struct json_object **ret, struct error *err);

/* Borrowed looks into an object; wrong type or absent gives the fallback / NULL. o may be NULL. */
const char *json_get_string(struct json_object *o, const char *key, const char *fallback);
int64_t json_get_int(struct json_object *o, const char *key, int64_t fallback);
bool json_get_bool(struct json_object *o, const char *key, bool fallback);
struct json_object *json_get_object(struct json_object *o, const char *key); /* only if an object */
struct json_object *json_get_array(struct json_object *o, const char *key);  /* only if an array */
bool json_has(struct json_object *o, const char *key);

/* Small builders for job arguments and tests. The value is copied / taken. */
void json_set_string(struct json_object *o, const char *key, const char *value); /* NULL: key not added */
void json_set_int(struct json_object *o, const char *key, int64_t value);
void json_set_bool(struct json_object *o, const char *key, bool value);
void json_set_take(struct json_object *o, const char *key, struct json_object *take_value);
void json_array_add_string(struct json_object *array, const char *value);
const char *json_text(struct json_object *o); /* compact, slashes as they are; lives as long as o is untouched */

/* The writer: a comma is put by the writer, a caller never thinks of it. */
struct json_writer {
        struct strbuf *out;
        bool needs_comma;
};
#define JSON_WRITER(b) ((struct json_writer){ .out = (b) })
void json_write_object_begin(struct json_writer *w);
void json_write_object_end(struct json_writer *w);
void json_write_array_begin(struct json_writer *w);
void json_write_array_end(struct json_writer *w);
void json_write_key(struct json_writer *w, const char *key);
void json_write_string(struct json_writer *w, const char *value); /* NULL writes "" */
void json_write_int(struct json_writer *w, int64_t value);
void json_write_bool(struct json_writer *w, bool value);
void json_write_null(struct json_writer *w);
void json_write_raw(struct json_writer *w, const char *text, size_t n); /* one ready value */
void json_write_tree(struct json_writer *w, struct json_object *o);     /* NULL writes null */
/* key and value at once */
void json_write_key_string(struct json_writer *w, const char *key, const char *value);
void json_write_key_int(struct json_writer *w, const char *key, int64_t value);
void json_write_key_bool(struct json_writer *w, const char *key, bool value);

/* Appends text as the inside of a JSON string (no quotes); invalid UTF-8 becomes U+FFFD. */
void json_escape(struct strbuf *out, const char *text, size_t n);
