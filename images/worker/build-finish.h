/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From a bootstrapped Debian tree to an image: what a container's first boot needs, what it must not inherit
 * from the host that built it, and the two files an image is. Runs inside the build sandbox.
 */
#pragma once

#include "images/worker/build-sources.h"
#include "images/worker/spool.h"

/* root: the tree's path. */
int build_customise(const char *root, const char *sources, struct error *err);
/* Writes <dir>/meta, a tar archive of metadata.yaml and templates/. */
int build_write_metadata(const char *dir, const struct build_release *release, const char *variant,
                         struct error *err);
/* Digest and sizes of <dir>/meta and <dir>/rootfs. */
int build_describe(const char *dir, struct json_object **ret_result, struct error *err);
