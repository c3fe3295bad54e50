/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Projects: which name space an object is in. Every family asks here before it uses the ?project= of a request; this
 * knows no family. There is one project, made at the first start; more come later.
 */
#pragma once

#include "api/project.h"
#include "server/request.h"

enum project_feature { PROJECT_IMAGES, PROJECT_NETWORKS, PROJECT_PROFILES, PROJECT_VOLUMES, PROJECT_INSTANCES };

extern const struct object_kind project_kind;

/* Where the project's objects of that sort live: itself, or "default" when it shares those. Borrowed. */
const char *project_effective(struct server *s, const char *project, enum project_feature feature);
/* The same for a request, after checking that the project exists (ERR_NOT_FOUND). */
int project_of_request(struct request *req, enum project_feature feature, const char **ret_project,
                       struct error *err);
