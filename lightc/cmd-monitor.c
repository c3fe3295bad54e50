/* SPDX-License-Identifier: Apache-2.0 */
#include "lightc/output.h"
#include "lightc/stream.h"
#include "lightc/target.h"
#include "api/yaml.h"
#include "base/alloc.h"

#include <poll.h>

struct monitor {
        struct strbuf message;
        const struct args *args;
        const char *format;
        struct error *err;
};

/* --type may be repeated or hold several between commas; the daemon gets them as one list. */
static void wanted_types(const struct args *a, struct strbuf *out)
{
        const char *type;
        for (size_t i = 0; (type = args_value_nth(a, "type", i)); i++)
                strbuf_addf(out, "%s%s", i ? "," : "", type);
        if (streq(args_value(a, "format", args_has(a, "pretty") ? "pretty" : "yaml"), "pretty") && !out->len)
                strbuf_adds(out, "logging");
}

/* "warn" will do for "warning". -1: there is none of that name. */
static int level_of(const char *name)
{
        static const char *const names[] = { "panic", "fatal", "error", "warning", "info", "debug", "trace" };
        for (size_t i = 0; *name && i < ARRAY_SIZE(names); i++)
                if (str_starts(names[i], name))
                        return (int)i;
        return -1;
}

/* A list between commas of what the daemon has; a word it does not know would wait for ever. */
static int check_types(const char *types, struct error *err)
{
        static const char *const known[] = { "lifecycle", "logging", "operation" };
        _cleanup_free_ char *copy = xstrdup(types);
        char *rest = *copy ? copy : NULL;
        for (char *word; (word = strsep(&rest, ","));) {
                bool is_known = false;
                for (size_t i = 0; i < ARRAY_SIZE(known); i++)
                        is_known |= streq(word, known[i]);
                if (!is_known)
                        return args_misuse(err, "Unknown type \"%s\": it is one of lifecycle, logging, operation", word);
        }
        return 0;
}

static int check_level(const struct args *a, const char *format, struct error *err)
{
        const char *level = args_value(a, "loglevel", NULL);
        if (!level)
                return 0;
        if (level_of(level) < 0)
                return args_misuse(err, "Unknown level \"%s\": it is one of error, warning, info, debug, trace", level);
        if (!streq(format, "pretty"))
                return args_misuse(err, "--loglevel \"%s\" needs --pretty", level);
        return 0;
}

static void add_context(struct json_object *context, struct strbuf *b)
{
        if (!context)
                return;
        json_object_object_foreach(context, key, value)
                strbuf_addf(b, " %s=%s", key, value ? json_object_get_string(value) : "");
}

static int print_pretty(struct monitor *m, struct json_object *event)
{
        struct json_object *meta = json_get_object(event, "metadata");
        const char *level = json_get_string(meta, "level", json_get_string(event, "type", "")), *what;
        const char *wanted = args_value(m->args, "loglevel", NULL);
        /* What is no line of the log, a life or an operation, counts as "info". */
        if (wanted && level_of(json_get_string(meta, "level", "info")) > level_of(wanted))
                return 0;
        what = json_get_string(meta, "message", json_get_string(meta, "action", json_get_string(meta, "description", "")));
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        strbuf_addf(&b, "%.19s %-9s %s", json_get_string(event, "timestamp", ""), level, what);
        if (json_get_string(meta, "status", NULL))
                strbuf_addf(&b, " %s", json_get_string(meta, "status", ""));
        if (json_get_string(meta, "source", NULL))
                strbuf_addf(&b, " %s", json_get_string(meta, "source", ""));
        add_context(json_get_object(meta, "context"), &b);
        strbuf_addc(&b, '\n');
        return output_printable(&b);
}

static int print_event(struct monitor *m)
{
        _cleanup_json_ struct json_object *event = NULL;
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        if (streq(m->format, "json")) {
                strbuf_addc(&m->message, '\n');
                return output_text(&m->message);
        }
        int r = json_parse(strbuf_str(&m->message), m->message.len, &event, m->err);
        if (r < 0)
                return r;
        if (streq(m->format, "pretty"))
                return print_pretty(m, event);
        r = yaml_write(event, &b, m->err);
        strbuf_addc(&b, '\n');
        return r < 0 ? r : output_text(&b);
}

static int take_piece(void *data, const char *bytes, size_t n, bool is_message_end)
{
        struct monitor *m = data;
        strbuf_add(&m->message, bytes, n);
        if (!is_message_end || m->message.len == 0)
                return 0;
        int r = print_event(m);
        strbuf_clear(&m->message);
        return r;
}

static int listen_to(struct stream *s, struct monitor *m, struct error *err)
{
        int r = 0;
        while (r == 0 && !s->is_ended) {
                struct pollfd p = { .fd = s->fd, .events = POLLIN };
                if (s->n_pos == 0 && poll(&p, 1, -1) < 0)
                        return error_set_errno(err, -errno, "Cannot wait for events");
                r = stream_read(s, take_piece, m);
        }
        if (r == -EPIPE)
                return 0;
        if (r == 0)
                r = error_set(err, ERR_UNAVAILABLE, "The daemon ended the stream of events");
        else if (!err->code)
                error_set_errno(err, r, "The stream of events broke");
        return r;
}

static int run(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_stream_ struct stream s = STREAM_INIT;
        _cleanup_strbuf_ struct strbuf types = STRBUF_INIT;
        struct monitor m = { .args = a, .err = err,
                             .format = args_value(a, "format", args_has(a, "pretty") ? "pretty" : "yaml") };
        if (!streq(m.format, "json") && !streq(m.format, "pretty") && !streq(m.format, "yaml"))
                return args_misuse(err, "Unknown format \"%s\": it is one of json, pretty, yaml", m.format);
        _cleanup_free_ char *url = client_url(c, NULL, "events", NULL);
        wanted_types(a, &types);
        int r = check_level(a, m.format, err);
        if (r == 0)
                r = check_types(strbuf_str(&types), err);
        if (r != 0)
                return r;
        if (types.len)
                client_url_add(&url, "type", strbuf_str(&types));
        if (args_has(a, "all-projects"))
                client_url_add(&url, "all-projects", "true");
        r = stream_begin(c, &s, url, err);
        if (r == 0)
                r = stream_finish(&s, err);
        if (r == 0)
                r = listen_to(&s, &m, err);
        strbuf_done(&m.message);
        return r;
}

static const struct option options[] = {
        { .name = "type", .value = "logging|lifecycle|operation", .is_repeated = true, .help = "Only these events" },
        { .name = "format", .letter = 'f', .value = "yaml|json|pretty", .help = "How events are shown" },
        { .name = "pretty", .help = "The same as --format=pretty" },
        { .name = "loglevel", .value = "error|warning|info|debug|trace", .help = "Least level of what --pretty shows" },
        { .name = "all-projects", .help = "Events of all projects" },
        { 0 },
};

const struct command cmd_monitor = {
        .path = "monitor",
        .summary = "Show what happens in the daemon as it happens",
        .args = (const struct arg[]){ { "<remote>:", .is_optional = true }, { 0 } },
        .options = options,
        .run = run,
        .example = "lightc monitor --type=lifecycle\nlightc monitor --pretty --loglevel=info",
};
