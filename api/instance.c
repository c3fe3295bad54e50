/* SPDX-License-Identifier: Apache-2.0 */
#include "api/instance.h"

static const struct field body_fields[] = {
        FIELD(instance_body, architecture, "architecture", FIELD_STRING, 0),
        FIELD(instance_body, config, "config", FIELD_STRMAP, 0),
        FIELD(instance_body, devices, "devices", FIELD_DEVICES, 0),
        FIELD(instance_body, ephemeral, "ephemeral", FIELD_BOOL, 0),
        FIELD(instance_body, profiles, "profiles", FIELD_STRLIST, 0),
        FIELD(instance_body, stateful, "stateful", FIELD_BOOL, 0),
        FIELD(instance_body, description, "description", FIELD_STRING, 0),
        FIELD(instance_body, created_at, "created_at", FIELD_TIME, FIELD_READONLY),
        FIELD(instance_body, type, "type", FIELD_STRING, FIELD_READONLY),
        FIELD(instance_body, num, "num", FIELD_INT, FIELD_STORED),
        FIELD(instance_body, pool, "pool", FIELD_STRING, FIELD_STORED),
        FIELD(instance_body, image, "image", FIELD_STRING, FIELD_STORED),
        FIELD(instance_body, layers, "layers", FIELD_STRLIST, FIELD_STORED),
        FIELD(instance_body, metadata, "metadata", FIELD_JSON, FIELD_STORED),
        FIELD(instance_body, template_files, "template_files", FIELD_JSON, FIELD_STORED),
        { 0 },
};
const struct type instance_body_type = { "instance", sizeof(struct instance_body), body_fields };

static const struct field metadata_fields[] = {
        FIELD(instance_metadata, architecture, "architecture", FIELD_STRING, 0),
        FIELD(instance_metadata, creation_date, "creation_date", FIELD_INT, 0),
        FIELD(instance_metadata, expiry_date, "expiry_date", FIELD_INT, 0),
        FIELD(instance_metadata, properties, "properties", FIELD_STRMAP, 0),
        FIELD(instance_metadata, templates, "templates", FIELD_JSON, 0),
        { 0 },
};
const struct type instance_metadata_type = { "metadata", sizeof(struct instance_metadata), metadata_fields };

static const struct field volatile_fields[] = {
        FIELD(instance_volatile, config, "config", FIELD_STRMAP, 0),
        { 0 },
};
const struct type instance_volatile_type = { "instance-volatile", sizeof(struct instance_volatile), volatile_fields };

static const struct field power_fields[] = {
        FIELD(instance_power, state, "state", FIELD_STRING, 0),
        FIELD(instance_power, boot, "boot", FIELD_STRING, 0),
        FIELD(instance_power, gen, "gen", FIELD_INT, 0),
        FIELD(instance_power, started_at, "started_at", FIELD_TIME, 0),
        FIELD(instance_power, last_used_at, "last_used_at", FIELD_TIME, 0),
        { 0 },
};
const struct type instance_power_type = { "instance-power", sizeof(struct instance_power), power_fields };

static const struct field post_fields[] = {
        FIELD(instance_post, name, "name", FIELD_STRING, 0),
        FIELD(instance_post, type, "type", FIELD_STRING, 0),
        FIELD(instance_post, instance_type, "instance_type", FIELD_STRING, 0),
        FIELD(instance_post, is_start_wanted, "start", FIELD_BOOL, 0),
        FIELD(instance_post, is_migration, "migration", FIELD_BOOL, 0),
        FIELD(instance_post, source, "source", FIELD_JSON, 0),
        { 0 },
};
const struct type instance_post_type = { "instance", sizeof(struct instance_post), post_fields };

static const struct field state_put_fields[] = {
        FIELD(instance_state_put, action, "action", FIELD_STRING, FIELD_REQUIRED),
        FIELD(instance_state_put, timeout, "timeout", FIELD_INT, 0),
        FIELD(instance_state_put, is_force, "force", FIELD_BOOL, 0),
        FIELD(instance_state_put, is_stateful, "stateful", FIELD_BOOL, 0),
        { 0 },
};
const struct type instance_state_put_type = { "state", sizeof(struct instance_state_put), state_put_fields };
