/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where images come from beside uploads: one row per built-in remote, and what of it somebody asks for. Knows words,
 * starts nothing.
 */
#pragma once

#include "api/field.h"
#include "base/error.h"
#include "base/json.h"

struct remote_release {
        const char *number;   /* "12" */
        const char *codename; /* "bookworm" */
};

struct remote {
        const char *name;     /* "debian": the "server" of a source */
        const char *protocol; /* "lightvisor-build": made here from the distribution's packages */
        const char *title;    /* "Debian" */
        const struct remote_release *releases; /* the first is what the remote's name alone means */
};

/* The remote of a source; NULL and success when it names none (a local image). ERR_UNSUPPORTED for those of
 * others. */
int remote_find(const char *server, const char *protocol, const struct remote **ret, struct error *err);

/* One image of a remote: two of the same recipe are the same image, but for what the archive has updated since. */
struct recipe {
        const struct remote *remote; /* NULL: a local image */
        const struct remote_release *release;
        struct strlist packages; /* beside the usual ones; sorted, each once */
};
/*
 * Reads the members "server", "protocol", "alias" ("12", "bookworm", "debian/12", "") and "packages" of a
 * source. ret->remote stays NULL for one that names no remote.
 */
int recipe_from_source(struct json_object *source, struct recipe *ret, struct error *err);
/* The form an image keeps as its update_source, which recipe_from_source() reads again. */
struct json_object *recipe_to_source(const struct recipe *r);
void recipe_copy(struct recipe *to, const struct recipe *from);
bool recipe_equal(const struct recipe *a, const struct recipe *b);
void recipe_done(struct recipe *r);
#define _cleanup_recipe_ _cleanup_(recipe_done)
