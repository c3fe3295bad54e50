/* SPDX-License-Identifier: Apache-2.0 */
/* What the process calls of projects/. */
#pragma once

#include "projects/project.h"

void projects_register(struct server *s);
/* Puts the default project into the change of the first start. */
void projects_first_start(struct server *s, struct change *c);
