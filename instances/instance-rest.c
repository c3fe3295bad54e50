/* SPDX-License-Identifier: Apache-2.0 */
/* The REST form of an instance, kept until something it shows changes. */
#include "instances/instance.h"
#include "base/time.h"

/* A stopped one has no interfaces on the host, though their names are kept until the next start. */
static void hide_host_names(struct strmap *config)
{
        for (size_t k = config->n; k-- > 0;)
                if (str_starts(config->items[k].key, "volatile.") && str_ends(config->items[k].key, ".host_name"))
                        strmap_remove(config, config->items[k].key);
}

static void write_config(struct instance *i, const struct strmap *config, struct json_writer *w)
{
        _cleanup_strmap_ struct strmap all = STRMAP_INIT;
        strmap_copy(&all, config);
        strmap_merge(&all, instance_volatile(i));
        if (i->state == INSTANCE_STOPPED)
                hide_host_names(&all);
        field_encode_strmap(&all, w);
}

static void write_profiles(const struct instance_body *b, struct json_writer *w)
{
        json_write_array_begin(w);
        for (size_t i = 0; i < b->profiles.n; i++)
                json_write_string(w, b->profiles.items[i]);
        json_write_array_end(w);
}

static void write_time(struct json_writer *w, const char *key, int64_t ns)
{
        char stamp[TIME_TEXT_SIZE];
        /* LXD shows 1970 for "never used" */
        json_write_key_string(w, key, ns ? time_format_rfc3339(ns, stamp) : "1970-01-01T00:00:00Z");
}

static void write_members(struct instance *i, struct json_writer *w)
{
        const struct instance_body *b = instance_body(i);
        int code;
        const char *status = instance_status(i, &code);
        json_write_key_string(w, "architecture", b->architecture);
        json_write_key(w, "config");
        write_config(i, &b->config, w);
        json_write_key(w, "devices");
        field_encode_devices(&b->devices, w);
        json_write_key_bool(w, "ephemeral", b->ephemeral);
        json_write_key(w, "profiles");
        write_profiles(b, w);
        json_write_key_bool(w, "stateful", b->stateful);
        json_write_key_string(w, "description", b->description);
        write_time(w, "created_at", b->created_at);
        json_write_key(w, "expanded_config");
        write_config(i, instance_config(i), w);
        json_write_key(w, "expanded_devices");
        field_encode_devices(instance_devices(i), w);
        json_write_key_string(w, "name", i->name);
        json_write_key_string(w, "status", status);
        json_write_key_int(w, "status_code", code);
        write_time(w, "last_used_at", instance_power(i)->last_used_at);
        json_write_key_string(w, "location", "none");
        json_write_key_string(w, "type", "container");
        json_write_key_string(w, "project", i->project);
}

const struct strbuf *instance_rest(struct instance *i)
{
        if (!i->rest.len) {
                struct json_writer w = JSON_WRITER(&i->rest);
                json_write_object_begin(&w);
                write_members(i, &w);
                json_write_object_end(&w);
        }
        return &i->rest;
}

void instance_write_full(struct instance *i, struct json_writer *w)
{
        const struct strbuf *rest = instance_rest(i);
        json_write_raw(w, rest->data, rest->len - 1); /* without the closing brace: members follow */
        json_write_key(w, "backups");
        json_write_null(w);
        json_write_key(w, "state");
        instance_write_state(i, w);
        json_write_key(w, "snapshots");
        json_write_null(w);
        json_write_object_end(w);
}
