/* SPDX-License-Identifier: Apache-2.0 */
/* Shared by the files of server/ only. */
#pragma once

#include "server/server.h"

struct router *router_new(void);
void router_free(struct router *r);
struct object_store *object_store_new(void);
void object_store_free(struct object_store *o);
struct operations *operations_new(void);
void operations_free(struct operations *o);
struct events *events_new(void);
void events_free(struct events *e);
struct jobs *jobs_new(void);
void jobs_free(struct jobs *j);
