/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

#include "instances/instance.h"

void instances_post(struct request *req);
/* Profiles, configuration and effective devices of a body. *ret_pool: of its root disk, valid until the next call. */
int instance_body_check(struct server *s, const char *project, struct instance_body *b, const char **ret_pool,
                        struct error *err);
/* Moves the volatile.* keys of a body to where they belong. VOLATILE_POWER is dropped. */
void instance_split_volatile(struct instance_body *b, struct strmap *volatile_config);
/* Whether the instance could live with another form of one of its profiles; one that runs keeps its devices. */
struct profile;
int instance_check_profile_change(struct instance *i, const char *profile, const struct profile *next, struct error *err);
