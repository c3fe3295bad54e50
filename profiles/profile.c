/* SPDX-License-Identifier: Apache-2.0 */
#include "profiles/profile.h"
#include "base/names.h"
#include "config/keys.h"

const struct object_kind profile_kind = { .name = "profile", .title = "Profile", .type = &profile_type, .schema = 1 };

int profile_check_name(const char *name, struct error *err)
{
        return name_check_object("profile", name, err);
}

static int check_device_shape(const struct device *d, struct error *err)
{
        int r = name_check_object("device", d->name, err);
        if (r >= 0 && str_empty(strmap_get(&d->keys, "type")))
                r = error_set(err, ERR_BAD_REQUEST, "Device \"%s\" has no type", d->name);
        return r;
}

int profile_check(const struct profile *p, struct error *err)
{
        int r = profile_check_name(p->name, err);
        if (r >= 0)
                r = config_validate(config_tables_instance, &p->config, ON_PROFILE, err);
        for (size_t i = 0; r >= 0 && i < p->devices.n; i++)
                r = check_device_shape(&p->devices.items[i], err);
        return r;
}
