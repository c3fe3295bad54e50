/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Profiles: configuration and devices that instances share, applied in the order an instance names them. Knows how a
 * profile must look, not what a device type means nor which instances use it: instances/ puts that in by hooks.
 */
#pragma once

#include "api/profile.h"
#include "server/request.h"

extern const struct object_kind profile_kind;

/* What instances/ adds. Any may be NULL. */
struct profile_hooks {
        /* The devices of a profile by themselves (a profile may lack what an instance must have). */
        int (*check_devices)(struct server *s, const char *project, const struct devices *devices, struct error *err);
        /* Before a profile in use changes: whether its instances could live with it. */
        int (*check_users)(struct server *s, const struct object *profile, const struct profile *next,
                           struct error *err);
        /* Puts the instances that name the profile into the change that renames it. */
        void (*rename_in_users)(struct server *s, struct change *c, const struct object *profile,
                                const char *new_name);
};
void profiles_set_hooks(const struct profile_hooks *hooks);

/* Rules, without any I/O: name, config keys, device names. */
int profile_check_name(const char *name, struct error *err);
int profile_check(const struct profile *p, struct error *err);

/* The profile's project is already the effective one. */
int profile_get(struct server *s, const char *project, const char *name, struct object **ret, struct error *err);

/* Use cases: each checks and fills a change; the caller commits it. Bodies are struct profile (plain-family.h). */
int profile_create(struct server *s, struct change *c, const char *project, void *take_body, struct error *err);
int profile_update(struct server *s, struct change *c, const struct object *o, void *take_body, struct error *err);
int profile_rename(struct server *s, struct change *c, const struct object *o, const char *new_name,
                   struct error *err);
int profile_delete(struct server *s, struct change *c, const struct object *o, struct error *err);

extern const struct route profile_routes[];
