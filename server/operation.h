/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Operations: the face of slow work in the API. LXD's three classes: task, websocket (an exec, a console: waits for
 * its clients), token. Every change is an event of type "operation". A finished one is kept for five seconds (a
 * recorded exec for five minutes) so that whoever asks late still learns how it ended.
 */
#pragma once

#include "base/json.h"
#include "server/request.h"

enum operation_class { OPERATION_TASK, OPERATION_WEBSOCKET, OPERATION_TOKEN };
/* LXD's status codes */
enum operation_status {
        STATUS_CREATED = 100,
        STATUS_RUNNING = 103,
        STATUS_CANCELLING = 104,
        STATUS_PENDING = 105,
        STATUS_SUCCESS = 200,
        STATUS_FAILURE = 400,
        STATUS_CANCELLED = 401,
};

struct operation;
typedef void (*operation_cancel_fn)(struct operation *op, void *data);

struct operation_spec {
        enum operation_class class;
        const char *description;     /* "Creating instance" */
        const char *project;
        const char *resource_kind;   /* "instances": resources {"instances":["/1.0/instances/c1"]}; NULL: none */
        const char *resource_old_kind; /* what LXD called it once, named beside it: "containers"; NULL: none */
        const char *resource_name;
        operation_cancel_fn cancel;  /* NULL: cannot be cancelled. Must lead to operation_fail(ERR_CANCELLED) soon */
        void *data;
        const char *id;              /* of an operation an earlier daemon began; NULL: a new one */
};

/* Made by a request (whose identity may use its websockets). req may be NULL: the daemon's own work. */
struct operation *operation_new(struct server *s, struct request *req, const struct operation_spec *spec);
void operation_add_resource(struct operation *op, const char *kind, const char *url);
/* 202 with Location and the operation as metadata; the operation is RUNNING from here. */
void reply_operation(struct request *req, struct operation *op);

/* Who asked for it; NULL: the daemon itself. */
const struct identity *operation_who(const struct operation *op);
const char *operation_id(const struct operation *op);
bool operation_is_done(const struct operation *op);
/* Merges members into the metadata (taken) and tells listeners (at most 10 a second for progress). */
void operation_set_metadata(struct operation *op, struct json_object *take_members);
/* "progress": {"stage","percent","speed"} and LXD's text form <stage>_progress: "rootfs: 42% (10MB/s)". */
void operation_progress(struct operation *op, const char *stage, int percent, const char *text);
void operation_succeed(struct operation *op, struct json_object *take_metadata_members);
void operation_fail(struct operation *op, const struct error *err);
void operation_keep_ms(struct operation *op, uint64_t ms); /* how long it is kept after its end */
struct operation *operation_find(struct server *s, const char *id);
void *operation_data(struct operation *op);
/* Runs fn once the operation has ended (the daemon's own sequences). */
void operation_on_done(struct operation *op, void (*fn)(struct operation *op, const struct error *err, void *data), void *data);

/* Websocket secrets: {"0": "<secret>", "control": …} in metadata.fds of the creator's answer only. connect(ws ready) is
 * called when a client presents the secret; single use. */
typedef const struct ws_handler *(*operation_connect_fn)(struct operation *op, const char *name, void *data, void **ret_ws_data);
typedef void (*operation_connected_fn)(struct operation *op, const char *name, struct ws *ws, void *data);
void operation_add_websocket(struct operation *op, const char *name, const struct ws_handler *h, void *ws_data,
                             operation_connected_fn connected);

extern const struct route operation_routes[];
