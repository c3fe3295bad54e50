/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One request and its answer. A handler answers exactly once, at once or later (after a commit, a job, a wait); until
 * it has, the request stays alive even if its client is gone (answers then go nowhere).
 *
 * The envelopes are LXD 5.0's: {"type":"sync","status":"Success","status_code":200,"operation":"","error_code":0,
 * "error":"","metadata":…}.
 */
#pragma once

#include "api/uri.h"
#include "base/json.h"
#include "server/object.h"
#include "server/route.h"

struct identity {
        const char *protocol; /* "unix" */
        uint32_t uid;
        bool is_trusted;
        bool is_admin; /* server administrator: whoever may open the unix socket */
        char text[32]; /* for events: "root" or "uid 1000" */
};

struct ws;
struct ws_handler;
struct request_sink;

struct request {
        struct server *server;
        uint64_t id;
        enum http_method method;
        char *target; /* as sent, owned: for messages */
        struct uri uri;
        const struct route *route;
        const char *params[ROUTE_PARAMS_MAX]; /* decoded, inside uri */
        struct json_object *body;       /* ROUTE_BODY; NULL when the client sent none or null */
        bool has_json_body;             /* ROUTE_BODY_LATER: body was JSON */
        const char *project;            /* effective; "default" outside projects */
        bool is_all_projects;
        int recursion;                  /* 0, 1, 2 */
        struct identity who;
        uint64_t started_ms;
        bool is_answered, is_gone;
        void *handler_data;             /* the handler's own, freed by it */
        void (*on_gone)(struct request *req);
        /* below: set by whoever feeds requests */
        const struct request_sink *sink;
        void *sink_data;
        struct strmap query; /* decoded; first of each name */
        struct strmap headers; /* lower-case names */
        int status; /* of the answer */
        struct strbuf answer_headers; /* "ETag: …\r\n" lines for the answer */
};

/* How answers leave: implemented by lightd/connection.c and by the API tests. */
struct request_sink {
        /* A header of the request by lower-case name, NULL when absent. */
        const char *(*header)(struct request *req, const char *name);
        /* The whole answer. */
        void (*answer)(struct request *req, int status, const char *content_type, const void *body, size_t n);
        /* The head now, the body from fd (taken) until its end; length < 0: unknown (chunked). */
        void (*answer_stream)(struct request *req, int status, const char *content_type, int64_t length, int take_fd);
        /* The body goes to fd (taken); done(r) when it is complete and fd closed (0), or broken (-errno). */
        void (*read_body)(struct request *req, int take_fd, void (*done)(void *data, int r), void *data);
        /* 101 and a websocket; NULL (and nothing sent) if the client did not ask for one. */
        struct ws *(*upgrade)(struct request *req, const struct ws_handler *h, void *data);
};

/* Runs a request through router, permission, project and handler. The feeder has filled the lower part. Takes req. */
void request_dispatch(struct request *take_req);
/* Sets route and params from method and uri: the feeder calls it early, since the row says what becomes of the body. */
int request_find_route(struct request *req, struct error *err);
struct request *request_new(struct server *s);
void request_free(struct request *req);
/* The client has gone; long waits end (request_on_gone). */
void request_set_gone(struct request *req);
void request_on_gone(struct request *req, void (*fn)(struct request *req)); /* at most one */

const char *request_query(struct request *req, const char *name);  /* NULL when absent */
const char *request_header(struct request *req, const char *name); /* lower-case name; NULL when absent */
/* If-Match against the object's revision; -ESTALE with err set when it does not fit. */
int request_check_etag(struct request *req, const struct object *o, struct error *err);
/* Body of the type of `type` (POST/PUT: TYPE_REPLACE, PATCH: TYPE_PATCH) into out. */
int request_decode(struct request *req, const struct type *type, enum type_mode mode, void *out, struct error *err);
void request_read_body_into(struct request *req, int take_fd, void (*done)(void *data, int r), void *data);

/* 101 and a websocket; the request is answered. NULL: it was no websocket request and has been told so. */
struct ws *request_upgrade(struct request *req, const struct ws_handler *h, void *data);

void reply_error(struct request *req, const struct error *err);
void reply_errorf(struct request *req, enum error_code code, const char *fmt, ...) _printf_(3, 4);
void reply_empty(struct request *req);                              /* sync, metadata {} */
void reply_created(struct request *req, const char *location_fmt, ...) _printf_(2, 3); /* 201 with Location */
void reply_json(struct request *req, struct json_object *take_metadata);
void reply_text(struct request *req, const char *metadata_json, size_t n); /* ready JSON */
void reply_object(struct request *req, struct object *o);           /* object_rest() with ETag */
/* A whole envelope with its own status. */
void reply_status(struct request *req, int status, const char *json, size_t n);
void reply_raw(struct request *req, const char *content_type, const void *data, size_t n);
void reply_file(struct request *req, const char *content_type, int64_t length, int take_fd);
void reply_header(struct request *req, const char *name, const char *value); /* before the reply_… call */
/* The ETag of what the request has just made or changed, so that its author may undo it and nothing else. o may be NULL. */
void reply_etag(struct request *req, const struct object *o);

/* "Content-Disposition: inline;filename=…", before reply_raw() or reply_file(); the name may be a guest's. */
void reply_filename(struct request *req, const char *filename);

/* A list: recursion 0 gives URLs, more gives bodies; filter= is applied to bodies. */
struct reply_list {
        struct request *req;
        struct strbuf out;
        struct json_writer w;
        struct filter *filter;
        bool failed;
};
int reply_list_begin(struct reply_list *l, struct request *req); /* < 0: it has answered with the filter's error */
bool reply_list_wants_bodies(const struct reply_list *l);
void reply_list_add(struct reply_list *l, const char *url, const char *json, size_t n);
void reply_list_end(struct reply_list *l); /* answers */
/* The whole of a plain family: GET list of a kind; url_fmt has one %s for the escaped name. */
void reply_object_list(struct request *req, const struct object_kind *kind, const char *project, const char *url_prefix);

/* Appends "?project=NAME" when it is not the default project: URLs in lists and Location. */
char *url_in_project(const char *url, const char *project);
