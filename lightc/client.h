/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon as a command sees it: one connection, opened by the first request and kept, requests whose answers are
 * JSON trees, byte streams to and from files. Blocking. Knows HTTP and the API's envelope; no command, no terminal.
 *
 * Every failure sets err to a sentence a person can act on: the server's own, or why it cannot be reached.
 */
#pragma once

#include "api/http.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/json.h"

#define CLIENT_ANSWER_MAX MiB(256) /* of JSON: some twenty thousand instances */
#define CLIENT_IO_SIZE MiB(1)

/* Called when an answer has not come for interval_ms, and when a signal interrupts. < 0 gives the request up. */
struct client_tick {
        int (*fn)(void *data);
        void *data;
        int interval_ms; /* -1: only for signals */
};

struct client {
        char *socket_path;
        const char *project; /* NULL: the default one */
        bool is_quiet, is_verbose, is_debug;
        int fd;
        struct http_parser parser;
        char *input;              /* CLIENT_IO_SIZE, allocated at the first byte */
        const char *pos;          /* what is read and not parsed yet */
        size_t n_pos;
        const struct client_tick *tick;
        char *etag;                 /* of the latest answer, or NULL */
        struct json_object *server; /* GET /1.0, once asked */
};

struct request {
        const char *method, *url;
        const char *const *headers; /* name, value, …, NULL */
        struct json_object *json;   /* the body, or */
        const void *data;           /* these bytes, or */
        size_t n_data;
        int fd;                     /* with is_upload: this file */
        bool is_upload;
        int64_t length;             /* bytes to send from fd; -1: until its end, in chunks */
        void (*sent)(void *data, uint64_t total); /* progress of an upload */
        void *sent_data;
};

void client_init(struct client *c);
void client_done(struct client *c);

/*
 * "/1.0/<segment>/<segment>…?<query>" with the segments encoded and the project added. Ends with a NULL segment;
 * query may be NULL. The caller frees.
 */
char *client_url(const struct client *c, const char *query, ...) __attribute__((sentinel));
/* Adds "&key=value" or "?key=value", encoded. */
void client_url_add(char **url, const char *key, const char *value);
/* An operation's "/1.0/operations/<id>" and the like, as the server gave it. */
char *client_url_of(const struct client *c, const char *path, const char *query);

/* Sends and reads the head of the answer. The HTTP status (>= 200), or -errno with err. */
int client_begin(struct client *c, const struct request *req, struct error *err);
/* The body of that answer: to a function, or whole. */
int client_read_body(struct client *c, int (*sink)(void *data, const char *bytes, size_t n), void *data,
                     struct error *err);
int client_read_text(struct client *c, struct strbuf *out, struct error *err);
/* A header of the answer begun; lives until its body is read. */
const char *client_header(const struct client *c, const char *name);
/* Reads the body of an answer that is an error envelope (status >= 400) into err. Negative errno. */
int client_read_error(struct client *c, int status, struct error *err);

/* The whole envelope; an error answer is an error here. *ret may be NULL when the caller does not care. */
int client_call(struct client *c, const struct request *req, struct json_object **ret, struct error *err);
/* GET, and only "metadata". */
int client_get(struct client *c, const char *url, struct json_object **ret, struct error *err);
/* The same with a body, for the methods that answer at once (sync). */
int client_put(struct client *c, const char *method, const char *url, struct json_object *body, const char *etag,
               struct error *err);

/* GET /1.0, once per command. */
int client_server(struct client *c, struct json_object **ret, struct error *err);
bool client_has_extension(struct client *c, const char *name); /* false when it cannot be asked */

int client_connect(const struct client *c, struct error *err); /* a connection of its own: fd or -errno */
void client_disconnect(struct client *c);
