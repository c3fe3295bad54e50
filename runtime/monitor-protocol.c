/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/monitor-protocol.h"
#include "base/time.h"

#define REPLY_BIT 0x8000u

struct header {
        uint16_t version;
        uint16_t type; /* REPLY_BIT is set in a reply */
        uint32_t id;
        uint32_t length; /* of the body */
};

void monitor_message_done(struct monitor_message *m)
{
        json_object_put(m->body);
        *m = (struct monitor_message){ 0 };
}

const char *monitor_type_name(enum monitor_type type)
{
        static const char *const names[_MONITOR_TYPE_MAX] = {
                [MONITOR_HELLO] = "HELLO",     [MONITOR_STATUS] = "STATUS",   [MONITOR_SIGNAL] = "SIGNAL",
                [MONITOR_CONSOLE] = "CONSOLE", [MONITOR_HOTPLUG] = "HOTPLUG", [MONITOR_EXIT] = "EXIT",
                [MONITOR_QUIT] = "QUIT",
        };
        return type > 0 && type < _MONITOR_TYPE_MAX ? names[type] : "?";
}

int monitor_message_encode(const struct monitor_message *m, struct strbuf *out)
{
        const char *text = m->body ? json_text(m->body) : "{}";
        size_t n = strlen(text);
        if (n > MONITOR_MESSAGE_MAX - sizeof(struct header))
                return -EMSGSIZE;
        struct header h = { .version = MONITOR_PROTOCOL_VERSION,
                            .type = (uint16_t)(m->type | (m->is_reply ? REPLY_BIT : 0)),
                            .id = m->id,
                            .length = (uint32_t)n };
        strbuf_add(out, &h, sizeof h);
        strbuf_add(out, text, n);
        return 0;
}

static int refused(struct error *err, const char *why)
{
        error_set(err, ERR_BAD_REQUEST, "Monitor message refused: %s", why);
        return -EPROTO;
}

int monitor_message_decode(const void *data, size_t n, struct monitor_message *ret, struct error *err)
{
        struct header h;
        _cleanup_json_ struct json_object *body = NULL;
        if (n < sizeof h || n > MONITOR_MESSAGE_MAX)
                return refused(err, "its size is wrong");
        memcpy(&h, data, sizeof h);
        if (h.version != MONITOR_PROTOCOL_VERSION)
                return refused(err, "its version is not 1");
        if (h.length != n - sizeof h)
                return refused(err, "its length is wrong");
        unsigned type = h.type & ~REPLY_BIT;
        if (type == 0 || type >= _MONITOR_TYPE_MAX)
                return refused(err, "its type is unknown");
        if (json_parse((const char *)data + sizeof h, h.length, &body, err) < 0)
                return -EPROTO;
        if (!body || !json_object_is_type(body, json_type_object))
                return refused(err, "its body is not an object");
        *ret = (struct monitor_message){ .type = (enum monitor_type)type,
                                         .is_reply = h.type & REPLY_BIT,
                                         .id = h.id,
                                         .body = TAKE_PTR(body) };
        return 0;
}

struct json_object *monitor_exit_to_json(const struct monitor_exit *e)
{
        char at[TIME_TEXT_SIZE];
        struct json_object *o = json_object_new_object();
        json_set_int(o, "version", 1);
        json_set_int(o, "status", e->status);
        json_set_int(o, "signal", e->signal);
        json_set_bool(o, "reboot", e->is_reboot);
        json_set_string(o, "at", time_format_rfc3339(e->at_ns, at));
        return o;
}

int monitor_exit_from_json(struct json_object *o, struct monitor_exit *ret)
{
        struct monitor_exit e = { .status = (int)json_get_int(o, "status", -1),
                                  .signal = (int)json_get_int(o, "signal", -1),
                                  .is_reboot = json_get_bool(o, "reboot", false) };
        if (json_get_int(o, "version", 0) != 1 || e.status < 0 || e.signal < 0)
                return -EINVAL;
        int r = time_parse_rfc3339(json_get_string(o, "at", ""), &e.at_ns);
        if (r >= 0)
                *ret = e;
        return r;
}
