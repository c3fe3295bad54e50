/* SPDX-License-Identifier: Apache-2.0 */
/* The options that shape a new instance, for every command that makes one: launch, init, copy. */
#pragma once

#include "lightc/args.h"
#include "lightc/client.h"

#define CREATION_COMMON_OPTIONS                                                                              \
        { .name = "config", .letter = 'c', .value = "key=value", .is_repeated = true, .help = "Configuration" }, \
        { .name = "device", .letter = 'd', .value = "device,key=value", .is_repeated = true, .help = "A device's key" }, \
        { .name = "ephemeral", .letter = 'e', .help = "Delete it when it stops" },                           \
        { .name = "no-profiles", .help = "Without any profile" },                                            \
        { .name = "profile", .letter = 'p', .value = "profile", .is_repeated = true, .help = "Instead of the usual ones" }, \
        { .name = "storage", .letter = 's', .value = "pool", .help = "Pool of its root disk" },              \
        { .name = "target", .value = "member", .help = "Cluster member (there is no cluster: ignored)" }

#define CREATION_OPTIONS                                                                                     \
        { .name = "empty", .help = "Without an image" },                                                     \
        { .name = "network", .letter = 'n', .value = "network", .help = "Network of its eth0" },             \
        { .name = "type", .letter = 't', .value = "size", .help = "Size by name or as c2-m4" },              \
        { .name = "vm", .help = "A virtual machine (refused)" },                                             \
        CREATION_COMMON_OPTIONS

/* What the options say, into the body of the request. 0, STATUS_USAGE or a negative errno, with err set. */
int creation_apply_options(struct client *c, const struct args *a, struct json_object *body, struct error *err);
