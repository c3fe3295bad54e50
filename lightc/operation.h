/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Slow work of the daemon, waited for: progress on a terminal, Ctrl-C cancels, a second Ctrl-C leaves it running.
 * Knows operations, not what they do.
 */
#pragma once

#include "lightc/client.h"

/*
 * Sends a request that answers with an operation, and waits for its end. `stage` says what is going on until the
 * daemon says it better ("Creating c1"). *ret_operation (may be NULL) is the finished operation. An answer that was
 * synchronous gives success and NULL.
 */
int operation_run(struct client *c, const struct request *req, const char *stage, struct json_object **ret_operation,
                  struct error *err);
/* The same for an operation that was begun already. Takes nothing. */
int operation_wait(struct client *c, struct json_object *operation, const char *stage,
                   struct json_object **ret_operation, struct error *err);
/* Method and body, for the many simple ones. */
int operation_do(struct client *c, const char *method, const char *url, struct json_object *body, const char *stage,
                 struct error *err);
