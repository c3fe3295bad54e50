/* SPDX-License-Identifier: Apache-2.0 */
#include "images/worker/metadata.h"
#include "base/alloc.h"
#include "base/names.h"
#include "base/units.h"
#include "images/worker/text.h"

#include <yaml.h>

struct reading {
        yaml_parser_t parser;
        unsigned n_nodes;
        struct error *err;
};

static int refuse(const struct reading *in, const char *why)
{
        return error_set(in->err, ERR_BAD_REQUEST, "metadata.yaml is refused: %s (line %zu)", why,
                         in->parser.mark.line + 1);
}

/* The caller deletes the event. */
static int next_event(struct reading *in, yaml_event_t *event)
{
        if (!yaml_parser_parse(&in->parser, event)) {
                memset(event, 0, sizeof *event);
                return refuse(in, in->parser.problem ? in->parser.problem : "it is not YAML");
        }
        return 0;
}

static bool is_any(const char *s, const char *const *words, size_t n)
{
        for (size_t i = 0; i < n; i++)
                if (streq(s, words[i]))
                        return true;
        return false;
}

static struct json_object *plain_value(const char *s)
{
        static const char *const yes[] = { "true", "True", "TRUE", "yes", "Yes", "on" };
        static const char *const no[] = { "false", "False", "FALSE", "no", "No", "off" };
        uint64_t number;
        bool is_negative = *s == '-';
        const char *digits = s + is_negative;
        if (is_any(s, yes, ARRAY_SIZE(yes)) || is_any(s, no, ARRAY_SIZE(no)))
                return json_object_new_boolean(is_any(s, yes, ARRAY_SIZE(yes)));
        bool is_decimal =
                *digits && digits[strspn(digits, "0123456789")] == '\0' && (*digits != '0' || !digits[1]);
        if (is_decimal && units_parse_uint(digits, INT64_MAX, &number) == 0)
                return json_object_new_int64(is_negative ? -(int64_t)number : (int64_t)number);
        return json_object_new_string(s);
}

static bool is_null(const char *s)
{
        static const char *const words[] = { "", "~", "null", "Null", "NULL" };
        return is_any(s, words, ARRAY_SIZE(words));
}

static int scalar_text(struct reading *in, const yaml_event_t *event, const char **ret)
{
        const char *s = (const char *)event->data.scalar.value;
        if (!text_is_utf8(s, event->data.scalar.length))
                return refuse(in, "a value is not text");
        if (event->data.scalar.anchor || event->data.scalar.tag)
                return refuse(in, "anchors and tags are not allowed");
        *ret = s;
        return 0;
}

static int read_scalar(struct reading *in, const yaml_event_t *event, bool as_string,
                       struct json_object **ret)
{
        const char *s;
        int r = scalar_text(in, event, &s);
        if (r < 0)
                return r;
        bool is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
        if (is_plain && is_null(s))
                *ret = as_string ? json_object_new_string("") : NULL;
        else
                *ret = is_plain && !as_string ? plain_value(s) : json_object_new_string(s);
        return 0;
}

static int read_node(struct reading *in, yaml_event_t *event, unsigned depth, bool as_string,
                     struct json_object **ret);

static int read_sequence(struct reading *in, unsigned depth, bool as_string, struct json_object *array)
{
        for (;;) {
                _cleanup_(yaml_event_delete) yaml_event_t event;
                struct json_object *value = NULL;
                int r = next_event(in, &event);
                if (r < 0 || event.type == YAML_SEQUENCE_END_EVENT)
                        return r;
                if ((r = read_node(in, &event, depth + 1, as_string, &value)) < 0)
                        return r;
                json_object_array_add(array, value);
        }
}

static int read_member(struct reading *in, const yaml_event_t *key_event, unsigned depth, bool as_string,
                       struct json_object *object)
{
        _cleanup_(yaml_event_delete) yaml_event_t event;
        struct json_object *value = NULL;
        const char *key;
        memset(&event, 0, sizeof event);
        if (key_event->type != YAML_SCALAR_EVENT)
                return refuse(in, "a key is not a word");
        int r = scalar_text(in, key_event, &key);
        if (r < 0)
                return r;
        if (json_has(object, key))
                return refuse(in, "a key stands twice in one mapping");
        if ((r = next_event(in, &event)) < 0 ||
            (r = read_node(in, &event, depth + 1, as_string || streq(key, "properties"), &value)) < 0)
                return r;
        json_object_object_add(object, key, value);
        return 0;
}

static int read_mapping(struct reading *in, unsigned depth, bool as_string, struct json_object *object)
{
        for (;;) {
                _cleanup_(yaml_event_delete) yaml_event_t event;
                int r = next_event(in, &event);
                if (r < 0 || event.type == YAML_MAPPING_END_EVENT)
                        return r;
                if ((r = read_member(in, &event, depth, as_string, object)) < 0)
                        return r;
        }
}

static int read_node(struct reading *in, yaml_event_t *event, unsigned depth, bool as_string,
                     struct json_object **ret)
{
        _cleanup_json_ struct json_object *o = NULL;
        int r;
        if (depth > METADATA_DEPTH_MAX)
                return refuse(in, "it is nested too deeply");
        if (++in->n_nodes > METADATA_NODES_MAX)
                return refuse(in, "it has too many values");
        switch (event->type) {
        case YAML_SCALAR_EVENT:
                return read_scalar(in, event, as_string, ret);
        case YAML_SEQUENCE_START_EVENT:
                o = json_object_new_array();
                r = event->data.sequence_start.anchor ? refuse(in, "anchors and tags are not allowed")
                                                      : read_sequence(in, depth, as_string, o);
                break;
        case YAML_MAPPING_START_EVENT:
                o = json_object_new_object();
                r = event->data.mapping_start.anchor ? refuse(in, "anchors and tags are not allowed")
                                                     : read_mapping(in, depth, as_string, o);
                break;
        default:
                return refuse(in, "aliases are not allowed");
        }
        if (r == 0)
                *ret = TAKE_PTR(o);
        return r;
}

static int expect(struct reading *in, yaml_event_type_t type, const char *why)
{
        _cleanup_(yaml_event_delete) yaml_event_t event;
        int r = next_event(in, &event);
        if (r == 0 && event.type != type)
                r = refuse(in, why);
        return r;
}

static int read_document(struct reading *in, struct json_object **ret)
{
        _cleanup_(yaml_event_delete) yaml_event_t event;
        _cleanup_json_ struct json_object *o = NULL;
        memset(&event, 0, sizeof event);
        int r = expect(in, YAML_STREAM_START_EVENT, "it is not YAML");
        if (r == 0)
                r = expect(in, YAML_DOCUMENT_START_EVENT, "it is empty");
        if (r == 0)
                r = next_event(in, &event);
        if (r == 0 && event.type != YAML_MAPPING_START_EVENT)
                r = refuse(in, "it is not a mapping");
        if (r == 0)
                r = read_node(in, &event, 0, false, &o);
        if (r == 0)
                r = expect(in, YAML_DOCUMENT_END_EVENT, "it does not end after its mapping");
        if (r == 0)
                r = expect(in, YAML_STREAM_END_EVENT, "it has more than one document");
        if (r == 0)
                *ret = TAKE_PTR(o);
        return r;
}

int metadata_from_yaml(const char *text, size_t n, struct json_object **ret, struct error *err)
{
        struct reading in = { .err = err };
        if (n > METADATA_SIZE_MAX)
                return error_set(err, ERR_TOO_LARGE, "metadata.yaml is larger than 1 MiB");
        if (!text_is_utf8(text, n))
                return error_set(err, ERR_BAD_REQUEST, "metadata.yaml is not UTF-8 text");
        if (!yaml_parser_initialize(&in.parser))
                abort();
        yaml_parser_set_input_string(&in.parser, (const unsigned char *)text, n);
        yaml_parser_set_encoding(&in.parser, YAML_UTF8_ENCODING);
        int r = read_document(&in, ret);
        yaml_parser_delete(&in.parser);
        return r;
}

bool metadata_is_template_name(const char *name)
{
        size_t n = strlen(name);
        if (n == 0 || n > 255 || name[0] == '.' || name[0] == '-' || strchr(name, '/'))
                return false;
        for (size_t i = 0; i < n; i++)
                if ((unsigned char)name[i] < 0x20 || name[i] == 0x7f)
                        return false;
        return true;
}

static int check_template(const char *path, struct json_object *row, struct error *err)
{
        const char *file = json_get_string(row, "template", NULL);
        _cleanup_free_ char *shown = name_printable(path);
        if (*path != '/')
                return error_set(err, ERR_BAD_REQUEST,
                                 "The template for \"%s\" is for a path that is not absolute", shown);
        if (!file || !metadata_is_template_name(file))
                return error_set(err, ERR_BAD_REQUEST,
                                 "The template for \"%s\" does not name a file of templates/", shown);
        if (json_has(row, "when") && !json_get_array(row, "when"))
                return error_set(err, ERR_BAD_REQUEST,
                                 "The template for \"%s\" has a \"when\" that is no list", shown);
        return 0;
}

/* "templates:" with nothing behind it is as good as not there. */
static bool is_no_mapping(struct json_object *metadata, const char *key)
{
        struct json_object *value = NULL;
        return json_object_object_get_ex(metadata, key, &value) && value &&
               !json_object_is_type(value, json_type_object);
}

int metadata_check(struct json_object *metadata, struct error *err)
{
        const char *architecture = json_get_string(metadata, "architecture", "");
        struct json_object *templates = json_get_object(metadata, "templates");
        if (!metadata_is_template_name(architecture) || strlen(architecture) > 32)
                return error_set(err, ERR_BAD_REQUEST, "metadata.yaml names no architecture");
        if (json_get_int(metadata, "creation_date", 0) <= 0)
                return error_set(err, ERR_BAD_REQUEST, "metadata.yaml has no creation_date");
        if (is_no_mapping(metadata, "properties") || is_no_mapping(metadata, "templates"))
                return error_set(err, ERR_BAD_REQUEST, "metadata.yaml has \"%s\" that are no mapping",
                                 is_no_mapping(metadata, "properties") ? "properties" : "templates");
        if (!templates)
                return 0;
        json_object_object_foreach (templates, path, row) {
                int r = check_template(path, row, err);
                if (r < 0)
                        return r;
        }
        return 0;
}
