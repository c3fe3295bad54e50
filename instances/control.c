/* SPDX-License-Identifier: Apache-2.0 */
#include "instances/control.h"
#include "base/alloc.h"

#define MESSAGE_MAX 4096

struct control {
        const struct control_events *events;
        void *data;
        struct ws *ws;
        struct strbuf text; /* of the message that is coming */
        bool is_gone;
};

struct control *control_new(const struct control_events *events, void *data)
{
        struct control *c = xnew(struct control);
        c->events = events;
        c->data = data;
        c->text.max = MESSAGE_MAX;
        return c;
}

void control_free(struct control *c)
{
        if (!c)
                return;
        ws_abandon(c->ws);
        strbuf_done(&c->text);
        free(c);
}

void control_set_ws(struct control *c, struct ws *ws)
{
        c->ws = ws;
}

bool control_is_gone(const struct control *c)
{
        return c->is_gone;
}

/* A message that is no JSON object, or too long for one, says nothing: it is passed over. */
static void on_data(struct ws *ws _unused_, void *data, enum ws_opcode opcode _unused_, uint8_t *payload,
                    size_t n, bool is_end)
{
        struct control *c = data;
        _cleanup_json_ struct json_object *o = NULL;
        strbuf_add(&c->text, payload, n);
        if (!is_end)
                return;
        bool is_good =
                !c->text.is_over && c->text.len && json_parse(c->text.data, c->text.len, &o, NULL) >= 0;
        strbuf_clear(&c->text);
        if (is_good && json_object_is_type(o, json_type_object))
                c->events->message(c->data, o);
}

static void on_closed(struct ws *ws _unused_, void *data)
{
        struct control *c = data;
        c->ws = NULL;
        c->is_gone = true;
        c->events->gone(c->data);
}

const struct ws_handler control_ws_handler = { .data = on_data, .closed = on_closed };

static uint16_t member_as_size(struct json_object *o, const char *key)
{
        struct json_object *v = NULL;
        json_object_object_get_ex(o, key, &v);
        int64_t n = json_object_get_int64(v); /* text is read as a number, what is none as 0 */
        return n > 0 && n <= UINT16_MAX ? (uint16_t)n : 0;
}

bool control_window_size(struct json_object *o, uint16_t *ret_width, uint16_t *ret_height)
{
        struct json_object *args = json_get_object(o, "args");
        uint16_t width = args ? member_as_size(args, "width") : 0,
                 height = args ? member_as_size(args, "height") : 0;
        if (!streq(json_get_string(o, "command", ""), "window-resize") || !width || !height)
                return false;
        *ret_width = width;
        *ret_height = height;
        return true;
}
