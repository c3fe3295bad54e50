/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/daemon.h"
#include "base/alloc.h"
#include "base/fd.h"

#define COMMIT_MS 50
#define WAIT_MS 10000

/* One request on its way; sink_data of it. */
struct exchange {
        struct test_daemon *daemon;
        char *if_match;
        const char *const *headers; /* of an upload; NULL: a JSON request */
        const char *text;           /* of an upload: its bytes; NULL: none */
        int body_result;
        void (*body_done)(void *data, int r);
        void *body_data;
        bool is_over;
        struct test_ws *ws; /* of api_websocket() */
        int *ret_status; /* of api_send(): nobody waits, the exchange frees itself */
};

static const char *get_header(struct request *req, const char *name)
{
        struct exchange *x = req->sink_data;
        for (size_t i = 0; x->headers && x->headers[i]; i += 2)
                if (streq(x->headers[i], name))
                        return x->headers[i + 1];
        if (x->headers)
                return NULL;
        return streq(name, "if-match") ? x->if_match : streq(name, "content-type") ? "application/json" : NULL;
}

/* The value of one "Name: value\r\n" line, NULL when it is not there. */
static char *answer_header(const struct request *req, const char *name)
{
        _cleanup_free_ char *start = xasprintf("%s: ", name);
        const char *at = strstr(strbuf_str(&req->answer_headers), start);
        if (!at)
                return NULL;
        at += strlen(start);
        return xstrndup(at, strcspn(at, "\r"));
}

static void keep_answer(struct test_daemon *d, struct request *req, int status, const void *body, size_t n)
{
        free(d->etag);
        free(d->location);
        json_object_put(d->answer);
        d->answer = NULL;
        d->status = status;
        d->etag = answer_header(req, "ETag");
        d->location = answer_header(req, "Location");
        json_parse(body, n, &d->answer, NULL);
        strbuf_clear(&d->text);
        strbuf_add(&d->text, body, n);
        strbuf_clear(&d->headers);
        strbuf_add(&d->headers, strbuf_str(&req->answer_headers), req->answer_headers.len);
}

static void on_answer(struct request *req, int status, const char *type _unused_, const void *body, size_t n)
{
        struct exchange *x = req->sink_data;
        x->is_over = true;
        if (x->ret_status) {
                *x->ret_status = status;
                free(x->if_match);
                free(x);
        } else {
                keep_answer(x->daemon, req, status, body, n);
        }
}

static void on_stream(struct request *req, int status, const char *type, int64_t length _unused_, int take_fd)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        fd_read_to_end(take_fd, &b, MiB(64));
        fd_close(take_fd);
        on_answer(req, status, type, strbuf_str(&b), b.len);
}

/* ---- websockets ---- */

static void ws_send_frame(struct ws *ws, enum ws_opcode opcode, const void *payload, size_t n)
{
        struct test_ws *w = container_of(ws, struct test_ws, ws);
        strbuf_adds(&w->frames, opcode == WS_TEXT ? "t:" : "b:");
        strbuf_add(&w->frames, payload, n);
        strbuf_addc(&w->frames, '\n');
}

static size_t ws_queue(struct ws *ws)
{
        return container_of(ws, struct test_ws, ws)->queued;
}

static void ws_set_paused(struct ws *ws, bool is_paused)
{
        container_of(ws, struct test_ws, ws)->is_paused = is_paused;
}

static void ws_say_goodbye(struct ws *ws, uint16_t code _unused_, const char *reason _unused_)
{
        ws->is_closing = true;
        container_of(ws, struct test_ws, ws)->is_closed = true;
}

static const struct ws_carrier carrier = {
        .send = ws_send_frame, .queued = ws_queue, .pause = ws_set_paused, .close = ws_say_goodbye
};

static struct ws *upgrade(struct request *req, const struct ws_handler *h, void *data)
{
        struct exchange *x = req->sink_data;
        if (!x->ws)
                return NULL;
        x->is_over = true;
        x->ws->ws = (struct ws){ .carrier = &carrier, .handler = h, .data = data };
        return &x->ws->ws;
}

void test_ws_send(struct test_ws *w, enum ws_opcode opcode, const char *text)
{
        _cleanup_free_ char *copy = xstrdup(text); /* the daemon may change it in place */
        if (!w->ws.is_closing)
                w->ws.handler->data(&w->ws, w->ws.data, opcode, (uint8_t *)copy, strlen(copy), true);
}

void test_ws_drain(struct test_ws *w)
{
        w->queued = 0;
        w->ws.handler->drained(&w->ws, w->ws.data);
}

void test_ws_close(struct test_ws *w)
{
        w->ws.is_closing = true;
        w->ws.handler->closed(&w->ws, w->ws.data);
}

void test_ws_free(struct test_ws *w)
{
        strbuf_done(&w->frames);
        free(w);
}

static void end_body(void *data)
{
        struct exchange *x = data;
        x->body_done(x->body_data, x->body_result);
}

static void read_body(struct request *req, int take_fd, void (*done)(void *data, int r), void *data)
{
        struct exchange *x = req->sink_data;
        if (x->text)
                ASSERT_OK(fd_write_all(take_fd, x->text, strlen(x->text)));
        fd_close(take_fd);
        x->body_done = done;
        x->body_data = data;
        timer_start(x->daemon->server, 0, end_body, x);
}

static const struct request_sink sink = { .header = get_header,
                                          .answer = on_answer,
                                          .answer_stream = on_stream,
                                          .read_body = read_body,
                                          .upgrade = upgrade };

/* ---- jobs ---- */

static struct test_daemon *the_daemon; /* the fake runner is given a server only */

struct fake_job {
        struct test_daemon *daemon;
        job_done_fn done;
        void *data;
        struct json_object *result;
        struct error error;
};

static void end_job(void *data)
{
        struct fake_job *j = data;
        int r = j->error.code == ERR_NONE ? 0 : error_errno(j->error.code);
        j->daemon->n_waiting--;
        j->done(j->data, r, j->result, &j->error);
        json_object_put(j->result);
        error_done(&j->error);
        free(j);
}

static void run_fake(struct server *s, const struct job_spec *spec, job_done_fn done, void *data)
{
        struct test_daemon *d = the_daemon;
        struct fake_job *j = xnew(struct fake_job);
        j->daemon = d;
        j->done = done;
        j->data = data;
        j->result = json_object_new_object();
        strbuf_addf(&d->jobs, "%s ", spec->name);
        json_object_put(d->job_args);
        d->job_args = json_object_get(spec->take_args);
        for (size_t i = 0; i < d->n_rules; i++) {
                const struct job_rule *rule = &d->rules[i];
                if (!streq(rule->name, spec->name))
                        continue;
                json_object_put(j->result);
                j->result = NULL;
                error_done(&j->error);
                if (rule->json)
                        json_parse(rule->json, strlen(rule->json), &j->result, NULL);
                else
                        error_set(&j->error, rule->code, "%s failed", spec->name);
        }
        d->n_waiting++;
        timer_start(s, 0, end_job, j);
}

static void add_rule(struct test_daemon *d, const char *name, const char *json, enum error_code code)
{
        assert(d->n_rules < JOB_RULES_MAX);
        d->rules[d->n_rules++] = (struct job_rule){ .name = xstrdup(name), .json = xstrdup(json), .code = code };
}

void test_job_answers(struct test_daemon *d, const char *name, const char *json)
{
        add_rule(d, name, json, ERR_NONE);
}

void test_job_fails(struct test_daemon *d, const char *name, enum error_code code)
{
        add_rule(d, name, NULL, code);
}

/* ---- life ---- */

static void set_flag(void *data)
{
        *(bool *)data = true;
}

void test_daemon_until(struct test_daemon *d, const bool *flag)
{
        bool is_late = false;
        uint64_t timer = timer_start(d->server, WAIT_MS, set_flag, &is_late);
        while (!*flag && !is_late)
                uv_run(&d->loop, UV_RUN_ONCE);
        timer_cancel(d->server, timer);
        if (!*flag)
                fail_msg("nothing happened for %d ms", WAIT_MS);
}

struct test_daemon *test_daemon_new(family_fn *const *families)
{
        struct test_daemon *d = xnew(struct test_daemon);
        uv_loop_init(&d->loop);
        d->server = server_new(&d->loop, "/var/lib/lightd-test");
        d->server->idmap_base = 1u << SERVER_IDMAP_PLACE_BITS;
        d->server->run_dir = xstrdup("/run/lightd-test");
        d->server->log_dir = xstrdup("/var/log/lightd-test");
        for (; *families; families++)
                (*families)(d->server);
        ASSERT_OK(object_store_open_memory(d->server, COMMIT_MS));
        the_daemon = d;
        jobs_set_fake(d->server, run_fake);
        return d;
}

/* A timer that is still to come (an idle mount's) is nobody's now; its memory stays where timer_cancel() finds it. */
static void close_handle(uv_handle_t *handle, void *data _unused_)
{
        if (!uv_is_closing(handle))
                uv_close(handle, NULL);
}

void test_daemon_free(struct test_daemon *d)
{
        while (d->n_waiting)
                uv_run(&d->loop, UV_RUN_ONCE);
        object_store_close(d->server);
        uv_walk(&d->loop, close_handle, NULL);
        while (uv_run(&d->loop, UV_RUN_NOWAIT))
                ;
        server_free(d->server);
        uv_loop_close(&d->loop);
        json_object_put(d->answer);
        json_object_put(d->job_args);
        strbuf_done(&d->jobs);
        for (size_t i = 0; i < d->n_rules; i++) {
                free(d->rules[i].name);
                free(d->rules[i].json);
        }
        free(d->etag);
        free(d->location);
        strbuf_done(&d->text);
        strbuf_done(&d->headers);
        free(d);
}

static void on_put(void *data, int r, struct error *err _unused_)
{
        ASSERT_OK(r);
        *(bool *)data = true;
}

void test_daemon_put(struct test_daemon *d, void (*fill)(struct server *s, struct change *c))
{
        bool is_done = false;
        struct change *c = change_new(d->server);
        fill(d->server, c);
        change_commit(c, on_put, &is_done);
        test_daemon_until(d, &is_done);
}

/* ---- requests ---- */

static void send_request(struct exchange *x, const char *method, const char *target, const char *body)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct request *req = request_new(x->daemon->server);
        req->target = xstrdup(target);
        req->sink = &sink;
        req->sink_data = x;
        req->who = (struct identity){ .protocol = "unix", .is_trusted = true, .is_admin = true, .text = "root" };
        ASSERT_OK(http_method_parse(method, &req->method));
        ASSERT_OK(uri_parse(target, &req->uri, NULL));
        req->has_json_body = !x->headers;
        if (body)
                ASSERT_OK(json_parse(body, strlen(body), &req->body, NULL));
        if (request_find_route(req, &err) < 0)
                reply_error(req, &err);
        else
                request_dispatch(req);
}

int api_request(struct test_daemon *d, const char *method, const char *target, const char *body, const char *if_match)
{
        struct exchange x = { .daemon = d, .if_match = xstrdup(if_match) };
        send_request(&x, method, target, body);
        test_daemon_until(d, &x.is_over);
        free(x.if_match);
        return d->status;
}

int api_upload(struct test_daemon *d, const char *target, const char *const *headers, int body_result)
{
        struct exchange x = { .daemon = d, .headers = headers, .body_result = body_result };
        send_request(&x, "POST", target, NULL);
        test_daemon_until(d, &x.is_over);
        return d->status;
}

int api_upload_text(struct test_daemon *d, const char *target, const char *text)
{
        static const char *const headers[] = { "content-type", "application/octet-stream", NULL };
        struct exchange x = { .daemon = d, .headers = headers, .text = text };
        send_request(&x, "POST", target, NULL);
        test_daemon_until(d, &x.is_over);
        return d->status;
}

struct test_ws *api_websocket(struct test_daemon *d, const char *target)
{
        struct exchange x = { .daemon = d, .ws = xnew(struct test_ws) };
        send_request(&x, "GET", target, NULL);
        test_daemon_until(d, &x.is_over);
        ASSERT_TRUE(x.ws->ws.carrier != NULL);
        return x.ws;
}

void api_send(struct test_daemon *d, const char *method, const char *target, const char *body, int *ret_status)
{
        struct exchange *x = xnew(struct exchange);
        x->daemon = d;
        x->ret_status = ret_status;
        *ret_status = 0;
        send_request(x, method, target, body);
}

static struct json_object *step_into(struct json_object *o, const char *key)
{
        struct json_object *next = NULL;
        if (json_object_is_type(o, json_type_array))
                return json_object_array_get_idx(o, strtoul(key, NULL, 10));
        if (json_object_is_type(o, json_type_object))
                json_object_object_get_ex(o, key, &next);
        return next;
}

const char *api_string(struct test_daemon *d, const char *path)
{
        _cleanup_free_ char *copy = xstrdup(path);
        struct json_object *o = d->answer;
        for (char *rest = copy, *key; o && (key = strsep(&rest, "/"));)
                o = step_into(o, key);
        if (!o)
                return NULL;
        return json_object_is_type(o, json_type_string) ? json_object_get_string(o) : json_text(o);
}
