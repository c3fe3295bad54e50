/* SPDX-License-Identifier: Apache-2.0 */
/* links: runtime */
#include "base/alloc.h"
#include "runtime/exec-request.h"
#include "runtime/file-path.h"
#include "tests/lib/test.h"

#include <sys/stat.h>

static int read_text(const char *text, struct exec_request *req, struct error *err)
{
        _cleanup_json_ struct json_object *args = NULL;
        ASSERT_OK(json_parse(text, strlen(text), &args, NULL));
        return exec_request_read(args, req, err);
}

static void refuse(const char *text, const char *part)
{
        _cleanup_(exec_request_done) struct exec_request req = { 0 };
        _cleanup_error_ struct error err = ERROR_INIT;
        ASSERT_ERR(read_text(text, &req, &err), -EINVAL);
        ASSERT_CONTAINS(error_message(&err), part);
}

TEST(a_command_alone_gets_what_root_has)
{
        _cleanup_(exec_request_done) struct exec_request req = { 0 };
        ASSERT_OK(read_text("{\"command\":[\"ls\",\"-l\"]}", &req, NULL));
        ASSERT_STR(req.argv[0], "ls");
        ASSERT_STR(req.argv[1], "-l");
        ASSERT_TRUE(req.argv[2] == NULL);
        ASSERT_STR(exec_request_env(&req, "HOME"), "/root");
        ASSERT_STR(exec_request_env(&req, "USER"), "root");
        ASSERT_STR(exec_request_env(&req, "LANG"), "C.UTF-8");
        ASSERT_STR(exec_request_env(&req, "container"), "lxc");
        ASSERT_STR(req.home, "/root");
        ASSERT_EQ(req.fds[0], -EBADF);
        ASSERT_EQ(req.host_uid, -1);
}

TEST(a_user_other_than_root_has_no_home_by_default)
{
        _cleanup_(exec_request_done) struct exec_request req = { 0 };
        ASSERT_OK(read_text(
                "{\"command\":[\"id\"],\"user\":1000,\"group\":100,\"idmap\":{\"base\":5000,\"size\":65536}}",
                &req, NULL));
        ASSERT_TRUE(exec_request_env(&req, "HOME") == NULL);
        ASSERT_TRUE(req.home == NULL);
        ASSERT_EQ(req.host_uid, 6000);
        ASSERT_EQ(req.host_gid, 5100);
}

TEST(the_callers_environment_wins)
{
        _cleanup_(exec_request_done) struct exec_request req = { 0 };
        ASSERT_OK(read_text(
                "{\"command\":[\"x\"],\"environment\":{\"HOME\":\"/srv\",\"PATH\":\"/opt\",\"HOMER\":\"=\"}}",
                &req, NULL));
        exec_request_default_path(&req, true);
        ASSERT_STR(exec_request_env(&req, "HOME"), "/srv");
        ASSERT_STR(exec_request_env(&req, "PATH"), "/opt");
        ASSERT_STR(exec_request_env(&req, "HOMER"), "=");
}

TEST(the_default_path_knows_snaps)
{
        _cleanup_(exec_request_done) struct exec_request req = { 0 };
        ASSERT_OK(read_text("{\"command\":[\"x\"]}", &req, NULL));
        exec_request_default_path(&req, true);
        ASSERT_STR(exec_request_env(&req, "PATH"),
                   "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin:/snap/bin");
}

TEST(bad_arguments_are_named)
{
        refuse("{}", "command is empty");
        refuse("{\"command\":[]}", "command is empty");
        refuse("{\"command\":[1]}", "not a list of strings");
        refuse("{\"command\":[\"x\"],\"environment\":{\"A=B\":\"c\"}}", "\"A=B\"");
        refuse("{\"command\":[\"x\"],\"environment\":{\"A\":1}}", "\"A\"");
        refuse("{\"command\":[\"x\"],\"user\":-1}", "\"user\"");
        refuse("{\"command\":[\"x\"],\"group\":4294967295}", "\"group\"");
        refuse("{\"command\":[\"x\"],\"width\":65536}", "\"width\"");
        refuse("{\"command\":[\"x\"],\"cwd\":\"home\"}", "absolute");
        refuse("{\"command\":[\"x\"],\"fds\":{\"stdin\":5}}", "\"stdin\"");
        refuse("{\"command\":[\"x\"],\"interactive\":true}", "control socket");
}

static void expect_candidates(const char *path, const char *name, const char *joined)
{
        char buf[32];
        size_t pos = 0;
        _cleanup_strbuf_ struct strbuf all = STRBUF_INIT;
        while (exec_next_candidate(path, name, &pos, buf, sizeof buf))
                strbuf_addf(&all, "%s ", buf);
        ASSERT_STR(strbuf_str(&all), joined);
}

TEST(a_name_is_looked_up_in_path)
{
        expect_candidates("/bin:/sbin", "ls", "/bin/ls /sbin/ls ");
        expect_candidates(":/sbin:", "ls", "ls /sbin/ls ls ");
        expect_candidates("", "ls", "ls ");
        expect_candidates("/bin", "./ls", "./ls ");
        expect_candidates("/bin", "/ls", "/ls ");
        expect_candidates("/bin", "", "");
        expect_candidates("/a-directory-of-more-than-32-bytes:/b", "ls", "/b/ls ");
}

static void expect_split(const char *path, const char *want_dir, const char *want_name)
{
        _cleanup_free_ char *dir = NULL, *name = NULL;
        ASSERT_OK(file_split_path(path, &dir, &name));
        ASSERT_STR(dir, want_dir);
        ASSERT_STR(name, want_name);
}

TEST(a_guests_path_has_a_directory_and_a_name)
{
        char *dir = NULL, *name = NULL;
        expect_split("/etc/hosts", "/etc/", "hosts");
        expect_split("/etc//", "/", "etc");
        expect_split("hosts", "/", "hosts");
        expect_split("/../..a", "/../", "..a");
        ASSERT_ERR(file_split_path("/", &dir, &name), -EINVAL);
        ASSERT_ERR(file_split_path("/etc/..", &dir, &name), -EINVAL);
        ASSERT_ERR(file_split_path("/etc/./", &dir, &name), -EINVAL);
        ASSERT_ERR(file_split_path("", &dir, &name), -EINVAL);
}

TEST(kinds_of_files_have_words)
{
        ASSERT_STR(file_kind(S_IFREG | 0644), "file");
        ASSERT_TRUE(file_kind(S_IFIFO) == NULL);
        ASSERT_STR(file_kind_words(S_IFIFO), "a named pipe");
}

TEST(a_command_in_a_32bit_system_is_told_so)
{
        _cleanup_(exec_request_done) struct exec_request req = { 0 }, native = { 0 };
        ASSERT_OK(read_text("{\"command\":[\"true\"],\"linux32\":true}", &req, NULL));
        ASSERT_OK(read_text("{\"command\":[\"true\"]}", &native, NULL));
        ASSERT_TRUE(req.is_32bit);
        ASSERT_FALSE(native.is_32bit);
}
