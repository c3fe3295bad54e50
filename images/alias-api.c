/* SPDX-License-Identifier: Apache-2.0 */
/* The routes of image aliases. */
#include "images/image-ops.h"
#include "base/alloc.h"
#include "projects/plain-family.h"

/* An alias may hold '/': what a client did not encode comes as further segments. */
static char *name_of(const struct request *req)
{
        struct strbuf b = STRBUF_INIT;
        for (size_t i = 0; i < ROUTE_PARAMS_MAX && req->params[i]; i++)
                strbuf_addf(&b, "%s%s", i ? "/" : "", req->params[i]);
        return strbuf_take(&b);
}

static struct json_object *context(const void *body)
{
        const struct image_alias *a = body;
        struct json_object *c = json_object_new_object();
        json_set_string(c, "target", a->target);
        return c;
}

static const struct plain_family aliases = {
        .kind = &image_alias_kind,
        .feature = PROJECT_IMAGES,
        .name_offset = offsetof(struct image_alias, name),
        .url = image_alias_url,
        .name_of = name_of,
        .created = "image-alias-created",
        .updated = "image-alias-updated",
        .renamed = "image-alias-renamed",
        .deleted = "image-alias-deleted",
        .context = context,
        .create = alias_create,
        .update = alias_update,
        .rename = alias_rename,
        .remove = alias_delete,
};

const struct route image_alias_routes[] = {
        PLAIN_LIST_ROUTES("/1.0/images/aliases", &aliases, "image alias"),
        PLAIN_ONE_ROUTES("/1.0/images/aliases/{name}", &aliases, "image alias"),
        PLAIN_ONE_ROUTES("/1.0/images/aliases/{name}/{part}", &aliases, "image alias"),
        PLAIN_ONE_ROUTES("/1.0/images/aliases/{name}/{part}/{part}", &aliases, "image alias"),
        PLAIN_ONE_ROUTES("/1.0/images/aliases/{name}/{part}/{part}/{part}", &aliases, "image alias"),
        { 0 },
};
