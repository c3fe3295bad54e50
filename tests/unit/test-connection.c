/* SPDX-License-Identifier: Apache-2.0 */
/* links: daemon */
/* A connection fed with bytes, without a socket: order of answers, bodies, broken requests. */
#include "tests/lib/test.h"
#include "base/alloc.h"
#include "lightd/connection.h"

struct wire {
        struct server *server;
        struct conn *conn;
        struct strbuf sent;
        size_t room; /* bytes the peer still takes */
        bool is_closed, wants_write;
};

static struct request *held;

static void get_echo(struct request *req)
{
        reply_json(req, json_object_new_string(req->params[0]));
}

static void get_held(struct request *req)
{
        held = req;
}

static void post_body(struct request *req)
{
        reply_json(req, json_object_get(req->body));
}

static const struct route routes[] = {
        { METHOD_GET, "/1.0/echo/{word}", get_echo, PERM_VIEW, 0, "Test." },
        { METHOD_GET, "/1.0/held", get_held, PERM_VIEW, 0, "Test." },
        { METHOD_POST, "/1.0/body", post_body, PERM_VIEW, ROUTE_BODY, "Test." },
        { 0 },
};

static ssize_t wire_write(void *handle, const struct iovec *iov, int n)
{
        struct wire *w = handle;
        size_t total = 0;
        for (int i = 0; i < n; i++) {
                size_t k = MIN(iov[i].iov_len, w->room);
                strbuf_add(&w->sent, iov[i].iov_base, k);
                w->room -= k;
                total += k;
        }
        return total ? (ssize_t)total : -EAGAIN;
}

static void wire_want_write(void *handle)
{
        ((struct wire *)handle)->wants_write = true;
}

static void wire_pause(void *handle _unused_, bool is_paused _unused_)
{
}

static void wire_close(void *handle)
{
        ((struct wire *)handle)->is_closed = true;
}

static const struct transport transport = { wire_write, wire_want_write, wire_pause, wire_close };

static void wire_open(struct wire *w)
{
        struct identity who = { .protocol = "unix", .is_trusted = true, .is_admin = true };
        *w = (struct wire){ .server = server_new(uv_default_loop(), "/nowhere"), .room = SIZE_MAX };
        router_add(w->server, routes);
        w->conn = conn_new(w->server, &who, &transport, w);
}

static void wire_done(struct wire *w)
{
        conn_lost(w->conn);
        server_free(w->server);
        strbuf_done(&w->sent);
        while (uv_run(uv_default_loop(), UV_RUN_NOWAIT))
                ;
}

static void feed(struct wire *w, const char *text)
{
        _cleanup_free_ char *copy = xstrdup(text);
        conn_receive(w->conn, copy, strlen(text));
}

static size_t count(const struct wire *w, const char *part)
{
        size_t n = 0;
        for (const char *p = strbuf_str(&w->sent); (p = strstr(p, part)); p += strlen(part))
                n++;
        return n;
}

TEST(pipelined_requests_are_answered_in_order)
{
        struct wire w;
        wire_open(&w);
        feed(&w, "GET /1.0/echo/a HTTP/1.1\r\nHost: x\r\n\r\nGET /1.0/echo/b HTTP/1.1\r\nHost: x\r\n\r\n"
                 "POST /1.0/body HTTP/1.1\r\nHost: x\r\nContent-Length: 7\r\n\r\n{\"c\":1}GET /1.0/echo/d HTTP/1.1\r\nHost: x\r\n\r\n");
        ASSERT_EQ(count(&w, "HTTP/1.1 200"), 4);
        const char *a = strstr(w.sent.data, "\"a\""), *b = strstr(w.sent.data, "\"b\""), *c = strstr(w.sent.data, "{\"c\":1}"),
                   *d = strstr(w.sent.data, "\"d\"");
        ASSERT_TRUE(a && b && c && d && a < b && b < c && c < d);
        wire_done(&w);
}

TEST(a_request_fed_byte_by_byte_is_the_same_request)
{
        static const char text[] = "POST /1.0/body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\n{\"a\"\r\n3\r\n:1}\r\n0\r\n\r\n";
        struct wire w;
        wire_open(&w);
        for (size_t i = 0; i < sizeof text - 1; i++) {
                char c[2] = { text[i] };
                feed(&w, c);
        }
        ASSERT_EQ(count(&w, "{\"a\":1}"), 1);
        wire_done(&w);
}

TEST(a_later_request_waits_for_an_earlier_answer)
{
        struct wire w;
        wire_open(&w);
        feed(&w, "GET /1.0/held HTTP/1.1\r\nHost: x\r\n\r\nGET /1.0/echo/next HTTP/1.1\r\nHost: x\r\n\r\n");
        ASSERT_EQ(w.sent.len, 0);
        reply_empty(held);
        ASSERT_EQ(count(&w, "HTTP/1.1 200"), 2);
        ASSERT_CONTAINS(w.sent.data, "\"next\"");
        wire_done(&w);
}

TEST(an_answer_to_a_client_that_left_goes_nowhere)
{
        struct wire w;
        wire_open(&w);
        feed(&w, "GET /1.0/held HTTP/1.1\r\nHost: x\r\n\r\n");
        conn_lost(w.conn);
        reply_empty(held);
        ASSERT_EQ(w.sent.len, 0);
        server_free(w.server);
        strbuf_done(&w.sent);
}

TEST(a_slow_reader_gets_everything_in_the_end)
{
        struct wire w;
        wire_open(&w);
        w.room = 10;
        feed(&w, "GET /1.0/echo/slow HTTP/1.1\r\nHost: x\r\n\r\n");
        ASSERT_EQ(w.sent.len, 10);
        ASSERT_TRUE(w.wants_write);
        w.room = SIZE_MAX;
        conn_writable(w.conn);
        ASSERT_CONTAINS(w.sent.data, "\"slow\"");
        wire_done(&w);
}

TEST(broken_requests_are_refused_and_end_the_connection)
{
        static const char *const rows[] = {
                "GET /1.0/echo/a HTTP/1.1\r\n\r\n",
                "POST /1.0/body HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n",
                "POST /1.0/body HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
                "POST /1.0/body HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
                "POST /1.0/body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n",
                "GET /1.0/echo/a HTTP/1.1\r\nHost : x\r\n\r\n",
                "nonsense\r\n\r\n",
        };
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct wire w;
                wire_open(&w);
                feed(&w, rows[i]);
                feed(&w, "GET /1.0/echo/smuggled HTTP/1.1\r\nHost: x\r\n\r\n");
                ASSERT_EQ(count(&w, "HTTP/1.1 200"), 0);
                ASSERT_EQ(count(&w, "HTTP/1.1 "), 1);
                ASSERT_TRUE(w.is_closed);
                wire_done(&w);
        }
}

TEST(a_broken_body_is_refused_once)
{
        static const char *const heads[] = {
                "POST /1.0/body HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",    /* waits for its body */
                "POST /1.0/nothing HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n", /* has its answer already */
        };
        for (size_t i = 0; i < ARRAY_SIZE(heads); i++) {
                struct wire w;
                wire_open(&w);
                feed(&w, heads[i]);
                feed(&w, "zz\r\nGET /1.0/echo/a HTTP/1.1\r\nHost: x\r\n\r\n");
                ASSERT_EQ(count(&w, "HTTP/1.1 4"), 1);
                ASSERT_EQ(count(&w, "HTTP/1.1 "), 1);
                ASSERT_TRUE(w.is_closed);
                wire_done(&w);
        }
}

TEST(what_is_not_there_says_so_and_the_connection_goes_on)
{
        struct wire w;
        wire_open(&w);
        feed(&w, "GET /1.0/nothing HTTP/1.1\r\nHost: x\r\n\r\nDELETE /1.0/held HTTP/1.1\r\nHost: x\r\n\r\n"
                 "POST /1.0/body HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\n\r\n{\"a\"BREW /1.0/held HTTP/1.1\r\nHost: x\r\n\r\n"
                 "GET /1.0/echo/on HTTP/1.1\r\nHost: x\r\n\r\n");
        ASSERT_CONTAINS(w.sent.data, "HTTP/1.1 404");
        ASSERT_EQ(count(&w, "HTTP/1.1 405"), 2);
        ASSERT_EQ(count(&w, "HTTP/1.1 400"), 1);
        ASSERT_CONTAINS(w.sent.data, "\"on\"");
        ASSERT_FALSE(w.is_closed);
        wire_done(&w);
}

TEST(a_client_that_expects_100_gets_it_before_its_body)
{
        struct wire w;
        wire_open(&w);
        feed(&w, "POST /1.0/body HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
        ASSERT_STR(w.sent.data, "HTTP/1.1 100 Continue\r\n\r\n");
        feed(&w, "{}");
        ASSERT_CONTAINS(w.sent.data, "HTTP/1.1 200");
        wire_done(&w);
}
