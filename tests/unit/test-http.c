/* SPDX-License-Identifier: Apache-2.0 */
/* links: api */
#include "tests/lib/test.h"
#include "base/alloc.h"
#include "api/http.h"

/* What the parser said, as text: "H", the body's bytes, "E", "!<status>". */
static void run(struct http_parser *p, const char *data, size_t n, size_t step, struct strbuf *out)
{
        for (size_t at = 0; at < n; at += step) {
                const char *in = data + at;
                size_t left = MIN(step, n - at);
                enum http_event event;
                while ((event = http_parser_next(p, &in, &left)) != HTTP_MORE) {
                        if (event == HTTP_HEAD)
                                strbuf_addf(out, "H");
                        else if (event == HTTP_BODY)
                                strbuf_add(out, p->body, p->body_len);
                        else if (event == HTTP_END)
                                strbuf_addf(out, "E");
                        if (event == HTTP_BAD) {
                                strbuf_addf(out, "!%d", p->status);
                                return;
                        }
                }
                assert_int_equal(left, 0);
        }
}

static const char *parse(const char *text, size_t step, bool is_response)
{
        static struct strbuf out;
        struct http_parser p;
        if (is_response)
                http_parser_init_response(&p, false);
        else
                http_parser_init_request(&p);
        strbuf_clear(&out);
        run(&p, text, strlen(text), step, &out);
        if (is_response && p.state != HTTP_STATE_BAD && http_parser_close(&p) == HTTP_END)
                strbuf_adds(&out, "C");
        http_parser_done(&p);
        return strbuf_str(&out);
}

static void expect(const char *text, const char *want)
{
        for (size_t step = 1; step <= 64; step = step < 8 ? step + 1 : step * 8)
                ASSERT_STR(parse(text, step, false), want);
        ASSERT_STR(parse(text, strlen(text), false), want);
}

static void expect_response(const char *text, const char *want)
{
        ASSERT_STR(parse(text, 1, true), want);
        ASSERT_STR(parse(text, 7, true), want);
        ASSERT_STR(parse(text, strlen(text), true), want);
}

TEST(a_request_is_the_same_however_it_is_cut)
{
        expect("GET /1.0 HTTP/1.1\r\nHost: x\r\n\r\n", "HE");
        expect("\r\nGET /1.0 HTTP/1.1\r\nHost: x\r\n\r\n", "HE");
        expect("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello", "HhelloE");
        expect("PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", "HE");
        expect("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n"
               "5\r\nhello\r\n1;a=b\r\n!\r\n00\r\nTrailer: x\r\n\r\n",
               "Hhello!E");
}

TEST(pipelined_requests_come_one_by_one)
{
        expect("GET /a HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\nabcDELETE /b HTTP/1.1\r\nHost: "
               "x\r\n\r\n"
               "POST /c HTTP/1.1\r\nHost:\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /d "
               "HTTP/1.0\r\n\r\n",
               "HabcEHEHEHE");
}

TEST(the_parser_stops_at_the_end_of_a_message)
{
        const char *in = "GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\n";
        size_t n = strlen(in);
        struct http_parser p;
        http_parser_init_request(&p);
        ASSERT_EQ(http_parser_next(&p, &in, &n), HTTP_HEAD);
        ASSERT_EQ(http_parser_next(&p, &in, &n), HTTP_END);
        ASSERT_TRUE(http_parser_is_idle(&p));
        ASSERT_STR(p.head.target, "/a");
        ASSERT_STR(in, "GET /b HTTP/1.1\r\n");
        ASSERT_EQ(http_parser_next(&p, &in, &n), HTTP_MORE);
        ASSERT_FALSE(http_parser_is_idle(&p));
        ASSERT_EQ(n, 0);
        ASSERT_EQ(http_parser_close(&p), HTTP_BAD);
        http_parser_done(&p);
}

TEST(a_head_is_read_without_changing_the_target)
{
        const char *in =
                "PATCH /1.0/images/aliases/a%2Fb?x=+%20 HTTP/1.1\r\nHOST: h\r\nX-LXD-Type: \t file \t\r\n"
                "Expect: 100-continue\r\nEmpty:\r\nContent-Length: 7\r\n\r\n";
        size_t n = strlen(in);
        struct http_parser p;
        const char *name;
        http_parser_init_request(&p);
        ASSERT_EQ(http_parser_next(&p, &in, &n), HTTP_HEAD);
        ASSERT_STR(p.head.method, "PATCH");
        ASSERT_STR(p.head.target, "/1.0/images/aliases/a%2Fb?x=+%20");
        ASSERT_STR(http_header(&p, "host"), "h");
        ASSERT_STR(http_header(&p, "x-lxd-type"), "file");
        ASSERT_STR(http_header(&p, "empty"), "");
        ASSERT_TRUE(http_header(&p, "absent") == NULL);
        ASSERT_STR(http_header_at(&p, 1, &name), "file");
        ASSERT_STR(name, "x-lxd-type");
        ASSERT_TRUE(http_header_at(&p, 5, NULL) == NULL);
        ASSERT_EQ(p.head.content_length, 7);
        ASSERT_TRUE(p.head.expects_continue);
        ASSERT_TRUE(p.head.is_keep_alive);
        http_parser_done(&p);
}

TEST(what_could_smuggle_a_request_is_refused)
{
        static const struct {
                const char *headers, *want;
        } cases[] = {
                { "Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", "HabcE" },
                { "Content-Length: 3\r\nContent-Length: 4\r\n\r\n", "!400" },
                { "Content-Length: 3, 3\r\n\r\n", "!400" },
                { "Content-Length: -1\r\n\r\n", "!400" },
                { "Content-Length: +1\r\n\r\n", "!400" },
                { "Content-Length:\r\n\r\n", "!400" },
                { "Content-Length: 0x10\r\n\r\n", "!400" },
                { "Content-Length: 1 1\r\n\r\n", "!400" },
                { "Content-Length: 9223372036854775808\r\n\r\n", "!413" },
                { "Content-Length: 99999999999999999999999999\r\n\r\n", "!413" },
                { "Content-Length : 3\r\n\r\n", "!400" },
                { " Content-Length: 3\r\n\r\n", "!400" },
                { "X: 1\r\n folded\r\n\r\n", "!400" },
                { "X: 1\r\n\tfolded\r\n\r\n", "!400" },
                { "Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", "!400" },
                { "Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", "!400" },
                { "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n", "!400" },
                { "Transfer-Encoding: gzip, chunked\r\n\r\n", "!501" },
                { "Transfer-Encoding: chunked, identity\r\n\r\n", "!501" },
                { "Transfer-Encoding: xchunked\r\n\r\n", "!501" },
                { "Transfer-Encoding: \x0b"
                  "chunked\r\n\r\n",
                  "!400" },
                { "Transfer-Encoding:\r\n\r\n", "!501" },
                { "Host: y\r\n\r\n", "!400" },
                { "Host: x\r\n\r\n", "!400" },
                { "Expect: 200-ok\r\n\r\n", "!417" },
                { "X: a\nY: b\r\n\r\n", "!400" },
                { "X: a\rY: b\r\n\r\n", "!400" },
                { "X: a\r\r\n\r\n", "!400" },
                { "X: a\x01\r\n\r\n", "!400" },
                { "X: a\x7f\r\n\r\n", "!400" },
                { "X\r\n\r\n", "!400" },
                { ": a\r\n\r\n", "!400" },
                { "X(y: a\r\n\r\n", "!400" },
                { "X\x80: a\r\n\r\n", "!400" },
                { "X: \xc3\xa4\r\n\r\n", "HE" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_free_ char *text = xasprintf("POST / HTTP/1.1\r\nHost: x\r\n%s", cases[i].headers);
                expect(text, cases[i].want);
        }
}

TEST(bad_first_lines_are_refused)
{
        static const char *const bad[] = {
                "GET  / HTTP/1.1\r\n",
                " GET / HTTP/1.1\r\n",
                "GET /\r\n",
                "GET / HTTP/1.1 \r\n",
                "GET / http/1.1\r\n",
                "GET / HTTP/11\r\n",
                "GET\t/ HTTP/1.1\r\n",
                "GET / HTTP/1.1\n",
                "G(T / HTTP/1.1\r\n",
                "GET /\xc3\xa4 HTTP/1.1\r\n",
                "\r\n\r\nGET / HTTP/1.1\r\n",
                "\x16\x03\x01",
                "GET / HTTP/1.11\r\n",
                "GET / \r\n",
                "GET /a b HTTP/1.1\r\n",
                "\n",
        };
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                expect(bad[i], "!400");
        expect("GET / HTTP/1.2\r\n", "!505");
        expect("PRI * HTTP/2.0\r\n", "!505");
        expect("GET / HTTP/1.1\r\n\r\n", "!400"); /* no Host */
        expect("BREW /pot HTTP/1.1\r\nHost: x\r\n\r\n", "HE");
}

TEST(a_nul_is_refused_anywhere_in_a_head)
{
        static const char text[] = "GET / HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n";
        struct http_parser p;
        const char *in = text;
        size_t n = sizeof text - 1;
        http_parser_init_request(&p);
        ASSERT_EQ(http_parser_next(&p, &in, &n), HTTP_BAD);
        ASSERT_EQ(http_parser_next(&p, &in, &n), HTTP_BAD);
        http_parser_done(&p);
}

TEST(bad_chunks_are_refused)
{
        static const struct {
                const char *body, *want;
        } cases[] = {
                { "\r\n", "H!400" },
                { "g\r\n", "H!400" },
                { "-1\r\n", "H!400" },
                { "0x1\r\n", "H!400" },
                { " 1\r\n", "H!400" },
                { "1 \r\n", "H!400" },
                { "1 x\r\n", "H!400" },
                { "1;x\na\r\n", "H!400" },
                { "1\na\r\n", "H!400" },
                { "1\r\nab\r\n", "Ha!400" },
                { "1\r\na\n", "Ha!400" },
                { "1\r\na\r0", "Ha!400" },
                { "11111111111111111\r\n", "H!400" },
                { "ffffffffffffffff\r\n", "H!400" },
                { "0000000000000001\r\na\r\n0\r\n\r\n", "HaE" },
                { "1 ; x=\"y\"\r\na\r\n0\r\n\r\n", "HaE" },
                { "0\r\nno colon\r\n\r\n", "H!400" },
                { "0\r\nA: b\n\r\n", "H!400" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
                _cleanup_free_ char *text = xasprintf(
                        "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n%s", cases[i].body);
                expect(text, cases[i].want);
        }
}

static const char *parse_long(const char *before, size_t n, char c, const char *after)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        strbuf_adds(&b, before);
        for (size_t i = 0; i < n; i++)
                strbuf_addc(&b, c);
        strbuf_adds(&b, after);
        return parse(b.data, b.len, false);
}

TEST(everything_has_a_limit)
{
        const char *rest = " HTTP/1.1\r\nHost: x\r\n\r\n";
        ASSERT_STR(parse_long("GET /", 16383, 'a', rest), "HE");
        ASSERT_STR(parse_long("GET /", 16384, 'a', rest), "!414");
        ASSERT_STR(parse_long("GET /", 20000, 'a', ""), "!414");
        ASSERT_STR(parse_long("GET / HTTP/1.1\r\nHost: x\r\nX: ", 65000, 'a', "\r\n\r\n"), "HE");
        ASSERT_STR(parse_long("GET / HTTP/1.1\r\nHost: x\r\nX: ", 65600, 'a', "\r\n\r\n"), "!431");
        const char *chunked = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
        _cleanup_free_ char *chunk = xasprintf("%s1;", chunked), *trailer = xasprintf("%s0\r\nA:", chunked);
        ASSERT_STR(parse_long(chunk, 255, 'a', "\r\nx\r\n0\r\n\r\n"), "HxE");
        ASSERT_STR(parse_long(chunk, 300, 'a', "\r\nx\r\n0\r\n\r\n"), "H!400");
        ASSERT_STR(parse_long(trailer, 8000, 'a', "\r\n\r\n"), "HE");
        ASSERT_STR(parse_long(trailer, 8200, 'a', "\r\n\r\n"), "H!431");
}

TEST(a_hundred_headers_and_no_more)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        strbuf_adds(&b, "GET / HTTP/1.1\r\nHost: x\r\n");
        for (int i = 0; i < 99; i++)
                strbuf_addf(&b, "X-%d: y\r\n", i);
        size_t n = b.len;
        strbuf_adds(&b, "\r\n");
        ASSERT_STR(parse(b.data, b.len, false), "HE");
        strbuf_consume(&b, 0);
        b.len = n;
        strbuf_adds(&b, "Z: z\r\n\r\n");
        ASSERT_STR(parse(b.data, b.len, false), "!431");
}

TEST(chunk_extensions_are_capped_over_the_whole_body)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        strbuf_adds(&b, "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n");
        for (int i = 0; i < 200; i++)
                strbuf_addf(&b, "1;%0100d\r\nx\r\n", 0);
        ASSERT_TRUE(str_ends(parse(b.data, b.len, false), "!400"));
}

static struct http_head head_of(const char *text, bool is_response)
{
        static struct http_parser p;
        size_t n = strlen(text);
        http_parser_done(&p);
        if (is_response)
                http_parser_init_response(&p, false);
        else
                http_parser_init_request(&p);
        ASSERT_EQ(http_parser_next(&p, &text, &n), HTTP_HEAD);
        return p.head;
}

TEST(keep_alive_follows_version_and_connection)
{
        ASSERT_TRUE(head_of("GET / HTTP/1.1\r\nHost: x\r\n\r\n", false).is_keep_alive);
        ASSERT_FALSE(head_of("GET / HTTP/1.1\r\nHost: x\r\nConnection: Close\r\n\r\n", false).is_keep_alive);
        ASSERT_FALSE(
                head_of("GET / HTTP/1.1\r\nHost: x\r\nConnection: a, close\r\n\r\n", false).is_keep_alive);
        ASSERT_TRUE(head_of("GET / HTTP/1.1\r\nHost: x\r\nConnection: closed\r\n\r\n", false).is_keep_alive);
        ASSERT_FALSE(head_of("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", false).is_keep_alive);
        ASSERT_FALSE(head_of("HTTP/1.1 200 OK\r\n\r\n", true).is_keep_alive);
        ASSERT_TRUE(head_of("HTTP/1.1 204 No\r\n\r\n", true).is_keep_alive);
        head_of("GET / HTTP/1.1\r\nHost: x\r\n\r\n", false);
}

TEST(a_websocket_handshake_is_checked)
{
        const char *good =
                "Upgrade: WebSocket\r\nConnection: keep-alive, Upgrade\r\nSec-WebSocket-Version: 13\r\n"
                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n";
        _cleanup_free_ char *text = xasprintf("GET /1.0/events HTTP/1.1\r\nHost: x\r\n%s", good);
        _cleanup_free_ char *post = xasprintf("POST /1.0/events HTTP/1.1\r\nHost: x\r\n%s", good);
        ASSERT_STR(head_of(text, false).websocket_key, "dGhlIHNhbXBsZSBub25jZQ==");
        expect(post, "!400");
        expect("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
               "Sec-WebSocket-Version: 8\r\n\r\n",
               "!426");
        expect("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n"
               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: abc\r\n\r\n",
               "!400");
        ASSERT_TRUE(head_of("GET / HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n\r\n", false).upgrade ==
                    NULL);
        ASSERT_STR(head_of("GET / HTTP/1.1\r\nHost: x\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: "
                           "h2c\r\n\r\n",
                           false)
                           .upgrade,
                   "h2c");
}

TEST(responses_end_by_length_chunks_or_close)
{
        expect_response("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi", "HhiE");
        expect_response("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n\r\n", "HhiE");
        expect_response("HTTP/1.1 200\r\n\r\nanything", "HanythingC");
        expect_response("HTTP/1.0 404 Not Found\r\n\r\n", "HC");
        expect_response("HTTP/1.1 304 Not Modified\r\nContent-Length: 9\r\n\r\n", "HE");
        expect_response(
                "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nA: b\r\n\r\nHTTP/1.1 201 Created\r\n"
                "Content-Length: 0\r\n\r\n",
                "HE");
        expect_response("HTTP/1.1 101 Go\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n", "HE");
        expect_response("HTTP/1.1 20 OK\r\n\r\n", "!502");
        expect_response("HTTP/1.1 2000 OK\r\n\r\n", "!502");
        expect_response("HTTP/1.1 099 OK\r\n\r\n", "!502");
        expect_response("SSH-2.0-OpenSSH_9\r\n", "!502");
        ASSERT_STR(head_of("HTTP/1.1 409 Already there\r\nContent-Length: 0\r\n\r\n", true).reason,
                   "Already there");
}

TEST(an_answer_to_head_has_no_body)
{
        const char *in = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n";
        size_t n = strlen(in);
        struct http_parser p;
        http_parser_init_response(&p, true);
        ASSERT_EQ(http_parser_next(&p, &in, &n), HTTP_HEAD);
        ASSERT_EQ(p.head.content_length, 100);
        ASSERT_EQ(http_parser_next(&p, &in, &n), HTTP_END);
        http_parser_done(&p);
}

TEST(a_response_cut_short_is_an_error)
{
        const char *in = "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc";
        size_t n = strlen(in);
        struct http_parser p;
        http_parser_init_response(&p, false);
        ASSERT_EQ(http_parser_next(&p, &in, &n), HTTP_HEAD);
        ASSERT_EQ(http_parser_next(&p, &in, &n), HTTP_BODY);
        ASSERT_EQ(http_parser_next(&p, &in, &n), HTTP_MORE);
        ASSERT_EQ(http_parser_close(&p), HTTP_BAD);
        ASSERT_CONTAINS(p.problem, "middle");
        http_parser_done(&p);
}

TEST(a_body_may_go_another_way)
{
        const char *in = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc";
        size_t n = strlen(in);
        struct http_parser p;
        http_parser_init_request(&p);
        ASSERT_EQ(http_parser_body_left(&p), 0);
        ASSERT_EQ(http_parser_next(&p, &in, &n), HTTP_HEAD);
        ASSERT_EQ(http_parser_next(&p, &in, &n), HTTP_BODY);
        ASSERT_EQ(http_parser_body_left(&p), 97);
        http_parser_skip_body(&p, 90);
        ASSERT_EQ(http_parser_next(&p, &in, &n), HTTP_MORE);
        http_parser_skip_body(&p, 7);
        ASSERT_EQ(http_parser_body_left(&p), 0);
        ASSERT_EQ(http_parser_next(&p, &in, &n), HTTP_END);
        http_parser_done(&p);
}

TEST(a_big_head_gives_its_memory_back)
{
        struct http_parser p;
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT, out = STRBUF_INIT;
        strbuf_addf(&b, "GET / HTTP/1.1\r\nHost: x\r\nX: %030000d\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
                    0);
        http_parser_init_request(&p);
        run(&p, b.data, b.len, b.len, &out);
        ASSERT_STR(out.data, "HEHE");
        ASSERT_TRUE(p.text.cap <= 4096);
        http_parser_done(&p);
}

TEST(what_is_written_can_be_read)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        http_write_request(&b, "POST", "/1.0/images", "unix.socket");
        http_write_header(&b, "X-LXD-name", "c1\r\nX-Evil: 1");
        http_write_chunked(&b);
        http_write_end(&b);
        http_write_chunk(&b, "hello world, hello", 18);
        http_write_chunk(&b, "", 0);
        http_write_last_chunk(&b);
        expect(b.data, "Hhello world, helloE");
        ASSERT_TRUE(strstr(b.data, "\nX-Evil") == NULL);
        strbuf_clear(&b);
        http_write_continue(&b);
        http_write_status(&b, 404);
        http_write_date(&b, 1700000000);
        http_write_close(&b);
        http_write_length(&b, 3);
        http_write_end(&b);
        strbuf_adds(&b, "abc");
        ASSERT_CONTAINS(b.data, "HTTP/1.1 404 Not Found\r\nDate: Tue, 14 Nov 2023 22:13:20 GMT\r\n");
        expect_response(b.data, "HabcE");
}

TEST(the_handshake_matches_the_rfcs_example)
{
        char accept[HTTP_WEBSOCKET_ACCEPT_SIZE], key[HTTP_WEBSOCKET_KEY_SIZE];
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        http_websocket_key((const uint8_t *)"the sample nonce", key);
        ASSERT_STR(key, "dGhlIHNhbXBsZSBub25jZQ==");
        http_websocket_accept(key, accept);
        ASSERT_STR(accept, "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        http_write_websocket_request(&b, "/1.0/events", "x", key);
        http_write_end(&b);
        ASSERT_STR(head_of(b.data, false).websocket_key, key);
        strbuf_clear(&b);
        http_write_websocket_accept(&b, key);

        struct http_parser p;
        const char *in = b.data;
        size_t n = b.len;
        http_parser_init_response(&p, false);
        ASSERT_EQ(http_parser_next(&p, &in, &n), HTTP_HEAD);
        ASSERT_TRUE(http_websocket_is_accepted(&p, key));
        ASSERT_FALSE(http_websocket_is_accepted(&p, "AAAAAAAAAAAAAAAAAAAAAA=="));
        http_parser_done(&p);
}
