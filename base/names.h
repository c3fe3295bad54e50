/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Names, checked at the door: one function per kind of object (design: security rule 5). Everything past these
 * is free of '/', "..", control characters and a leading '-', so a name can be a file name, a cgroup, an argv word.
 * Each returns 0, or -EINVAL with a sentence that shows the name (escaped) and says which rule it breaks.
 */
#pragma once

#include "base/error.h"

int name_check_instance(const char *name, struct error *err); /* RFC 1123 label: a-z A-Z 0-9 '-', at most 63 */
int name_check_object(const char *kind, const char *name, struct error *err); /* profile, pool, project, device: 1-63 */
int name_check_network(const char *name, struct error *err);  /* a kernel interface name: at most 15 */
int name_check_alias(const char *name, struct error *err);    /* image alias: may hold '/' inside, at most 255 */
int name_check_fingerprint(const char *text, struct error *err); /* 1 to 64 lower-case hex digits */
int name_check_uuid(const char *text, struct error *err);
int name_check_path(const char *path, struct error *err);     /* a guest path: absolute, < 4096 bytes */

/* A copy safe to print: control bytes as \xNN, cut after 100 bytes with "…". The caller frees. */
char *name_printable(const char *text);
