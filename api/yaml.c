/* SPDX-License-Identifier: Apache-2.0 */
#include "api/yaml.h"
#include "base/alloc.h"

#include <errno.h>
#include <math.h>
#include <yaml.h>

static bool is_one_of(const char *text, const char *const *words)
{
        for (; *words; words++)
                if (streq(text, *words))
                        return true;
        return false;
}

static const char *const null_words[] = { "", "~", "null", "Null", "NULL", NULL };
static const char *const true_words[] = { "true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON", NULL };
static const char *const false_words[] = { "false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF", NULL };
static const char *const letter_words[] = { "y", "Y", "n", "N", "<<", "=", NULL };

#define DIGITS "0123456789"

/* Moves p past its digits (YAML 1.1 allows '_' between them); false if there are none. */
static bool skip_digits(const char **p, const char *digits)
{
        size_t n = strspn(*p, digits);
        if (n == 0)
                return false;
        for (*p += n; **p == '_' || (**p && strchr(digits, **p)); (*p)++)
                ;
        return true;
}

static bool is_special_integer(const char *p)
{
        if (p[0] != '0' || (p[1] != 'x' && p[1] != 'o' && p[1] != 'b'))
                return false;
        const char *digits = p[1] == 'x' ? DIGITS "abcdefABCDEF" : p[1] == 'o' ? "01234567" : "01";
        p += 2;
        return skip_digits(&p, digits) && !*p;
}

/* 1, 1.5, .5, 1e3 and, for YAML 1.1, 1:30 (sixties) */
static bool is_decimal(const char *p)
{
        bool has_digits = skip_digits(&p, DIGITS);
        while (has_digits && *p == ':') {
                p++;
                if (!skip_digits(&p, DIGITS))
                        return false;
        }
        if (*p == '.') {
                p++;
                has_digits |= skip_digits(&p, DIGITS);
        }
        if (has_digits && (*p == 'e' || *p == 'E')) {
                p += 1 + (p[1] == '-' || p[1] == '+');
                if (!skip_digits(&p, DIGITS))
                        return false;
        }
        return has_digits && !*p;
}

static bool is_number(const char *text)
{
        static const char *const words[] = { ".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN", NULL };
        const char *p = text + (*text == '-' || *text == '+');
        return is_one_of(p, words) || is_special_integer(p) || is_decimal(p);
}

/* 2026-01-02, with or without a time of day */
static bool is_time(const char *p)
{
        for (int i = 0; i < 3; i++) {
                size_t n = strspn(p, DIGITS);
                if (i == 0 ? n != 4 : n < 1 || n > 2)
                        return false;
                p += n;
                if (i < 2 && *p++ != '-')
                        return false;
        }
        return !*p || *p == 'T' || *p == 't' || *p == ' ';
}

/* Would a reader take the plain word for something else than a string? 1.1 readers know more such words than 1.2. */
static bool needs_quotes(const char *text)
{
        return is_one_of(text, null_words) || is_one_of(text, true_words) || is_one_of(text, false_words) ||
               is_one_of(text, letter_words) || is_number(text) || is_time(text);
}

static yaml_scalar_style_t style_of(const char *text)
{
        if (strchr(text, '\n'))
                return YAML_LITERAL_SCALAR_STYLE;
        return needs_quotes(text) ? YAML_DOUBLE_QUOTED_SCALAR_STYLE : YAML_PLAIN_SCALAR_STYLE;
}

static void emit_scalar(yaml_emitter_t *e, const char *text, size_t n, yaml_scalar_style_t style)
{
        yaml_event_t event;
        yaml_scalar_event_initialize(&event, NULL, NULL, (yaml_char_t *)text, (int)n, 1, 1, style);
        yaml_emitter_emit(e, &event);
}

static void emit_sequence(yaml_emitter_t *e, bool is_start, bool is_empty)
{
        yaml_event_t event;
        if (is_start)
                yaml_sequence_start_event_initialize(&event, NULL, NULL, 1,
                                                     is_empty ? YAML_FLOW_SEQUENCE_STYLE : YAML_BLOCK_SEQUENCE_STYLE);
        else
                yaml_sequence_end_event_initialize(&event);
        yaml_emitter_emit(e, &event);
}

static void emit_mapping(yaml_emitter_t *e, bool is_start, bool is_empty)
{
        yaml_event_t event;
        if (is_start)
                yaml_mapping_start_event_initialize(&event, NULL, NULL, 1,
                                                    is_empty ? YAML_FLOW_MAPPING_STYLE : YAML_BLOCK_MAPPING_STYLE);
        else
                yaml_mapping_end_event_initialize(&event);
        yaml_emitter_emit(e, &event);
}

/* On the wire an empty map or list may be null; which of the two it stands for only its name tells. */
static void emit_null(yaml_emitter_t *e, const char *key)
{
        static const char *const maps[] = { "config", "devices", "expanded_config", "expanded_devices", "metadata",
                                            "resources", "disk", "network", "properties", NULL };
        static const char *const lists[] = { "backups", "snapshots", "aliases", "profiles", "addresses", "used_by",
                                             "locations", "upper_devices", "lower_devices", NULL };
        if (key && is_one_of(key, maps)) {
                emit_mapping(e, true, true);
                emit_mapping(e, false, true);
        } else if (key && is_one_of(key, lists)) {
                emit_sequence(e, true, true);
                emit_sequence(e, false, true);
        } else
                emit_scalar(e, "null", 4, YAML_PLAIN_SCALAR_STYLE);
}

static void emit_tree(yaml_emitter_t *e, struct json_object *o, const char *key);

static void emit_object(yaml_emitter_t *e, struct json_object *o)
{
        bool is_empty = json_object_object_length(o) == 0;
        emit_mapping(e, true, is_empty);
        json_object_object_foreach(o, key, value) {
                emit_scalar(e, key, strlen(key), style_of(key));
                emit_tree(e, value, key);
        }
        emit_mapping(e, false, is_empty);
}

static void emit_array(yaml_emitter_t *e, struct json_object *o)
{
        size_t n = json_object_array_length(o);
        emit_sequence(e, true, n == 0);
        for (size_t i = 0; i < n; i++)
                emit_tree(e, json_object_array_get_idx(o, i), NULL);
        emit_sequence(e, false, n == 0);
}

/* A time is a type of YAML's own: unquoted it stays one for those who read our output with a YAML library. */
static bool is_time_key(const char *key, const char *text)
{
        return key && str_ends(key, "_at") && strspn(text, "0123456789-T:.Z+") == strlen(text) && *text;
}

static void emit_tree(yaml_emitter_t *e, struct json_object *o, const char *key)
{
        switch (json_object_get_type(o)) {
        case json_type_null:
                emit_null(e, key);
                break;
        case json_type_object:
                emit_object(e, o);
                break;
        case json_type_array:
                emit_array(e, o);
                break;
        case json_type_string: {
                const char *text = json_object_get_string(o);
                emit_scalar(e, text, (size_t)json_object_get_string_len(o),
                            is_time_key(key, text) ? YAML_PLAIN_SCALAR_STYLE : style_of(text));
                break;
        }
        default: {
                const char *text = json_object_to_json_string_ext(o, JSON_C_TO_STRING_PLAIN);
                emit_scalar(e, text, strlen(text), YAML_PLAIN_SCALAR_STYLE);
        }
        }
}

static int append_output(void *data, unsigned char *bytes, size_t n)
{
        strbuf_add(data, bytes, n);
        return 1;
}

int yaml_write(struct json_object *o, struct strbuf *out, struct error *err)
{
        yaml_emitter_t e;
        yaml_event_t event;
        if (!yaml_emitter_initialize(&e))
                abort();
        yaml_emitter_set_output(&e, append_output, out);
        yaml_emitter_set_unicode(&e, 1);
        yaml_emitter_set_width(&e, -1);
        yaml_stream_start_event_initialize(&event, YAML_UTF8_ENCODING);
        yaml_emitter_emit(&e, &event);
        yaml_document_start_event_initialize(&event, NULL, NULL, NULL, 1);
        yaml_emitter_emit(&e, &event);
        emit_tree(&e, o, NULL);
        yaml_document_end_event_initialize(&event, 1);
        yaml_emitter_emit(&e, &event);
        yaml_stream_end_event_initialize(&event);
        yaml_emitter_emit(&e, &event);
        yaml_emitter_flush(&e);
        int r = e.error == YAML_NO_ERROR ? 0 : error_set(err, ERR_INTERNAL, "Cannot write YAML: %s", e.problem);
        yaml_emitter_delete(&e);
        return r;
}

struct reader {
        yaml_document_t document;
        const char *const *string_maps;
        struct error *err;
};

static struct json_object *read_plain(const char *text)
{
        char *end;
        if (is_one_of(text, null_words))
                return NULL;
        if (is_one_of(text, true_words) || is_one_of(text, false_words))
                return json_object_new_boolean(is_one_of(text, true_words));
        errno = 0;
        long long v = strtoll(text, &end, 10);
        if (!errno && *text && !*end && (text[0] != '0' || !text[1]))
                return json_object_new_int64(v);
        if (is_number(text)) {
                double d = strtod(text, &end);
                if (!*end && isfinite(d))
                        return json_object_new_double_s(d, text);
        }
        return json_object_new_string(text);
}

static struct json_object *read_scalar(const yaml_node_t *node, bool is_string)
{
        const char *text = (const char *)node->data.scalar.value;
        if (node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && !is_string)
                return read_plain(text);
        if (node->data.scalar.style == YAML_PLAIN_SCALAR_STYLE && is_one_of(text, null_words))
                text = "";
        return json_object_new_string(text);
}

static int read_node(struct reader *rd, const yaml_node_t *node, unsigned depth, bool is_string,
                     struct json_object **ret);

static int read_mapping(struct reader *rd, const yaml_node_t *node, unsigned depth, bool is_string,
                        struct json_object **ret)
{
        _cleanup_json_ struct json_object *o = json_object_new_object();
        for (yaml_node_pair_t *p = node->data.mapping.pairs.start; p < node->data.mapping.pairs.top; p++) {
                const yaml_node_t *key = yaml_document_get_node(&rd->document, p->key);
                const yaml_node_t *value = yaml_document_get_node(&rd->document, p->value);
                struct json_object *child;
                if (key->type != YAML_SCALAR_NODE)
                        return error_set(rd->err, ERR_BAD_REQUEST, "Invalid YAML at line %zu: a key must be a word",
                                         key->start_mark.line + 1);
                const char *name = (const char *)key->data.scalar.value;
                bool is_map_of_strings = rd->string_maps && is_one_of(name, rd->string_maps);
                int r = read_node(rd, value, depth + 1, is_string || (is_map_of_strings && value->type == YAML_MAPPING_NODE),
                                  &child);
                if (r < 0)
                        return r;
                json_object_object_add(o, name, child);
        }
        *ret = TAKE_PTR(o);
        return 0;
}

static int read_sequence(struct reader *rd, const yaml_node_t *node, unsigned depth, bool is_string,
                         struct json_object **ret)
{
        _cleanup_json_ struct json_object *o = json_object_new_array();
        for (yaml_node_item_t *i = node->data.sequence.items.start; i < node->data.sequence.items.top; i++) {
                struct json_object *child;
                int r = read_node(rd, yaml_document_get_node(&rd->document, *i), depth + 1, is_string, &child);
                if (r < 0)
                        return r;
                json_object_array_add(o, child);
        }
        *ret = TAKE_PTR(o);
        return 0;
}

/* libyaml resolves an alias to the node it names, so a bomb of aliases shows as depth or as a node seen too often. */
static int read_node(struct reader *rd, const yaml_node_t *node, unsigned depth, bool is_string,
                     struct json_object **ret)
{
        *ret = NULL;
        if (depth > JSON_DEPTH_MAX)
                return error_set(rd->err, ERR_BAD_REQUEST, "Invalid YAML at line %zu: nested too deeply",
                                 node->start_mark.line + 1);
        if (node->type == YAML_MAPPING_NODE)
                return read_mapping(rd, node, depth, is_string, ret);
        if (node->type == YAML_SEQUENCE_NODE)
                return read_sequence(rd, node, depth, is_string, ret);
        *ret = read_scalar(node, is_string);
        return 0;
}

static int parse_failed(const yaml_parser_t *p, struct error *err)
{
        return error_set(err, ERR_BAD_REQUEST, "Invalid YAML at line %zu: %s", p->problem_mark.line + 1,
                         p->problem ? p->problem : "it cannot be read");
}

/* The loader follows aliases; a first pass over the events refuses them before anything is built from them. */
static int refuse_aliases(const char *text, size_t n, struct error *err)
{
        yaml_parser_t p;
        int r = 0, documents = 0;
        if (!yaml_parser_initialize(&p))
                abort();
        yaml_parser_set_input_string(&p, (const unsigned char *)text, n);
        for (bool is_end = false; !is_end && r == 0;) {
                yaml_event_t event;
                if (!yaml_parser_parse(&p, &event)) {
                        r = parse_failed(&p, err);
                        break;
                }
                if (event.type == YAML_ALIAS_EVENT)
                        r = error_set(err, ERR_BAD_REQUEST, "Invalid YAML at line %zu: aliases are not supported",
                                      event.start_mark.line + 1);
                if (event.type == YAML_DOCUMENT_START_EVENT && ++documents > 1)
                        r = error_set(err, ERR_BAD_REQUEST, "Invalid YAML at line %zu: only one document is expected",
                                      event.start_mark.line + 1);
                is_end = event.type == YAML_STREAM_END_EVENT;
                yaml_event_delete(&event);
        }
        yaml_parser_delete(&p);
        return r;
}

int yaml_parse(const char *text, size_t n, const char *const *string_maps, struct json_object **ret, struct error *err)
{
        struct reader rd = { .string_maps = string_maps, .err = err };
        yaml_parser_t p;
        *ret = NULL;
        int r = refuse_aliases(text, n, err);
        if (r < 0)
                return r;
        if (!yaml_parser_initialize(&p))
                abort();
        yaml_parser_set_input_string(&p, (const unsigned char *)text, n);
        if (!yaml_parser_load(&p, &rd.document))
                r = parse_failed(&p, err);
        else {
                const yaml_node_t *root = yaml_document_get_root_node(&rd.document);
                r = root ? read_node(&rd, root, 0, false, ret) : 0;
                yaml_document_delete(&rd.document);
        }
        yaml_parser_delete(&p);
        return r;
}
