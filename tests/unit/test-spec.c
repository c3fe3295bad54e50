/* SPDX-License-Identifier: Apache-2.0 */
/* links: runtime */
#include "runtime/spec.h"
#include "tests/lib/test.h"

#define REQUIRED                                                                                             \
        "\"version\":1,\"name\":\"c1\",\"num\":7,\"run_dir\":\"/run/x/7\",\"cgroup\":\"lightd-x/7\","        \
        "\"rootfs\":{\"type\":\"overlay\",\"lowers\":[\"/l/a\",\"/l/b\"],\"volume\":\"/p/"                   \
        "v\",\"create\":true},"
#define IDMAP "\"idmap\":{\"base\":1065536,\"size\":65536}"

static int parse(const char *text, struct spec *s, struct error *err)
{
        _cleanup_json_ struct json_object *o = NULL;
        int r = json_parse(text, strlen(text), &o, err);
        return r < 0 ? r : spec_parse(o, s, err);
}

static void refused(const char *text, const char *part)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        _cleanup_spec_ struct spec s = SPEC_INIT;
        ASSERT_TRUE(parse(text, &s, &err) < 0);
        ASSERT_CONTAINS(error_message(&err), part);
}

TEST(a_small_spec_gets_its_defaults)
{
        _cleanup_spec_ struct spec s = SPEC_INIT;
        ASSERT_OK(parse("{" REQUIRED IDMAP "}", &s, NULL));
        ASSERT_STR(s.hostname, "c1");
        ASSERT_STR(s.init[0], "/sbin/init");
        ASSERT_EQ(s.idmap.base, 1065536);
        ASSERT_EQ(s.rootfs.n_lowers, 2);
        ASSERT_STR(s.rootfs.lowers[1], "/l/b");
        ASSERT_EQ(s.limits.memory_max, -1);
        ASSERT_TRUE(s.has_seccomp);
        ASSERT_FALSE(s.is_privileged);
}

TEST(every_list_is_decoded)
{
        _cleanup_spec_ struct spec s = SPEC_INIT;
        _cleanup_error_ struct error err = ERROR_INIT;
        if (parse("{" REQUIRED IDMAP
                  ",\"environment\":{\"A\":\"b\"},\"sysctl\":{\"net.ipv4.ip_forward\":\"1\"},"
                  "\"limits\":{\"memory_max\":1048576,\"cpus\":\"0-1\",\"pids_max\":100},"
                  "\"mounts\":[{\"source\":\"/srv\",\"target\":\"/mnt/a\",\"readonly\":true,\"shift\":true},"
                  "{\"type\":\"tmpfs\",\"target\":\"/t\",\"options\":\"size=1m\"}],"
                  "\"devices\":[{\"type\":\"unix-char\",\"source\":\"/dev/kvm\"}],"
                  "\"nics\":[{\"host_name\":\"lv1\",\"bridge\":\"lightbr0\",\"name\":\"eth0\","
                  "\"hwaddr\":\"00:16:3e:01:02:ff\",\"mtu\":1400}],"
                  "\"capabilities_drop\":[\"sys_ptrace\"],\"files\":[{\"path\":\"/etc/"
                  "hostname\",\"content\":\"x\"}]}",
                  &s, &err) < 0)
                fail_msg("%s", error_message(&err));
        ASSERT_STR(s.environment[0].value, "b");
        ASSERT_STR(s.sysctl[0].key, "net.ipv4.ip_forward");
        ASSERT_EQ(s.limits.memory_max, 1048576);
        ASSERT_STR(s.limits.cpus, "0-1");
        ASSERT_EQ(s.n_mounts, 2);
        ASSERT_TRUE(s.mounts[0].is_readonly && s.mounts[0].is_shifted);
        ASSERT_EQ(s.mounts[1].type, MOUNT_TMPFS);
        ASSERT_STR(s.devices[0].path, "/dev/kvm");
        ASSERT_EQ(s.nics[0].hwaddr[5], 0xff);
        ASSERT_EQ(s.capabilities_drop, UINT64_C(1) << 19);
        ASSERT_EQ(s.files[0].mode, 0644);
}

TEST(host_id_zero_is_never_mapped)
{
        refused("{" REQUIRED "\"idmap\":{\"base\":0,\"size\":65536}}", "idmap");
        refused("{" REQUIRED "\"idmap\":{\"base\":4294967290,\"size\":65536}}", "idmap");
        refused("{" REQUIRED "\"idmap\":null}", "idmap");
        refused("{" REQUIRED IDMAP ",\"privileged\":true}", "idmap");
}

TEST(a_sysctl_of_the_host_is_refused)
{
        refused("{" REQUIRED IDMAP ",\"sysctl\":{\"kernel.core_pattern\":\"|/x\"}}", "kernel.core_pattern");
        refused("{" REQUIRED IDMAP ",\"sysctl\":{\"net.ipv4/../../kernel/x\":\"1\"}}", "malformed");
}

TEST(paths_that_climb_are_refused)
{
        refused("{" REQUIRED IDMAP ",\"files\":[{\"path\":\"/etc/../x\"}]}", "path");
        refused("{" REQUIRED IDMAP ",\"mounts\":[{\"source\":\"srv\",\"target\":\"/mnt\"}]}", "source");
        refused("{" REQUIRED IDMAP ",\"init\":[\"init\"]}", "init");
        ASSERT_ERR(spec_check_cgroup("../x", NULL), -EINVAL);
        ASSERT_ERR(spec_check_cgroup("/x", NULL), -EINVAL);
        ASSERT_ERR(spec_check_path("/", "x", NULL), -EINVAL);
}

TEST(what_is_required_is_required)
{
        refused("{}", "version");
        refused("{\"version\":1}", "instance name");
        refused("{\"version\":1,\"name\":\"c1\",\"run_dir\":\"/r\",\"cgroup\":\"a/b\"," IDMAP "}", "rootfs");
}
