/* SPDX-License-Identifier: Apache-2.0 */
/* links: daemon */
/* A connection fed with bytes, without a socket: order of answers, bodies, broken requests. */
#include "tests/lib/test.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "lightd/connection.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

struct wire {
        struct server *server;
        struct conn *conn;
        struct strbuf sent;
        size_t room; /* bytes the peer still takes */
        bool is_closed, wants_write;
        int socket, peer; /* the ends of what splice() uses, for tests of large bodies */
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

#define LARGE (600 * 1024)
static int pipe_end; /* the worker's end */
static int body_result;

static void get_large(struct request *req)
{
        int ends;
        ASSERT_OK(fd_pipe(&ends, &pipe_end));
        fd_set_nonblocking(pipe_end, true);
        reply_file(req, "text/plain", LARGE, ends);
}

static void on_large(void *data, int r)
{
        body_result = r;
        reply_json(data, json_object_new_string(r == 0 ? "taken" : "dropped"));
}

static void post_large(struct request *req)
{
        int ends;
        body_result = 1;
        ASSERT_OK(fd_pipe(&pipe_end, &ends));
        fd_set_nonblocking(pipe_end, true);
        request_read_body_into(req, ends, on_large, req);
}

static void post_either(struct request *req)
{
        if (req->has_json_body)
                post_body(req);
        else
                held = req;
}

static const struct route routes[] = {
        { METHOD_GET, "/1.0/echo/{word}", get_echo, PERM_VIEW, 0, "Test." },
        { METHOD_GET, "/1.0/held", get_held, PERM_VIEW, 0, "Test." },
        { METHOD_POST, "/1.0/body", post_body, PERM_VIEW, ROUTE_BODY, "Test." },
        { METHOD_GET, "/1.0/large", get_large, PERM_VIEW, 0, "Test." },
        { METHOD_POST, "/1.0/large", post_large, PERM_VIEW, ROUTE_STREAM, "Test." },
        { METHOD_POST, "/1.0/either", post_either, PERM_VIEW, ROUTE_BODY_LATER, "Test." },
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

static int wire_open_socket(void *handle)
{
        struct wire *w = handle;
        return w->socket < 0 ? -EOPNOTSUPP : fcntl(w->socket, F_DUPFD_CLOEXEC, 3);
}

static const struct transport transport = { wire_write, wire_want_write, wire_pause, wire_close, wire_open_socket };

static void wire_open(struct wire *w)
{
        struct identity who = { .protocol = "unix", .is_trusted = true, .is_admin = true };
        *w = (struct wire){ .server = server_new(uv_default_loop(), "/nowhere"), .room = SIZE_MAX, .socket = -EBADF, .peer = -EBADF };
        router_add(w->server, routes);
        w->conn = conn_new(w->server, &who, &transport, w);
}

static void wire_done(struct wire *w)
{
        conn_lost(w->conn);
        server_free(w->server);
        strbuf_done(&w->sent);
        fd_close(w->socket);
        fd_close(w->peer);
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

TEST(a_client_that_leaves_in_the_middle_of_a_body_leaves_nothing)
{
        struct wire w;
        wire_open(&w);
        feed(&w, "POST /1.0/body HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{\"half\":");
        wire_done(&w); /* the leak check looks on */
        wire_open(&w);
        feed(&w, "GET /1.0/echo/a HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf");
        wire_done(&w);
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
        ASSERT_EQ(count(&w, "HTTP/1.1 501"), 2);
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

static void give_socket(struct wire *w)
{
        int ends[2];
        ASSERT_OK(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends));
        w->socket = ends[0];
        w->peer = ends[1];
}

/* The loop runs while bytes with the number of their place go in at one end; they must come out at the other. */
static void pass_through(int in, size_t begin, int out, size_t end)
{
        static uint32_t piece[4096], back[4096];
        size_t written = begin, seen = begin, k = 0;
        while (seen < end) {
                for (size_t i = 0; i < ARRAY_SIZE(piece); i++)
                        piece[i] = (uint32_t)(written / 4 + i);
                ssize_t n = write(in, piece, MIN(sizeof piece, end - written));
                written += n > 0 ? (size_t)n & ~(size_t)3 : 0;
                ASSERT_TRUE(n <= 0 || n % 4 == 0);
                uv_run(uv_default_loop(), UV_RUN_NOWAIT);
                n = read(out, (char *)back + k, sizeof back - k);
                for (k += n > 0 ? (size_t)n : 0; k >= 4; k -= 4, seen += 4) {
                        ASSERT_EQ(back[0], seen / 4);
                        memmove(back, back + 1, k - 4);
                }
        }
}

TEST(a_large_answer_is_spliced_and_the_connection_goes_on)
{
        struct wire w;
        wire_open(&w);
        give_socket(&w);
        feed(&w, "GET /1.0/large HTTP/1.1\r\nHost: x\r\n\r\nGET /1.0/echo/b HTTP/1.1\r\nHost: x\r\n\r\n");
        ASSERT_EQ(count(&w, "HTTP/1.1 200"), 1);
        pass_through(pipe_end, 0, w.peer, LARGE);
        fd_close(pipe_end);
        while (count(&w, "HTTP/1.1 200") < 2)
                uv_run(uv_default_loop(), UV_RUN_ONCE);
        ASSERT_EQ(count(&w, "\"b\""), 1);
        wire_done(&w);
}

TEST(a_large_answer_cut_short_ends_the_connection)
{
        struct wire w;
        wire_open(&w);
        give_socket(&w);
        feed(&w, "GET /1.0/large HTTP/1.1\r\nHost: x\r\n\r\n");
        pass_through(pipe_end, 0, w.peer, 8192);
        fd_close(pipe_end);
        while (!w.is_closed)
                uv_run(uv_default_loop(), UV_RUN_ONCE);
        wire_done(&w);
}

static void post_head(struct wire *w)
{
        signal(SIGPIPE, SIG_IGN); /* as the daemon does */
        wire_open(w);
        give_socket(w);
        feed(w, "POST /1.0/large HTTP/1.1\r\nHost: x\r\nContent-Length: 614404\r\n\r\nhead");
        char head[4];
        ASSERT_EQ(read(pipe_end, head, 4), 4);
        ASSERT_TRUE(!memcmp(head, "head", 4));
}

TEST(a_large_body_is_spliced_behind_what_came_with_the_head)
{
        struct wire w;
        post_head(&w);
        pass_through(w.peer, 0, pipe_end, LARGE);
        while (body_result > 0)
                uv_run(uv_default_loop(), UV_RUN_ONCE);
        ASSERT_EQ(body_result, 0);
        feed(&w, "GET /1.0/echo/b HTTP/1.1\r\nHost: x\r\n\r\n");
        ASSERT_EQ(count(&w, "\"taken\""), 1);
        ASSERT_EQ(count(&w, "\"b\""), 1);
        fd_close(pipe_end);
        wire_done(&w);
}

TEST(a_large_body_whose_reader_leaves_is_dropped)
{
        struct wire w;
        post_head(&w);
        fd_close(pipe_end);
        ASSERT_EQ(write(w.peer, "more", 4), 4);
        while (body_result > 0)
                uv_run(uv_default_loop(), UV_RUN_ONCE);
        ASSERT_EQ(body_result, -EPIPE);
        ASSERT_EQ(count(&w, "\"dropped\""), 1);
        wire_done(&w);
}

TEST(a_large_body_whose_client_leaves_ends_the_connection)
{
        struct wire w;
        post_head(&w);
        fd_close(TAKE_FD(w.peer));
        while (!w.is_closed)
                uv_run(uv_default_loop(), UV_RUN_ONCE);
        fd_close(pipe_end);
        wire_done(&w);
        ASSERT_EQ(body_result, -ECONNRESET);
}

#define EITHER "POST /1.0/either HTTP/1.1\r\nHost: x\r\n"

TEST(a_body_without_a_type_is_json_when_it_begins_so)
{
        struct wire w;
        wire_open(&w);
        feed(&w, EITHER "Content-Length: 7\r\n\r\n{\"a\":1}" EITHER "Content-Length: 8\r\n\r\n ");
        feed(&w, "{\"b\":2}" EITHER "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}" EITHER "\r\n");
        ASSERT_CONTAINS(w.sent.data, "{\"a\":1}");
        ASSERT_CONTAINS(w.sent.data, "{\"b\":2}");
        ASSERT_EQ(count(&w, "HTTP/1.1 200"), 4);
        wire_done(&w);
}

TEST(another_body_without_a_type_is_a_stream_and_whole)
{
        struct wire w;
        char got[16];
        wire_open(&w);
        feed(&w, EITHER "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n");
        ASSERT_TRUE(held != NULL);
        feed(&w, "3\r\ndef\r\n0\r\n\r\nGET /1.0/echo/b HTTP/1.1\r\nHost: x\r\n\r\n"); /* nobody reads yet */
        post_large(TAKE_PTR(held));
        while (body_result > 0)
                uv_run(uv_default_loop(), UV_RUN_ONCE);
        ASSERT_EQ(read(pipe_end, got, sizeof got), 6);
        ASSERT_EQ(memcmp(got, "abcdef", 6), 0);
        ASSERT_EQ(count(&w, "\"taken\""), 1);
        ASSERT_EQ(count(&w, "\"b\""), 1);
        fd_close(pipe_end);
        wire_done(&w);
}

TEST(a_stream_that_nobody_wants_is_passed_over)
{
        struct wire w;
        wire_open(&w);
        feed(&w, EITHER "Content-Length: 6\r\n\r\nabcdef");
        reply_errorf(TAKE_PTR(held), ERR_BAD_REQUEST, "no");
        feed(&w, EITHER "Content-Length: 7\r\n\r\n{\"a\":1}");
        ASSERT_EQ(count(&w, "HTTP/1.1 400"), 1);
        ASSERT_EQ(count(&w, "HTTP/1.1 200"), 1);
        wire_done(&w);
}
