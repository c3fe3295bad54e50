/* SPDX-License-Identifier: Apache-2.0 */
/* A set of devices as instances and profiles carry them: name → keys, sorted by name. */
#pragma once

#include "base/strmap.h"

struct device {
        char *name;
        struct strmap keys; /* "type" among them */
};

struct devices {
        struct device *items;
        size_t n;
};

#define _cleanup_devices_ _cleanup_(devices_done)

void devices_done(struct devices *d);
struct strmap *devices_get(const struct devices *d, const char *name); /* borrowed, NULL when absent */
void devices_set(struct devices *d, const char *name, const struct strmap *keys);
bool devices_remove(struct devices *d, const char *name);
void devices_copy(struct devices *to, const struct devices *from);
void devices_merge(struct devices *to, const struct devices *from); /* a device of `from` replaces the whole one */
