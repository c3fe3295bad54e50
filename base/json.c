/* SPDX-License-Identifier: Apache-2.0 */
#include "base/json.h"
#include "base/alloc.h"

#include <inttypes.h>
#include <limits.h>
#include <json-c/json_tokener.h>

/* json-c lets "\u0000" through; a C string would be cut there and two different names look the same. */
static bool has_nul(struct json_object *o)
{
        switch (json_object_get_type(o)) {
        case json_type_string:
                return memchr(json_object_get_string(o), '\0', (size_t)json_object_get_string_len(o)) != NULL;
        case json_type_array:
                for (size_t i = 0; i < json_object_array_length(o); i++)
                        if (has_nul(json_object_array_get_idx(o, i)))
                                return true;
                return false;
        case json_type_object: {
                struct json_object_iterator it = json_object_iter_begin(o), end = json_object_iter_end(o);
                for (; !json_object_iter_equal(&it, &end); json_object_iter_next(&it))
                        if (has_nul(json_object_iter_peek_value(&it)))
                                return true;
                return false;
        }
        default:
                return false;
        }
}

/* json-c copies keys with strdup, so a NUL in a key cuts it silently: look for the escape in the text itself. */
static bool text_has_nul_escape(const char *text, size_t n)
{
        for (size_t i = 0; i + 5 < n; i++)
                if (text[i] == '\\') {
                        if (memcmp(text + i + 1, "u0000", 5) == 0)
                                return true;
                        i++;
                }
        return false;
}

static int line_of(const char *text, size_t offset)
{
        int line = 1;
        for (size_t i = 0; i < offset; i++)
                line += text[i] == '\n';
        return line;
}

static bool only_space(const char *p, size_t n)
{
        return strspn(p, " \t\r\n") >= n;
}

static int parse_failed(const char *text, size_t at, const char *why, struct error *err)
{
        return error_set(err, ERR_BAD_REQUEST, "Invalid JSON at line %d: %s", line_of(text, at), why);
}

int json_parse(const char *text, size_t n, struct json_object **ret, struct error *err)
{
        return json_parse_max(text, n, JSON_TEXT_MAX, ret, err);
}

int json_parse_max(const char *text, size_t n, size_t max, struct json_object **ret, struct error *err)
{
        if (n > max || n >= INT_MAX)
                return error_set(err, ERR_TOO_LARGE, "JSON document of %zu bytes is larger than %zu", n, max);
        if (memchr(text, '\0', n))
                return error_set(err, ERR_BAD_REQUEST, "Invalid JSON: it contains a NUL byte");
        if (text_has_nul_escape(text, n))
                return error_set(err, ERR_BAD_REQUEST, "Invalid JSON: a string contains \\u0000");
        struct json_tokener *tok = json_tokener_new_ex(JSON_DEPTH_MAX);
        if (!tok)
                abort();
        json_tokener_set_flags(tok, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8 |
                                            JSON_TOKENER_ALLOW_TRAILING_CHARS);
        /* The NUL that ends every strbuf is offered too: without it a bare number never completes. */
        _cleanup_free_ char *copy = xstrndup(text, n);
        _cleanup_json_ struct json_object *o = json_tokener_parse_ex(tok, copy, (int)n + 1);
        enum json_tokener_error e = json_tokener_get_error(tok);
        size_t end = MIN(json_tokener_get_parse_end(tok), n);
        json_tokener_free(tok);
        if (e == json_tokener_continue)
                return parse_failed(text, n, "it ends too early", err);
        if (e != json_tokener_success)
                return parse_failed(text, end, json_tokener_error_desc(e), err);
        if (!only_space(copy + end, n - end))
                return parse_failed(text, end, "text after the value", err);
        if (has_nul(o))
                return error_set(err, ERR_BAD_REQUEST, "Invalid JSON: a string contains \\u0000");
        *ret = TAKE_PTR(o);
        return 0;
}

static struct json_object *member(struct json_object *o, const char *key, json_type type)
{
        struct json_object *v = NULL;
        if (!o || !json_object_is_type(o, json_type_object) || !json_object_object_get_ex(o, key, &v))
                return NULL;
        return json_object_is_type(v, type) ? v : NULL;
}

const char *json_get_string(struct json_object *o, const char *key, const char *fallback)
{
        struct json_object *v = member(o, key, json_type_string);
        return v ? json_object_get_string(v) : fallback;
}

int64_t json_get_int(struct json_object *o, const char *key, int64_t fallback)
{
        struct json_object *v = member(o, key, json_type_int);
        return v ? json_object_get_int64(v) : fallback;
}

bool json_get_bool(struct json_object *o, const char *key, bool fallback)
{
        struct json_object *v = member(o, key, json_type_boolean);
        return v ? json_object_get_boolean(v) : fallback;
}

struct json_object *json_get_object(struct json_object *o, const char *key)
{
        return member(o, key, json_type_object);
}

struct json_object *json_get_array(struct json_object *o, const char *key)
{
        return member(o, key, json_type_array);
}

bool json_has(struct json_object *o, const char *key)
{
        return o && json_object_is_type(o, json_type_object) && json_object_object_get_ex(o, key, NULL);
}

void json_set_string(struct json_object *o, const char *key, const char *value)
{
        if (value)
                json_object_object_add(o, key, json_object_new_string(value));
}

void json_set_int(struct json_object *o, const char *key, int64_t value)
{
        json_object_object_add(o, key, json_object_new_int64(value));
}

void json_set_bool(struct json_object *o, const char *key, bool value)
{
        json_object_object_add(o, key, json_object_new_boolean(value));
}

void json_set_take(struct json_object *o, const char *key, struct json_object *take_value)
{
        json_object_object_add(o, key, take_value);
}

void json_array_add_string(struct json_object *array, const char *value)
{
        json_object_array_add(array, json_object_new_string(value));
}

const char *json_text(struct json_object *o)
{
        return json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
}

/* Length of the valid UTF-8 sequence at p, or 0. */
static size_t utf8_len(const unsigned char *p, size_t n)
{
        static const unsigned char smallest_second[] = { [0xe0 - 0xe0] = 0xa0, [0xf0 - 0xe0] = 0x90 };
        size_t len = p[0] >= 0xf0 && p[0] < 0xf5 ? 4 : p[0] >= 0xe0 ? 3 : p[0] >= 0xc2 ? 2 : 0;
        if (p[0] >= 0xf5 || p[0] < 0xc2 || len > n)
                return 0;
        for (size_t i = 1; i < len; i++)
                if ((p[i] & 0xc0) != 0x80)
                        return 0;
        if ((p[0] == 0xe0 || p[0] == 0xf0) && p[1] < smallest_second[p[0] - 0xe0])
                return 0;
        if ((p[0] == 0xed && p[1] >= 0xa0) || (p[0] == 0xf4 && p[1] >= 0x90))
                return 0; /* surrogates; beyond U+10FFFF */
        return len;
}

static void escape_one(struct strbuf *out, unsigned char c)
{
        static const char letters[] = { ['\b'] = 'b', ['\f'] = 'f', ['\n'] = 'n', ['\r'] = 'r', ['\t'] = 't' };
        if (c == '"' || c == '\\')
                strbuf_addf(out, "\\%c", c);
        else if (c < sizeof letters && letters[c])
                strbuf_addf(out, "\\%c", letters[c]);
        else
                strbuf_addf(out, "\\u%04x", c);
}

void json_escape(struct strbuf *out, const char *text, size_t n)
{
        const unsigned char *p = (const unsigned char *)text;
        size_t plain = 0; /* bytes that go out as they are, not yet copied */
        size_t i = 0;
        while (i < n) {
                size_t len = p[i] < 0x80 ? 1 : utf8_len(p + i, n - i);
                if (len && (len > 1 || (p[i] >= 0x20 && p[i] != '"' && p[i] != '\\' && p[i] != 0x7f))) {
                        plain += len;
                        i += len;
                        continue;
                }
                strbuf_add(out, text + i - plain, plain);
                plain = 0;
                if (len)
                        escape_one(out, p[i]);
                else
                        strbuf_adds(out, "\xef\xbf\xbd");
                i++;
        }
        strbuf_add(out, text + n - plain, plain);
}

static void before_value(struct json_writer *w)
{
        if (w->needs_comma)
                strbuf_addc(w->out, ',');
        w->needs_comma = true;
}

static void open_bracket(struct json_writer *w, char c)
{
        before_value(w);
        strbuf_addc(w->out, c);
        w->needs_comma = false;
}

static void close_bracket(struct json_writer *w, char c)
{
        strbuf_addc(w->out, c);
        w->needs_comma = true;
}

void json_write_object_begin(struct json_writer *w)
{
        open_bracket(w, '{');
}

void json_write_object_end(struct json_writer *w)
{
        close_bracket(w, '}');
}

void json_write_array_begin(struct json_writer *w)
{
        open_bracket(w, '[');
}

void json_write_array_end(struct json_writer *w)
{
        close_bracket(w, ']');
}

void json_write_key(struct json_writer *w, const char *key)
{
        json_write_string(w, key);
        strbuf_addc(w->out, ':');
        w->needs_comma = false;
}

void json_write_string(struct json_writer *w, const char *value)
{
        before_value(w);
        strbuf_addc(w->out, '"');
        if (value)
                json_escape(w->out, value, strlen(value));
        strbuf_addc(w->out, '"');
}

void json_write_int(struct json_writer *w, int64_t value)
{
        before_value(w);
        strbuf_addf(w->out, "%" PRId64, value);
}

void json_write_bool(struct json_writer *w, bool value)
{
        before_value(w);
        strbuf_adds(w->out, value ? "true" : "false");
}

void json_write_null(struct json_writer *w)
{
        before_value(w);
        strbuf_adds(w->out, "null");
}

void json_write_raw(struct json_writer *w, const char *text, size_t n)
{
        before_value(w);
        strbuf_add(w->out, text, n);
}

void json_write_tree(struct json_writer *w, struct json_object *o)
{
        const char *text = o ? json_text(o) : "null";
        json_write_raw(w, text, strlen(text));
}

void json_write_key_string(struct json_writer *w, const char *key, const char *value)
{
        json_write_key(w, key);
        json_write_string(w, value);
}

void json_write_key_int(struct json_writer *w, const char *key, int64_t value)
{
        json_write_key(w, key);
        json_write_int(w, value);
}

void json_write_key_bool(struct json_writer *w, const char *key, bool value)
{
        json_write_key(w, key);
        json_write_bool(w, value);
}
