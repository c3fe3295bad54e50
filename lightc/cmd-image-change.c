/* SPDX-License-Identifier: Apache-2.0 */
/* What of an image can be changed: as a text, or one property at a time. */
#include "base/alloc.h"
#include "lightc/image.h"
#include "lightc/operation.h"
#include "lightc/output.h"
#include "lightc/target.h"

static const char edit_comment[] =
        "# Lines that begin with # are ignored.\n"
        "# properties: words about the image; instances made of it show them as image.*.\n"
        "# public: whether clients that are not trusted may fetch it.\n"
        "# expires_at: until when it is meant to be used; 0001-01-01T00:00:00Z says nothing.\n"
        "# profiles: those that its instances get.\n";

static int load(struct client *c, const char *word, struct object *ret, struct error *err)
{
        _cleanup_free_ char *fingerprint = NULL;
        int r = image_resolve(c, word, &fingerprint, err);
        return r < 0 ? r : object_load(c, "image", client_url(c, NULL, "images", fingerprint, NULL), ret, err);
}

static int run_edit(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_object_ struct object o = { 0 };
        int r = load(c, a->words[0], &o, err);
        if (r < 0)
                return r;
        return object_edit(c, &o, edit_comment, "Changing the image", err);
}

static int no_property(const char *word, const char *key, struct error *err)
{
        int r = error_set(err, ERR_NOT_FOUND, "Property not found: image \"%s\" has no \"%s\"", word, key);
        error_hint(err, "\"lightc image show %s\" shows the properties it has", word);
        return r;
}

static int run_get(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_json_ struct json_object *image = NULL;
        int r = image_fetch(c, a->words[0], &image, err);
        if (r < 0)
                return r;
        const char *value = json_get_string(json_get_object(image, "properties"), a->words[1], NULL);
        if (!value)
                return no_property(a->words[0], a->words[1], err);
        output_line("%s", value);
        return 0;
}

static int run_set(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_object_ struct object o = { 0 };
        int r = load(c, a->words[0], &o, err);
        if (r < 0)
                return r;
        r = target_set_words(object_map(o.body, "properties"), a, 1, err);
        return r ? r : object_save(c, &o, "Changing the image", err);
}

static int run_unset(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_object_ struct object o = { 0 };
        int r = load(c, a->words[0], &o, err);
        if (r < 0)
                return r;
        struct json_object *properties = object_map(o.body, "properties");
        if (!json_has(properties, a->words[1]))
                return no_property(a->words[0], a->words[1], err);
        json_object_object_del(properties, a->words[1]);
        return object_save(c, &o, "Changing the image", err);
}

#define IMAGE { "[<remote>:]<image>" }

const struct command cmd_image_edit = {
        .path = "image edit",
        .summary = "Change an image's properties and profiles in an editor or from standard input",
        .args = (const struct arg[]){ IMAGE, { 0 } },
        .run = run_edit,
        .example = "lightc image edit mine\nlightc image edit mine < mine.yaml",
};

const struct command cmd_image_get_property = {
        .path = "image get-property",
        .summary = "Show one property of an image",
        .args = (const struct arg[]){ IMAGE, { "<key>" }, { 0 } },
        .run = run_get,
        .example = "lightc image get-property mine os",
};

const struct command cmd_image_set_property = {
        .path = "image set-property",
        .summary = "Set properties of an image",
        .args = (const struct arg[]){ IMAGE, { "<key>=<value>", .is_repeated = true }, { 0 } },
        .run = run_set,
        .example = "lightc image set-property mine os=Debian\nlightc image set-property mine description \"The one for the web\"",
};

const struct command cmd_image_unset_property = {
        .path = "image unset-property",
        .summary = "Take a property of an image away",
        .args = (const struct arg[]){ IMAGE, { "<key>" }, { 0 } },
        .run = run_unset,
        .example = "lightc image unset-property mine description",
};
