/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A daemon in a test: the loop, the objects over the memory store (each commit takes 50 ms, so nobody reads his own
 * write too early), the router, the families asked for; no socket, no process, no file.
 *
 *      struct test_daemon *d = test_daemon_new((family_fn *[]){ projects_register, profiles_register, NULL });
 *      ASSERT_EQ(api_put(d, "/1.0/profiles/web", "{…}"), 200);
 *      ASSERT_STR(api_string(d, "metadata/config/user.x"), "y");
 *
 * Jobs are answered here, in the next turn of the loop: {} unless test_job_answers() said otherwise.
 */
#pragma once

#include "server/job.h"
#include "server/request.h"
#include "server/websocket.h"
#include "tests/lib/test.h"

typedef void family_fn(struct server *s);

struct job_rule {
        char *name;
        char *json; /* the result, or NULL: fails */
        enum error_code code;
};

#define JOB_RULES_MAX 16

struct test_daemon {
        uv_loop_t loop;
        struct server *server;
        /* of the last answer */
        int status;
        char *etag, *location; /* NULL: not sent */
        struct json_object *answer;
        struct strbuf text, headers; /* its bytes; its own header lines */
        /* the jobs asked for, "pool-create volume-trash …", and the last one's arguments */
        struct strbuf jobs;
        struct json_object *job_args;
        struct job_rule rules[JOB_RULES_MAX];
        size_t n_rules;
        size_t n_waiting; /* jobs not answered yet */
};

struct test_daemon *test_daemon_new(family_fn *const *families);
/* Runs the loop until nothing is pending; fails the test when a request or a job never ended. */
void test_daemon_free(struct test_daemon *d);
/* Commits objects and waits: for first-start functions. */
void test_daemon_put(struct test_daemon *d, void (*fill)(struct server *s, struct change *c));
/* Runs the loop until *flag, at most ten seconds. */
void test_daemon_until(struct test_daemon *d, const bool *flag);

/* From now on jobs of this name end so. */
void test_job_answers(struct test_daemon *d, const char *name, const char *json);
void test_job_fails(struct test_daemon *d, const char *name, enum error_code code);

/* Sends one request as root and waits for its answer: the HTTP status. body and if_match may be NULL. */
int api_request(struct test_daemon *d, const char *method, const char *target, const char *body, const char *if_match);
static inline int api_get(struct test_daemon *d, const char *target)
{
        return api_request(d, "GET", target, NULL, NULL);
}
static inline int api_put(struct test_daemon *d, const char *target, const char *body)
{
        return api_request(d, "PUT", target, body, NULL);
}
static inline int api_patch(struct test_daemon *d, const char *target, const char *body)
{
        return api_request(d, "PATCH", target, body, NULL);
}
static inline int api_post(struct test_daemon *d, const char *target, const char *body)
{
        return api_request(d, "POST", target, body, NULL);
}
static inline int api_delete(struct test_daemon *d, const char *target)
{
        return api_request(d, "DELETE", target, NULL, NULL);
}
/*
 * POST with a body that is a stream (an upload). headers: "name", "value" pairs in lower case, ended by NULL. The bytes
 * go nowhere; body_result is what the connection says about them at their end (0, or -ECONNRESET: broken off).
 */
int api_upload(struct test_daemon *d, const char *target, const char *const *headers, int body_result);
/* The same with bytes that arrive, and whole: at most what a pipe holds (64 KiB). */
int api_upload_text(struct test_daemon *d, const char *target, const char *text);
/* Sends and does not wait; *ret_status becomes the status. The answer's text is dropped. */
void api_send(struct test_daemon *d, const char *method, const char *target, const char *body, int *ret_status);

/* A look into the answer: "metadata/devices/root/path", "metadata/0". Not there: NULL. A string's text, else JSON. */
const char *api_string(struct test_daemon *d, const char *path);

/* A client's end of a websocket. */
struct test_ws {
        struct ws ws; /* first: the daemon's end */
        struct strbuf frames; /* what came: "b:" or "t:", the payload, '\n' for each frame */
        size_t queued;        /* what ws_queued() says: set it to be a slow client */
        bool is_paused, is_closed;
};
/* Opens the websocket at target; the test fails when it is refused. Free it after the daemon. */
struct test_ws *api_websocket(struct test_daemon *d, const char *target);
void test_ws_send(struct test_ws *w, enum ws_opcode opcode, const char *text);
void test_ws_drain(struct test_ws *w); /* a slow client has read everything */
void test_ws_close(struct test_ws *w); /* the client leaves */
void test_ws_free(struct test_ws *w);
