/* SPDX-License-Identifier: Apache-2.0 */
/* The routes of profiles. */
#include "profiles/profile.h"
#include "base/alloc.h"
#include "projects/plain-family.h"

static char *profile_url(const char *name)
{
        return xasprintf("/1.0/profiles/%s", name);
}

static const struct plain_family profiles = {
        .kind = &profile_kind,
        .feature = PROJECT_PROFILES,
        .name_offset = offsetof(struct profile, name),
        .has_users = true,
        .url = profile_url,
        .created = "profile-created",
        .updated = "profile-updated",
        .renamed = "profile-renamed",
        .deleted = "profile-deleted",
        .create = profile_create,
        .update = profile_update,
        .rename = profile_rename,
        .remove = profile_delete,
};

const struct route profile_routes[] = {
        PLAIN_LIST_ROUTES("/1.0/profiles", &profiles, "profile"),
        PLAIN_ONE_ROUTES("/1.0/profiles/{name}", &profiles, "profile"),
        { 0 },
};
