/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "lightc/output.h"
#include "lightc/target.h"

#define COMMENT                                                                                              \
        "# What the image's metadata.yaml says of this instance. Lines that begin with # are ignored.\n"      \
        "# A template is named by the path it writes:\n"                                                      \
        "#   templates:\n"                                                                                    \
        "#     /etc/hostname:\n"                                                                               \
        "#       when: [create, copy]      # also: rename, start\n"                                            \
        "#       create_only: false        # true: a file that is there stays\n"                               \
        "#       template: hostname.tpl    # its text: lightc config template edit\n"                          \
        "#       properties: {}            # {{ properties.x }} in it\n"

static int load(struct client *c, const struct args *a, struct object *ret, struct error *err)
{
        _cleanup_free_ char *name = NULL;
        int r = target_instance_name(a->words[0], &name, err);
        return r < 0 ? r : object_load(c, "metadata", client_url(c, NULL, "instances", name, "metadata", NULL), ret, err);
}

static int run_edit(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_object_ struct object o = { 0 };
        int r = load(c, a, &o, err);
        return r < 0 ? r : object_edit(c, &o, COMMENT, "Configuring", err);
}

static int run_show(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_object_ struct object o = { 0 };
        int r = load(c, a, &o, err);
        return r < 0 ? r : output_yaml(o.body, err);
}

const struct command cmd_config_metadata_edit = {
        .path = "config metadata edit",
        .summary = "Change an instance's metadata in an editor, or from standard input",
        .args = (const struct arg[]){ { "[<remote>:]<instance>" }, { 0 } },
        .run = run_edit,
        .example = "lightc config metadata edit c1\nlightc config metadata edit c1 < metadata.yaml",
};

const struct command cmd_config_metadata_show = {
        .path = "config metadata show",
        .summary = "Show an instance's metadata",
        .args = (const struct arg[]){ { "[<remote>:]<instance>" }, { 0 } },
        .run = run_show,
        .example = "lightc config metadata show c1",
};
