/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/lib/test.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/json.h"
#include "base/names.h"
#include "base/path.h"
#include "base/process.h"
#include "base/time.h"
#include "base/units.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

TEST(size_accepts_binary_and_decimal_suffixes)
{
        uint64_t v;
        ASSERT_OK(units_parse_size("10MiB", &v));
        ASSERT_EQ(v, 10485760);
        ASSERT_OK(units_parse_size("10MB", &v));
        ASSERT_EQ(v, 10000000);
        ASSERT_ERR(units_parse_size("10XB", &v), -EINVAL);
        ASSERT_ERR(units_parse_size("-1", &v), -EINVAL);
        ASSERT_ERR(units_parse_size("99999999EiB", &v), -EINVAL);
}

TEST(strbuf_stops_at_its_limit_and_remembers)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT_MAX(8);
        strbuf_adds(&b, "12345678");
        ASSERT_FALSE(b.is_over);
        strbuf_addc(&b, '9');
        ASSERT_TRUE(b.is_over);
        ASSERT_STR(b.data, "12345678");
        strbuf_consume(&b, 3);
        ASSERT_STR(b.data, "45678");
}

TEST(nothing_printable_commands_a_terminal)
{
        static const char hostile[] = "a\033[2J\r\x7f" "\xc2\x9b" "31m\n\xc3\xa9\xc2\xa0";
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        strbuf_add_printable(&b, hostile, strlen(hostile), "\n");
        ASSERT_STR(b.data, "a\\x1b[2J\\x0d\\x7f\\x9b31m\n\xc3\xa9\xc2\xa0");
        char longer[103];
        memset(longer, 'a', sizeof longer);
        memcpy(longer + 99, "\xc3\xa9", 3); /* across the 100th byte */
        longer[101] = 'b', longer[102] = '\0';
        _cleanup_free_ char *cut = name_printable(longer);
        longer[99] = '\0';
        _cleanup_free_ char *wanted = xasprintf("%s…", longer);
        ASSERT_STR(cut, wanted);
}

static int parse(const char *text, struct json_object **o)
{
        return json_parse(text, strlen(text), o, NULL);
}

TEST(json_refuses_what_json_c_would_let_through)
{
        struct json_object *o = NULL;
        ASSERT_TRUE(parse("{\"a\":1} x", &o) < 0);
        ASSERT_TRUE(parse("{\"a\":\"\\u0000\"}", &o) < 0);
        ASSERT_TRUE(parse("{\"a\\u0000b\":1}", &o) < 0);
        ASSERT_TRUE(parse("{\"a\":", &o) < 0);
        ASSERT_TRUE(parse("\"\xff\"", &o) < 0);
        ASSERT_TRUE(parse("", &o) < 0);
        ASSERT_OK(parse(" 12 ", &o));
        ASSERT_EQ(json_object_get_int(o), 12);
        json_object_put(o);
        ASSERT_OK(parse("null", &o));
        ASSERT_TRUE(o == NULL);
}

TEST(json_nested_deeper_than_the_limit_is_refused)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        struct json_object *o = NULL;
        for (int i = 0; i < 10000; i++)
                strbuf_addc(&b, '[');
        _cleanup_error_ struct error err = ERROR_INIT;
        ASSERT_ERR(json_parse(b.data, b.len, &o, &err), -EINVAL);
        ASSERT_CONTAINS(err.message, "line 1");
}

TEST(json_writer_escapes_and_puts_commas)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        struct json_writer w = JSON_WRITER(&b);
        json_write_object_begin(&w);
        json_write_key_string(&w, "a", "q\"\\\n\x01\xff\xc3\xa9");
        json_write_key(&w, "l");
        json_write_array_begin(&w);
        json_write_int(&w, -1);
        json_write_null(&w);
        json_write_array_end(&w);
        json_write_key_bool(&w, "z", true);
        json_write_object_end(&w);
        ASSERT_STR(b.data, "{\"a\":\"q\\\"\\\\\\n\\u0001\xef\xbf\xbd\xc3\xa9\",\"l\":[-1,null],\"z\":true}");
}

TEST(names_are_refused_at_the_door)
{
        static const char *const bad[] = { "", "a/b", "..", "-a", "a-", "a\nb", "1", "9a", "a_b", "a b" };
        for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
                ASSERT_ERR(name_check_instance(bad[i], NULL), -EINVAL);
        char longer[301];
        memset(longer, 'a', 300);
        longer[300] = '\0';
        _cleanup_error_ struct error err = ERROR_INIT;
        ASSERT_ERR(name_check_instance(longer, &err), -EINVAL);
        ASSERT_CONTAINS(err.message, "longer than 63");
        ASSERT_OK(name_check_instance("web-01", NULL));
        ASSERT_OK(name_check_alias("debian/12", NULL));
        ASSERT_ERR(name_check_alias("../x", NULL), -EINVAL);
}

TEST(error_carries_code_sentence_and_errno)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        ASSERT_ERR(error_set(&err, ERR_NOT_FOUND, "Profile \"%s\" not found", "x"), -ENOENT);
        error_prefix(&err, "Starting instance \"%s\"", "c1");
        ASSERT_STR(error_message(&err), "Starting instance \"c1\": Profile \"x\" not found");
        ASSERT_EQ(error_http_status(err.code), 404);
        ASSERT_ERR(error_set_errno(&err, -ENOSPC, "Writing"), -ENOSPC);
        ASSERT_EQ(err.code, ERR_NO_SPACE);
}

TEST(time_text_round_trips)
{
        char buf[TIME_TEXT_SIZE];
        int64_t ns;
        ASSERT_OK(time_parse_rfc3339("2026-11-22T01:02:03.123456789Z", &ns));
        ASSERT_STR(time_format_rfc3339(ns, buf), "2026-11-22T01:02:03.123456789Z");
        ASSERT_OK(time_parse_rfc3339("2026-11-22T01:02:03+01:00", &ns));
        ASSERT_STR(time_format_rfc3339(ns, buf), "2026-11-22T00:02:03Z");
        ASSERT_ERR(time_parse_rfc3339("yesterday", &ns), -EINVAL);
        ASSERT_STR(time_format_rfc3339(0, buf), TIME_ZERO_TEXT);
}

TEST(spawn_places_descriptors_and_reports_a_failed_exec)
{
        int r, w, pidfd, status;
        _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
        const char *argv[] = { "sh", "-c", "cat <&5; exit 7", NULL };
        ASSERT_OK(fd_pipe(&r, &w));
        int args = fd_memfd_sealed("args", "hello", 5);
        struct process_spec spec = { .path = "/bin/sh", .argv = argv, .n_fds = 6, .cgroup_fd = -EBADF,
                                     .fds = { -EBADF, w, 2, -EBADF, -EBADF, args } };
        ASSERT_OK(process_spawn(&spec, NULL, &pidfd));
        fd_close(w);
        ASSERT_OK(fd_read_to_end(r, &out, 100));
        ASSERT_STR(out.data, "hello");
        ASSERT_OK(process_wait(pidfd, &status));
        ASSERT_EQ(status, 7);
        spec.path = "/nowhere";
        int none;
        ASSERT_ERR(process_spawn(&spec, NULL, &none), -ENOENT);
        fd_close(pidfd);
        fd_close(args);
        fd_close(r);
}

TEST(remove_tree_follows_no_link)
{
        char dir[] = "/tmp/test-base.XXXXXX";
        assert_non_null(mkdtemp(dir));
        int fd = open(dir, O_DIRECTORY | O_RDONLY);
        ASSERT_OK(mkdirat(fd, "keep", 0700));
        ASSERT_OK(mkdirat(fd, "gone", 0700));
        ASSERT_OK(mkdirat(fd, "gone/sub", 0700));
        ASSERT_OK(symlinkat("../../keep", fd, "gone/sub/link"));
        ASSERT_OK(path_remove_tree(fd, "gone"));
        ASSERT_ERR(faccessat(fd, "gone", F_OK, 0), -1);
        ASSERT_OK(faccessat(fd, "keep", F_OK, 0));
        ASSERT_ERR(path_open_beneath(fd, "../etc/passwd", O_RDONLY, 0), -EXDEV);
        ASSERT_OK(path_write_atomic(fd, "file", "x", 1, 0600));
        ASSERT_OK(unlinkat(fd, "file", 0));
        ASSERT_OK(unlinkat(fd, "keep", AT_REMOVEDIR));
        rmdir(dir);
        close(fd);
}

TEST(json_takes_a_larger_text_where_the_caller_says_so)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        _cleanup_json_ struct json_object *o = NULL;
        ASSERT_ERR(json_parse_max("[1,2,3]", 7, 6, &o, &err), error_errno(ERR_TOO_LARGE));
        ASSERT_CONTAINS(error_message(&err), "larger than 6");
        ASSERT_OK(json_parse_max("[1,2,3]", 7, 7, &o, &err));
}

TEST(an_error_is_copied_whole)
{
        _cleanup_error_ struct error a = ERROR_INIT, b = ERROR_INIT;
        error_set(&a, ERR_IN_USE, "Pool \"%s\" is in use", "p");
        error_hint(&a, "Delete its instances");
        error_object(&a, "storage-pool", "p");
        error_copy(&b, &a);
        error_done(&a);
        ASSERT_EQ(b.code, ERR_IN_USE);
        ASSERT_STR(b.message, "Pool \"p\" is in use");
        ASSERT_STR(b.hint, "Delete its instances");
        ASSERT_STR(b.name, "p");
        error_copy(NULL, &b);
}

static void limit_of_a_spawned_shell(struct strbuf *out)
{
        int r, w, pidfd, status;
        const char *argv[] = { "sh", "-c", "ulimit -n", NULL };
        ASSERT_OK(fd_pipe(&r, &w));
        struct process_spec spec = { .path = "/bin/sh", .argv = argv, .n_fds = 3, .cgroup_fd = -EBADF,
                                     .fds = { -EBADF, w, 2 } };
        ASSERT_OK(process_spawn(&spec, NULL, &pidfd));
        fd_close(w);
        ASSERT_OK(fd_read_to_end(r, out, 100));
        ASSERT_OK(process_wait(pidfd, &status));
        ASSERT_EQ(status, 0);
        fd_close(pidfd);
        fd_close(r);
}

TEST(raised_files_are_this_process_alone)
{
        struct rlimit old, now;
        _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
        ASSERT_OK(getrlimit(RLIMIT_NOFILE, &old));
        struct rlimit few = { 200, old.rlim_max };
        ASSERT_OK(setrlimit(RLIMIT_NOFILE, &few));
        ASSERT_OK(process_raise_files());
        ASSERT_OK(process_raise_files()); /* the second time remembers what the first found */
        ASSERT_OK(getrlimit(RLIMIT_NOFILE, &now));
        ASSERT_EQ(now.rlim_cur, old.rlim_max);
        limit_of_a_spawned_shell(&out);
        ASSERT_STR(out.data, "200\n");
        ASSERT_OK(setrlimit(RLIMIT_NOFILE, &old));
}

TEST(a_tree_deeper_than_descriptors_reach_is_removed)
{
        char dir[] = "/tmp/test-deep-XXXXXX";
        struct rlimit old, few = { 128, 128 };
        ASSERT_TRUE(mkdtemp(dir) != NULL);
        ASSERT_OK(getrlimit(RLIMIT_NOFILE, &old));
        few.rlim_max = old.rlim_max;
        int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        for (int i = 0; i < 1000; i++) {
                ASSERT_OK(mkdirat(fd, ".deep-0", 0700) < 0 ? -errno : 0); /* a name that will be in the way */
                ASSERT_OK(symlinkat("/", fd, "link") < 0 ? -errno : 0);
                int next = openat(fd, ".deep-0", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
                close(fd);
                fd = next;
        }
        close(fd);
        ASSERT_OK(setrlimit(RLIMIT_NOFILE, &few));
        ASSERT_OK(path_remove_tree(AT_FDCWD, dir));
        ASSERT_OK(setrlimit(RLIMIT_NOFILE, &old));
        ASSERT_TRUE(access(dir, F_OK) < 0);
}

static int niceness_of_a_child(void)
{
        int status = 0;
        pid_t pid = fork();
        if (pid == 0)
                _exit(getpriority(PRIO_PROCESS, 0) + 20);
        waitpid(pid, &status, 0);
        return WEXITSTATUS(status) - 20;
}

TEST(a_preferred_process_has_children_like_all_others)
{
        int status = 0;
        pid_t pid = fork();
        if (pid == 0) {
                int before = getpriority(PRIO_PROCESS, 0);
                process_prefer_self();
                int now = getpriority(PRIO_PROCESS, 0);
                _exit(now > before || (now < 0 && niceness_of_a_child() != 0));
        }
        waitpid(pid, &status, 0);
        ASSERT_EQ(status, 0);
}
