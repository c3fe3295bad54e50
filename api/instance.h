/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An instance is three objects, so that a start does not spoil somebody's edit: what the user set (its revision is the
 * ETag), what the daemon noted (volatile.*), and whether it runs.
 */
#pragma once

#include "api/field.h"

struct instance_body {
        char *architecture, *description, *type;
        struct strmap config; /* without volatile.* */
        struct devices devices;
        struct strlist profiles;
        bool ephemeral, stateful;
        int64_t created_at;
        /* stored only */
        int64_t num;
        char *pool;        /* of the root volume */
        char *image;       /* fingerprint */
        struct strlist layers; /* of the root volume, topmost first */
        struct json_object *metadata;       /* of its image, in the form of struct instance_metadata; NULL: empty */
        struct json_object *template_files; /* {"hostname.tpl":"{{ container.name }}"}; NULL: none */
};

/* GET and PUT …/metadata: what metadata.yaml of its image said, and the user since. */
struct instance_metadata {
        char *architecture;
        int64_t creation_date, expiry_date; /* seconds since 1970 */
        struct strmap properties;
        /* {"/etc/hostname":{"when":["create"],"create_only":false,"template":"hostname.tpl","properties":{}}} */
        struct json_object *templates;
};

struct instance_volatile {
        struct strmap config; /* volatile.* */
};

/*
 * "starting" is the intent of a start: what start-up finds in it is adopted or torn down. "restarting": its run has
 * ended and the next one is due, whoever the daemon is by then.
 */
struct instance_power {
        char *state; /* "stopped", "starting", "running", "restarting" */
        char *boot;  /* the host's boot id at the last start: whether a run that is gone ended with the host */
        int64_t gen; /* counts starts: part of the names of what a start makes */
        int64_t started_at, last_used_at;
};

/* What a request says beside the body of an instance. */
struct instance_post {
        char *name, *type, *instance_type;
        bool is_start_wanted, is_migration;
        struct json_object *source;
};

/* PUT …/state */
struct instance_state_put {
        char *action;
        int64_t timeout; /* seconds; -1 and 0: no limit */
        bool is_force, is_stateful;
};

extern const struct type instance_post_type, instance_state_put_type, instance_metadata_type;
extern const struct type instance_body_type, instance_volatile_type, instance_power_type;
