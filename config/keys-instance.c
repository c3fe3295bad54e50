/* SPDX-License-Identifier: Apache-2.0 */
#include "config/keys.h"

#define ON_BOTH (ON_INSTANCE | ON_PROFILE)
#define SECONDS_MAX (7 * 24 * 3600)
#define PRIORITY_MAX 1000000

/* Sorted by name. Keys of later steps (limits.*, raw.*, …) are not here, so they are refused by name. */
const struct config_key config_keys_instance[] = {
        KEY("boot.autostart", NONE, .type = &config_type_bool, .scope = ON_BOTH, .update = UPDATE_LIVE, .since = "0.1",
            .summary = "Start with the host; without a value: as it was when the host went down"),
        KEY("boot.autostart.delay", NONE, .type = &config_type_uint, .max = SECONDS_MAX, .scope = ON_BOTH,
            .update = UPDATE_LIVE, .fallback = "0", .since = "0.1",
            .summary = "Seconds to wait after this start before the next one"),
        KEY("boot.autostart.priority", NONE, .type = &config_type_int, .min = -PRIORITY_MAX, .max = PRIORITY_MAX,
            .scope = ON_BOTH, .update = UPDATE_LIVE, .fallback = "0", .since = "0.1",
            .summary = "Order of starting with the host: the highest first"),
        KEY("boot.host_shutdown_timeout", NONE, .type = &config_type_uint, .max = SECONDS_MAX, .scope = ON_BOTH,
            .update = UPDATE_LIVE, .fallback = "30", .since = "0.1",
            .summary = "Seconds a clean stop may take when the host goes down"),
        KEY("boot.stop.priority", NONE, .type = &config_type_int, .min = -PRIORITY_MAX, .max = PRIORITY_MAX,
            .scope = ON_BOTH, .update = UPDATE_LIVE, .fallback = "0", .since = "0.1",
            .summary = "Order of stopping with the host: the highest first"),
        KEY("environment.*", NONE, .type = &config_type_string, .scope = ON_BOTH, .update = UPDATE_ON_RESTART,
            .since = "0.1", .summary = "Environment variable of the first process and, at once, of exec"),
        KEY("image.*", NONE, .type = &config_type_string, .scope = ON_INSTANCE, .update = UPDATE_LIVE, .since = "0.1",
            .summary = "Property of the image the instance was made from"),
        KEY("security.nesting", NESTING, .type = &config_type_bool, .scope = ON_BOTH, .update = UPDATE_ON_RESTART,
            .fallback = "false", .since = "0.1", .summary = "Let the instance run containers of its own"),
        KEY("security.privileged", PRIVILEGE, .type = &config_type_bool, .scope = ON_BOTH, .update = UPDATE_ON_RESTART,
            .fallback = "false", .since = "0.1", .summary = "Run without a user namespace: root inside is root outside"),
        KEY("user.*", NONE, .type = &config_type_text, .scope = ON_BOTH, .update = UPDATE_LIVE, .since = "0.1",
            .summary = "Free for users; templates of the image can read it"),
        KEY("volatile.*.host_name", DAEMON, .type = &config_type_string, .scope = ON_INSTANCE, .update = UPDATE_LIVE,
            .since = "0.1", .summary = "Name of a network device's end on the host"),
        KEY("volatile.*.hwaddr", DAEMON, .type = &config_type_hwaddr, .scope = ON_INSTANCE, .update = UPDATE_ON_RESTART,
            .since = "0.1", .summary = "Generated hardware address of a network device"),
        KEY("volatile.*.last_state.created", DAEMON, .type = &config_type_bool, .scope = ON_INSTANCE,
            .update = UPDATE_LIVE, .since = "0.1", .summary = "Whether the start made the device's host interface"),
        KEY("volatile.*.name", DAEMON, .type = &config_type_string, .scope = ON_INSTANCE, .update = UPDATE_ON_RESTART,
            .since = "0.1", .summary = "Chosen name of a network device inside"),
        KEY("volatile.apply_template", DAEMON, .type = &config_type_choice, .scope = ON_INSTANCE, .update = UPDATE_LIVE,
            .choices = (const char *const[]){ "create", "copy", "rename", NULL }, .since = "0.1",
            .summary = "Templates to render at the next start"),
        KEY("volatile.base_image", DAEMON, .type = &config_type_string, .scope = ON_INSTANCE, .update = UPDATE_LIVE,
            .since = "0.1", .summary = "Fingerprint of the image the instance was made from"),
        KEY("volatile.cloud-init.instance-id", DAEMON, .type = &config_type_string, .scope = ON_INSTANCE,
            .update = UPDATE_LIVE, .since = "0.1", .summary = "What cloud-init knows the instance by"),
        KEY("volatile.idmap.base", DAEMON, .type = &config_type_uint, .max = UINT32_MAX, .scope = ON_INSTANCE,
            .update = UPDATE_LIVE, .since = "0.1", .summary = "First host id of the instance's range"),
        KEY("volatile.idmap.current", DAEMON, .type = &config_type_string, .scope = ON_INSTANCE, .update = UPDATE_LIVE,
            .since = "0.1", .summary = "Id map of the running instance"),
        KEY("volatile.idmap.next", DAEMON, .type = &config_type_string, .scope = ON_INSTANCE, .update = UPDATE_LIVE,
            .since = "0.1", .summary = "Id map of the next start"),
        KEY("volatile.last_state.idmap", DAEMON, .type = &config_type_string, .scope = ON_INSTANCE,
            .update = UPDATE_LIVE, .since = "0.1", .summary = "Id map the files on disk are in"),
        KEY("volatile.last_state.power", DAEMON, .type = &config_type_string, .scope = ON_INSTANCE,
            .update = UPDATE_LIVE, .since = "0.1", .summary = "RUNNING or STOPPED, as the host last left it"),
        KEY("volatile.uuid", DAEMON, .type = &config_type_string, .scope = ON_INSTANCE, .update = UPDATE_LIVE,
            .since = "0.1", .summary = "The instance's own id"),
        {},
};

const struct config_key *const config_tables_instance[] = { config_keys_instance, NULL };
