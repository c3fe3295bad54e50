/* SPDX-License-Identifier: Apache-2.0 */
/* An instance as the source of another one (source type "copy"): within its project, its pool, while it is stopped. */
#pragma once

#include "instances/instance.h"

/* The instance that "source" names, if it can be copied now. */
int copy_find_source(struct server *s, const char *project, struct json_object *source, struct instance **ret,
                     struct error *err);
/* What the request leaves out comes from the source; its volatile.* keys do not, for the copy is another machine. */
void copy_inherit(struct instance *from, struct instance_body *b, struct strmap *volatile_config);
