/* SPDX-License-Identifier: Apache-2.0 */
/* links: testdaemon instances networks storage-pools images profiles projects */
/* Files and logs of instances over the API, with a worker played by the test. */
#include "tests/lib/guest.h"
#include "instances/files.h"

#include <poll.h>

#define FILES "/1.0/instances/c1/files?path="

/* What the worker does when it is there. */
struct play {
        struct test_daemon *daemon;
        const char *answer, *content; /* an answer before the end, as when reading */
        enum error_code code;         /* how it ends */
        const char *sentence;
        char name[32];
        struct json_object *args; /* what it was told */
        ssize_t n_commit;         /* what it read from the commit descriptor: 1 byte, or the end */
};

static void play(void *data)
{
        struct play *p = data;
        char byte;
        struct pollfd commit = { .fd = held.is_there ? held.fds[1] : -1, .events = POLLIN };
        /* The end of an upload's body is told there; until then the loop has to go on. */
        if (!held.is_there || (commit.fd >= 0 && poll(&commit, 1, 0) == 0)) {
                timer_start(p->daemon->server, 0, play, p);
                return;
        }
        snprintf(p->name, sizeof p->name, "%s", held.name);
        json_object_put(p->args);
        p->args = json_object_get(held.args);
        p->n_commit = held.fds[1] >= 0 ? read(held.fds[1], &byte, 1) : -1;
        if (p->content)
                ASSERT_OK(fd_write_all(held.out, p->content, strlen(p->content)));
        fd_reset(&held.out); /* the test's sink reads to the end at once */
        if (p->answer)
                held_answers(p->answer);
        held_end(p->code, p->code ? p->sentence : p->answer ? p->answer : "{}");
}

static struct play *play_new(struct test_daemon *d)
{
        struct play *p = xnew(struct play);
        p->daemon = d;
        return p;
}

static void play_free(struct play *p)
{
        json_object_put(p->args);
        free(p);
}

static int get(struct play *p, const char *target, const char *answer, const char *content)
{
        p->answer = answer;
        p->content = content;
        timer_start(p->daemon->server, 0, play, p);
        return api_get(p->daemon, target);
}

TEST(a_path_may_come_without_its_slash)
{
        struct test_daemon *d = guest_start();
        struct play *p = play_new(d);
        ASSERT_EQ(get(p, FILES "etc%2Fa%20b",
                      "{\"type\":\"file\",\"uid\":1,\"gid\":2,\"mode\":420,\"size\":4}", "text"),
                  200);
        ASSERT_STR(p->name, "file-get");
        ASSERT_STR(json_get_string(p->args, "path", ""), "/etc/a b");
        ASSERT_STR(json_get_string(p->args, "cgroup", ""), "lightd-test/1");
        ASSERT_EQ(api_get(d, "/1.0/instances/c1/files"), 400);
        ASSERT_EQ(api_get(d, "/1.0/instances/c9/files?path=/x"), 404);
        play_free(p);
        guest_end(d);
}

TEST(each_kind_of_file_has_its_form)
{
        static const struct {
                const char *answer, *content, *text, *headers;
        } rows[] = {
                { "{\"type\":\"file\",\"uid\":1,\"gid\":2,\"mode\":420,\"size\":4,\"modified\":1}", "text",
                  "text",
                  "X-LXD-uid: 1\r\nX-LXD-gid: 2\r\nX-LXD-mode: 0644\r\nX-LXD-type: file\r\n"
                  "Last-Modified: Thu, 01 Jan 1970 00:00:01 GMT\r\n"
                  "X-LXD-modified: 1970-01-01 00:00:01 +0000 UTC\r\n"
                  "Content-Disposition: inline;filename=x\r\n" },
                { "{\"type\":\"symlink\",\"uid\":0,\"gid\":0,\"mode\":511,\"size\":3,\"target\":\"one\"}",
                  NULL, "one", "X-LXD-mode: 0777\r\nX-LXD-type: symlink\r\n" },
                { "{\"type\":\"directory\",\"uid\":0,\"gid\":0,\"mode\":493,\"entries\":[\"a\",\"b\"]}", NULL,
                  "\"metadata\":[\"a\",\"b\"]", "X-LXD-type: directory\r\n" },
        };
        struct test_daemon *d = guest_start();
        struct play *p = play_new(d);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                ASSERT_EQ(get(p, FILES "/x", rows[i].answer, rows[i].content), 200);
                ASSERT_CONTAINS(strbuf_str(&d->text), rows[i].text);
                ASSERT_CONTAINS(strbuf_str(&d->headers), rows[i].headers);
        }
        play_free(p);
        guest_end(d);
}

TEST(a_file_that_is_not_there_is_named_with_its_instance)
{
        struct test_daemon *d = guest_start();
        struct play *p = play_new(d);
        p->code = ERR_NOT_FOUND;
        p->sentence = "Reading it: No such file or directory";
        ASSERT_EQ(get(p, FILES "/nope", NULL, NULL), 404);
        ASSERT_STR(api_string(d, "error"), "File \"/nope\" not found in instance \"c1\"");
        timer_start(d->server, 0, play, p);
        ASSERT_EQ(api_delete(d, FILES "/nope"), 404);
        ASSERT_STR(p->name, "file-delete");
        p->code = ERR_BAD_REQUEST;
        p->sentence = "The directory \"/etc\" is not empty";
        timer_start(d->server, 0, play, p);
        ASSERT_EQ(api_delete(d, FILES "/etc"), 400);
        ASSERT_STR(api_string(d, "error"), "Instance \"c1\": The directory \"/etc\" is not empty");
        p->code = ERR_NONE;
        timer_start(d->server, 0, play, p);
        ASSERT_EQ(api_delete(d, FILES "/tmp/x"), 200);
        play_free(p);
        guest_end(d);
}

TEST(an_upload_is_committed_when_its_body_is_whole)
{
        static const char *const headers[] = {
                "x-lxd-uid", "3", "x-lxd-gid", "4", "x-lxd-mode", "0600", NULL
        };
        struct test_daemon *d = guest_start();
        struct play *p = play_new(d);
        timer_start(d->server, 0, play, p);
        ASSERT_EQ(api_upload(d, FILES "/root/x", headers, 0), 200);
        ASSERT_STR(p->name, "file-put");
        ASSERT_EQ(p->n_commit, 1);
        ASSERT_EQ(json_get_int(p->args, "uid", -1), 3);
        ASSERT_EQ(json_get_int(p->args, "gid", -1), 4);
        ASSERT_EQ(json_get_int(p->args, "mode", -1), 0600);
        ASSERT_STR(json_get_string(p->args, "type", ""), "file");
        ASSERT_STR(json_get_string(p->args, "write", ""), "overwrite");
        ASSERT_TRUE(json_get_bool(p->args, "commit", false));
        play_free(p);
        guest_end(d);
}

TEST(an_upload_that_breaks_off_is_not_committed)
{
        static const char *const headers[] = { "x-lxd-type", "file", NULL };
        struct test_daemon *d = guest_start();
        struct play *p = play_new(d);
        p->code = ERR_CANCELLED;
        p->sentence = "The upload of \"/root/x\" broke off";
        timer_start(d->server, 0, play, p);
        ASSERT_EQ(api_upload(d, FILES "/root/x", headers, -ECONNRESET), 400);
        ASSERT_EQ(p->n_commit, 0);
        play_free(p);
        guest_end(d);
}

TEST(headers_that_make_no_sense_are_refused_by_name)
{
        static const char *const rows[][3] = {
                { "x-lxd-type", "fifo", "X-LXD-type" }, { "x-lxd-write", "truncate", "X-LXD-write" },
                { "x-lxd-uid", "root", "X-LXD-uid" },   { "x-lxd-gid", "4294967295", "X-LXD-gid" },
                { "x-lxd-mode", "rwx", "X-LXD-mode" },  { "x-lxd-mode", "0999", "X-LXD-mode" },
        };
        struct test_daemon *d = guest_start();
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                const char *const headers[] = { rows[i][0], rows[i][1], NULL };
                ASSERT_EQ(api_upload(d, FILES "/x", headers, 0), 400);
                ASSERT_CONTAINS(api_string(d, "error"), rows[i][2]);
        }
        guest_end(d);
}

TEST(a_mode_is_octal_with_a_zero_and_decimal_without)
{
        static const struct {
                const char *text;
                int mode;
        } rows[] = { { "0644", 0644 }, { "0o644", 0644 }, { "420", 0644 },
                     { "0", 0 },       { "", -1 },        { "07777", 07777 } };
        int mode;
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                ASSERT_OK(file_parse_mode(rows[i].text, &mode, NULL));
                ASSERT_EQ(mode, rows[i].mode);
        }
        ASSERT_ERR(file_parse_mode("010000", &mode, NULL), -EINVAL);
        ASSERT_ERR(file_parse_mode("0o", &mode, NULL), -EINVAL);
        ASSERT_ERR(file_parse_mode("-1", &mode, NULL), -EINVAL);
}

TEST(logs_are_plain_names_and_only_records_are_deleted)
{
        struct test_daemon *d = guest_start();
        struct play *p = play_new(d);
        ASSERT_EQ(get(p, "/1.0/instances/c1/logs/exec_1.stdout", "{\"size\":3}", "one"), 200);
        ASSERT_STR(strbuf_str(&d->text), "one");
        ASSERT_STR(p->name, "log-get");
        ASSERT_STR(json_get_string(p->args, "dir", ""), "/var/log/lightd-test/default_c1");
        ASSERT_EQ(api_get(d, "/1.0/instances/c1/logs/..%2Fx"), 400);
        ASSERT_EQ(api_get(d, "/1.0/instances/c1/logs/.hidden"), 400);
        ASSERT_EQ(api_delete(d, "/1.0/instances/c1/logs/console.log"), 400);
        p->answer = p->content = NULL;
        timer_start(d->server, 0, play, p);
        ASSERT_EQ(api_delete(d, "/1.0/instances/c1/logs/exec_1.stdout"), 200);
        ASSERT_STR(p->name, "log-delete");
        p->code = ERR_NOT_FOUND;
        p->sentence = "gone";
        ASSERT_EQ(get(p, "/1.0/instances/c1/logs/exec_2.stdout", NULL, NULL), 404);
        ASSERT_STR(api_string(d, "error"), "Instance \"c1\" has no log \"exec_2.stdout\"");
        play_free(p);
        guest_end(d);
}
