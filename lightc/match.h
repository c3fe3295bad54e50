/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The filters of `list` and `image list`: words that select among objects already fetched. Several must all hold.
 * Works on JSON trees alone.
 */
#pragma once

#include "base/json.h"

/* words ends with NULL (or is NULL). *ret is a new array. 0, STATUS_USAGE with err for a pattern that is none. */
int match_instances(struct json_object *items, const char *const *words, struct json_object **ret, struct error *err);
int match_images(struct json_object *items, const char *const *words, struct json_object **ret, struct error *err);
bool match_needs_state(const char *const *words); /* does a filter look at addresses? */

/* "u.own" matches "user.owner": each part the beginning of its counterpart. */
bool match_abbreviated(const char *pattern, const char *key);
/* "10.0.0.0/8", "fd00::/64" or a plain address. */
bool match_address(const char *address, const char *network);
