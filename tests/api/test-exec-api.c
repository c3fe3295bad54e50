/* SPDX-License-Identifier: Apache-2.0 */
/* links: testdaemon instances networks storage-pools images profiles projects */
/* Commands in instances over the API: the websockets on one side, a worker played by the test on the other.
 */
#include "tests/lib/guest.h"

#include <sys/socket.h>

#define EXEC "/1.0/instances/c1/exec"

static char *operation_url;

/* Opens a websocket of the operation just made. */
static char *websocket_url(struct test_daemon *d, const char *name)
{
        _cleanup_free_ char *path = xasprintf("metadata/metadata/fds/%s", name);
        return xasprintf("%s/websocket?secret=%s", operation_url, api_string(d, path));
}

struct session {
        struct test_ws *in, *out, *err, *control;
};

static void begin(struct test_daemon *d, const char *body)
{
        ASSERT_EQ(api_post(d, EXEC, body), 202);
        free(operation_url);
        operation_url = xstrdup(api_string(d, "operation"));
}

static struct session connect_all(struct test_daemon *d, bool is_interactive)
{
        _cleanup_free_ char *in = websocket_url(d, "0"), *out = websocket_url(d, "1"),
                            *err = websocket_url(d, "2");
        _cleanup_free_ char *control = websocket_url(d, "control");
        struct session s = { .control = api_websocket(d, control), .in = api_websocket(d, in) };
        if (is_interactive)
                return s;
        ASSERT_FALSE(held.is_there); /* not before all that carry data are there */
        s.out = api_websocket(d, out);
        s.err = api_websocket(d, err);
        return s;
}

static void turn(struct test_daemon *d)
{
        for (int i = 0; i < 5; i++)
                uv_run(&d->loop, UV_RUN_NOWAIT);
}

static void session_free(struct session *s)
{
        struct test_ws *all[] = { s->in, s->out, s->err, s->control };
        for (size_t i = 0; i < ARRAY_SIZE(all); i++)
                if (all[i]) {
                        if (!all[i]->ws.is_closing || all[i]->is_closed)
                                test_ws_close(all[i]);
                        test_ws_free(all[i]);
                }
}

static void end(struct test_daemon *d, struct session *s)
{
        if (s)
                session_free(s);
        free(operation_url);
        operation_url = NULL;
        guest_end(d);
}

static const char *operation_result(struct test_daemon *d, const char *path)
{
        _cleanup_free_ char *wait = xasprintf("%s/wait", operation_url);
        ASSERT_EQ(api_get(d, wait), 200);
        return api_string(d, path);
}

TEST(streams_flow_and_the_status_comes_at_the_end)
{
        struct test_daemon *d = guest_start();
        char text[16] = "";
        begin(d,
              "{\"command\":[\"cat\"],\"wait-for-websocket\":true,\"environment\":{\"BOTH\":\"request\"}}");
        ASSERT_STR(api_string(d, "metadata/class"), "websocket");
        ASSERT_STR(api_string(d, "metadata/description"), "Executing command");
        ASSERT_STR(api_string(d, "metadata/resources/instances/0"), "/1.0/instances/c1");
        ASSERT_STR(api_string(d, "metadata/metadata/command/0"), "cat");
        struct session s = connect_all(d, false);
        ASSERT_TRUE(held.is_there);
        ASSERT_STR(held.name, "exec");
        ASSERT_STR(json_get_string(json_get_object(held.args, "environment"), "BOTH", ""), "request");
        ASSERT_STR(json_get_string(json_get_object(held.args, "environment"), "CONFIG", ""), "yes");
        ASSERT_STR(json_get_string(held.args, "cgroup", ""), "lightd-test/1");

        test_ws_send(s.in, WS_BINARY, "hello");
        ASSERT_EQ(read(held.fds[1], text, sizeof text), 5);
        ASSERT_STR(text, "hello");
        test_ws_send(s.in, WS_TEXT, ""); /* the end of the input */
        ASSERT_EQ(read(held.fds[1], text, sizeof text), 0);

        ASSERT_EQ(write(held.fds[2], "out", 3), 3);
        ASSERT_EQ(write(held.fds[3], "err", 3), 3);
        turn(d);
        ASSERT_STR(strbuf_str(&s.out->frames), "b:out\n");
        ASSERT_STR(strbuf_str(&s.err->frames), "b:err\n");
        held_end(0, "{\"return\":3}");
        ASSERT_STR(operation_result(d, "metadata/metadata/return"), "3");
        ASSERT_STR(api_string(d, "metadata/status"), "Success");
        ASSERT_STR(api_string(d, "metadata/metadata/fds"), NULL);
        ASSERT_STR(strbuf_str(&s.out->frames), "b:out\nt:\n");
        ASSERT_TRUE(s.in->is_closed && s.out->is_closed && s.err->is_closed && s.control->is_closed);
        end(d, &s);
}

TEST(a_client_that_does_not_read_stops_the_output_and_a_command_that_does_not_read_the_input)
{
        struct test_daemon *d = guest_start();
        static char large[2 << 20];
        memset(large, 'x', sizeof large - 1);
        begin(d, "{\"command\":[\"cat\"],\"wait-for-websocket\":true}");
        struct session s = connect_all(d, false);
        ASSERT_EQ(write(held.fds[2], "one", 3), 3);
        turn(d);
        s.out->queued = 3;
        ASSERT_EQ(write(held.fds[2], "two", 3), 3);
        turn(d);
        ASSERT_STR(strbuf_str(&s.out->frames), "b:one\n");
        test_ws_drain(s.out);
        turn(d);
        ASSERT_STR(strbuf_str(&s.out->frames), "b:one\nb:two\n");

        test_ws_send(s.in, WS_BINARY, large);
        ASSERT_TRUE(s.in->is_paused);
        for (size_t n = 0; n < sizeof large - 1;) {
                ssize_t k = read(held.fds[1], large, sizeof large);
                ASSERT_TRUE(k > 0);
                n += (size_t)k;
                turn(d);
        }
        ASSERT_FALSE(s.in->is_paused);
        held_end(0, "{\"return\":0}");
        ASSERT_STR(operation_result(d, "metadata/metadata/return"), "0");
        end(d, &s);
}

TEST(an_interactive_command_gets_its_terminal_and_its_size)
{
        struct test_daemon *d = guest_start();
        char text[128] = "";
        int pair[2];
        begin(d, "{\"command\":[\"sh\"],\"wait-for-websocket\":true,\"interactive\":true,\"width\":80,"
                 "\"height\":24}");
        ASSERT_STR(api_string(d, "metadata/metadata/fds/1"), NULL);
        struct session s = connect_all(d, true);
        ASSERT_TRUE(json_get_bool(held.args, "interactive", false));
        test_ws_send(s.in, WS_BINARY, "early"); /* before there is a terminal */
        ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        ASSERT_OK(fd_send_with_fds(held.fds[4], "{}", 2, &pair[1], 1));
        fd_close(pair[1]);
        turn(d);
        ASSERT_EQ(read(pair[0], text, sizeof text), 5);
        ASSERT_EQ(write(pair[0], "$ ", 2), 2);
        turn(d);
        ASSERT_STR(strbuf_str(&s.in->frames), "b:$ \n");
        test_ws_send(s.control, WS_TEXT, "{\"command\":\"signal\",\"args\":null,\"signal\":15}");
        memset(text, 0, sizeof text);
        ASSERT_TRUE(read(held.fds[4], text, sizeof text) > 0);
        ASSERT_STR(text, "{\"command\":\"signal\",\"signal\":15}");
        test_ws_send(s.control, WS_TEXT, "no json");
        fd_close(pair[0]);
        held_end(0, "{\"return\":130}");
        ASSERT_STR(operation_result(d, "metadata/metadata/return"), "130");
        end(d, &s);
}

TEST(an_interactive_command_that_fails_before_it_has_a_terminal_ends)
{
        struct test_daemon *d = guest_start();
        begin(d, "{\"command\":[\"sh\"],\"wait-for-websocket\":true,\"interactive\":true}");
        struct session s = connect_all(d, true);
        held_end(ERR_WRONG_STATE, "The instance is not running");
        ASSERT_STR(operation_result(d, "metadata/status"), "Failure");
        ASSERT_STR(api_string(d, "metadata/err"), "Instance \"c1\": The instance is not running");
        ASSERT_STR(api_string(d, "metadata/metadata/return"), NULL);
        end(d, &s);
}

TEST(a_client_that_leaves_hangs_the_command_up)
{
        struct test_daemon *d = guest_start();
        char byte;
        begin(d, "{\"command\":[\"sleep\",\"9\"],\"wait-for-websocket\":true}");
        struct session s = connect_all(d, false);
        test_ws_close(s.in); /* that alone ends only the input */
        test_ws_close(s.out);
        ASSERT_EQ(recv(held.fds[4], &byte, 1, MSG_DONTWAIT), -1);
        test_ws_close(s.err);
        ASSERT_EQ(recv(held.fds[4], &byte, 1, MSG_DONTWAIT), 0); /* the worker's socket is closed */
        held_end(0, "{\"return\":129}");
        ASSERT_STR(operation_result(d, "metadata/metadata/return"), "129");
        end(d, &s);
}

TEST(a_client_that_leaves_before_the_start_cancels_it)
{
        struct test_daemon *d = guest_start();
        begin(d, "{\"command\":[\"true\"],\"wait-for-websocket\":true}");
        _cleanup_free_ char *in = websocket_url(d, "0");
        struct test_ws *w = api_websocket(d, in);
        test_ws_close(w);
        ASSERT_STR(operation_result(d, "metadata/status"), "Cancelled");
        ASSERT_FALSE(held.is_there);
        test_ws_free(w);
        end(d, NULL);
}

TEST(a_command_that_is_not_there_has_a_status_and_a_sentence)
{
        struct test_daemon *d = guest_start();
        begin(d, "{\"command\":[\"nonesuch\"],\"wait-for-websocket\":true}");
        struct session s = connect_all(d, false);
        held_end(0, "{\"return\":127,\"message\":\"\\\"nonesuch\\\": command not found\"}");
        ASSERT_STR(operation_result(d, "metadata/metadata/return"), "127");
        ASSERT_STR(api_string(d, "metadata/status"), "Failure");
        ASSERT_STR(api_string(d, "metadata/err"), "\"nonesuch\": command not found in instance \"c1\"");
        end(d, &s);
}

TEST(without_websockets_the_command_runs_at_once)
{
        struct test_daemon *d = guest_start();
        begin(d, "{\"command\":[\"true\"]}");
        ASSERT_STR(api_string(d, "metadata/class"), "task");
        ASSERT_TRUE(held.is_there);
        ASSERT_TRUE(json_get_bool(held.args, "record", false)); /* nobody's going ends it */
        held_end(0, "{\"return\":0}");
        ASSERT_STR(operation_result(d, "metadata/metadata/return"), "0");
        end(d, NULL);
}

TEST(a_secret_serves_once_and_after_the_end_its_websocket_is_closed)
{
        struct test_daemon *d = guest_start();
        begin(d, "{\"command\":[\"true\"],\"wait-for-websocket\":true}");
        _cleanup_free_ char *in = websocket_url(d, "0"), *out = websocket_url(d, "1"),
                            *err = websocket_url(d, "2");
        _cleanup_free_ char *control = websocket_url(d, "control");
        struct session s = { .in = api_websocket(d, in),
                             .out = api_websocket(d, out),
                             .err = api_websocket(d, err) };
        ASSERT_EQ(api_get(d, in), 403);
        held_end(0, "{\"return\":0}");
        turn(d);
        s.control = api_websocket(d, control);
        ASSERT_TRUE(s.control->is_closed);
        end(d, &s);
}

TEST(what_makes_no_sense_is_refused_with_a_sentence)
{
        static const struct {
                const char *body, *part;
        } rows[] = {
                { "{}", "command" },
                { "{\"command\":[]}", "command" },
                { "{\"command\":\"true\"}", "a list" },
                { "{\"command\":[\"true\"],\"interactive\":true}", "wait-for-websocket" },
                { "{\"command\":[\"true\"],\"record-output\":true,\"wait-for-websocket\":true}",
                  "record-output" },
                { "{\"command\":[\"true\"],\"user\":-1}", "user" },
                { "{\"command\":[\"true\"],\"width\":70000}", "width" },
                { "{\"command\":[\"true\"],\"cwd\":\"tmp\"}", "tmp" },
                { "{\"command\":[\"true\"],\"environment\":{\"A=B\":\"c\"}}", "A=B" },
        };
        struct test_daemon *d = guest_start();
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                ASSERT_EQ(api_post(d, EXEC, rows[i].body), 400);
                ASSERT_CONTAINS(api_string(d, "error"), rows[i].part);
        }
        ASSERT_EQ(api_post(d, "/1.0/instances/c9/exec", "{\"command\":[\"true\"]}"), 404);
        struct instance *i = instance_find(d->server, "default", "c1");
        instance_set_state(i, INSTANCE_FROZEN);
        ASSERT_EQ(api_post(d, EXEC, "{\"command\":[\"true\"]}"), 400);
        ASSERT_CONTAINS(api_string(d, "error"), "frozen");
        instance_set_state(i, INSTANCE_STOPPED);
        i->pid = 0;
        ASSERT_EQ(api_post(d, EXEC, "{\"command\":[\"true\"]}"), 400);
        ASSERT_STR(api_string(d, "error"), "Instance \"c1\" is not running");
        ASSERT_STR(api_string(d, "metadata/hint"), "lightc start c1");
        ASSERT_FALSE(held.is_there);
        guest_end(d);
}
