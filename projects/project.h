/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Projects: which name space an object is in. Every family asks here before it uses the ?project= of a request; this
 * knows no family. There is one project, made at the first start; more come later.
 */
#pragma once

#include "api/project.h"
#include "config/key.h"
#include "server/request.h"

enum project_feature { PROJECT_IMAGES, PROJECT_NETWORKS, PROJECT_PROFILES, PROJECT_VOLUMES, PROJECT_INSTANCES };

extern const struct object_kind project_kind;
extern const struct config_key *const project_tables[];

/* The rules of a project as an object. Bodies are taken in every case. */
int project_create(struct server *s, struct change *c, const char *in, void *take_body, struct error *err);
int project_update(struct server *s, struct change *c, const struct object *o, void *take_next, struct error *err);
int project_rename(struct server *s, struct change *c, const struct object *o, const char *name, struct error *err);
int project_delete(struct server *s, struct change *c, const struct object *o, struct error *err);

/* Where the project's objects of that sort live: itself, or "default" when it shares those. Borrowed. */
const char *project_effective(struct server *s, const char *project, enum project_feature feature);
/* The same for a request, after checking that the project exists (ERR_NOT_FOUND). */
int project_of_request(struct request *req, enum project_feature feature, const char **ret_project,
                       struct error *err);
