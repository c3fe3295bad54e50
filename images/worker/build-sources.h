/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where packages come from: the host's own Debian archive entries (both of apt's forms), turned into one-line
 * entries for another release. Pure, so that hostile or odd files are a unit test. Knows no network.
 */
#pragma once

#include "base/error.h"
#include "base/strbuf.h"

struct build_release {
        const char *codename;
        const char *version;
        bool has_resolved_package; /* systemd-resolved is a package of its own */
};
/* By codename or number; NULL: not one we build. */
const struct build_release *build_release_find(const char *name);

/* The contents of one file of /etc/apt: appends "deb [signed-by=…] URI suite main" lines for what is Debian's
 * archive. */
void build_sources_from_deb822(const char *text, const struct build_release *release, struct strbuf *out);
void build_sources_from_list(const char *text, const struct build_release *release, struct strbuf *out);

/* [a-z0-9][a-z0-9+.-]+ : never an option, never a path. */
int build_package_check(const char *name, struct error *err);
