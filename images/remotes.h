/* SPDX-License-Identifier: Apache-2.0 */
/* Where images come from beside uploads: one row per built-in remote. Knows words, starts nothing. */
#pragma once

#include "base/error.h"

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
/* "12", "bookworm", "debian/12", "debian/bookworm", "debian", "". */
int remote_release(const struct remote *r, const char *alias, const struct remote_release **ret,
                   struct error *err);
