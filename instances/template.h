/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Image templates: the files an image wants written at create or start, in the small part of the pongo2 language that
 * images use: {{ container.name }}, {{ config_get("user.x", "default") }}, {{ properties.default }}, {% if a == "b" %}, {% else %},
 * {% endif %}. Anything else is an error that names it. Pure: text in, text out.
 */
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "base/strmap.h"

#define TEMPLATE_OUTPUT_MAX KiB(256)

struct template_values {
        const char *name, *architecture, *path, *trigger;
        bool is_privileged, is_ephemeral;
        const struct strmap *config;
        struct json_object *properties; /* the template's own, strings; may be NULL */
};

int template_render(const char *text, const struct template_values *v, struct strbuf *out, struct error *err);
