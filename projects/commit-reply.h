/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of most changing requests: commit, then answer and tell the event. Knows no family.
 *
 * A change is built on what memory holds now; somebody else's commit may be in flight on the same object. Then the
 * store refuses ours, and the handler simply runs again on what is there by then: it reads, checks If-Match (which
 * now says 412) and merges anew. Two writers without If-Match so both succeed, one after the other.
 */
#pragma once

#include "server/event.h"
#include "server/request.h"

struct commit_reply {
        const char *action;               /* "profile-created" */
        const char *project;              /* of the event; "" outside projects */
        const struct object_kind *kind;   /* of what is changed, and its name afterwards: their ETag is answered */
        char *take_name;
        char *take_source;                /* "/1.0/profiles/web"; also the Location */
        bool is_created;                  /* answers 201 */
        struct json_object *take_context; /* of the event */
        route_fn retry;                   /* the handler; NULL: a conflict is an error */
};

void commit_and_reply(struct request *req, struct change *take_c, const struct commit_reply *reply);
