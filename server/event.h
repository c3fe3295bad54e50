/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Events: /1.0/events. Types "operation", "lifecycle", "logging". A listener that does not read is cut off when a
 * megabyte waits for it: one slow reader costs the others nothing.
 */
#pragma once

#include "server/request.h"

/* {"action":"instance-created","source":"/1.0/instances/c1","context":…,"requestor":…}. req NULL: the daemon itself. */
void event_lifecycle(struct server *s, const struct request *req, const char *action, const char *project,
                     const char *source, struct json_object *take_context);
/* The same for work that goes on after its request is answered; who NULL: the daemon itself. */
void event_lifecycle_by(struct server *s, const struct identity *who, const char *action, const char *project,
                        const char *source, struct json_object *take_context);
/* A ready JSON value as metadata; used by operations. */
void event_send(struct server *s, const char *type, const char *project, const char *metadata_json, size_t n);

extern const struct route event_routes[];
