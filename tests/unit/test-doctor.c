/* SPDX-License-Identifier: Apache-2.0 */
/* links: lightc-lib */
#include "lightc/doctor.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "tests/lib/test.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* A host that is only files. */
struct host {
        char path[64];
        int fd;
        struct doctor d;
        struct finding f;
};

static void host_init(struct host *h)
{
        *h = (struct host){ 0 };
        snprintf(h->path, sizeof h->path, "/tmp/test-doctor.XXXXXX");
        ASSERT_TRUE(mkdtemp(h->path) != NULL);
        h->fd = open(h->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        h->d = (struct doctor){ .root = h->path, .is_root = true };
}

static void host_done(struct host *h)
{
        int tmp = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        close(h->fd);
        path_remove_tree(tmp, strrchr(h->path, '/') + 1);
        close(tmp);
        finding_done(&h->f);
        json_object_put(h->d.server);
        json_object_put(h->d.pools);
        error_done(&h->d.server_error);
}

static void put(struct host *h, const char *path, const char *text)
{
        path++; /* "/proc/…" below the root */
        for (const char *slash = strchr(path, '/'); slash; slash = strchr(slash + 1, '/')) {
                _cleanup_free_ char *dir = xstrndup(path, (size_t)(slash - path));
                mkdirat(h->fd, dir, 0755);
        }
        int fd = openat(h->fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
        ASSERT_EQ(fd_write_all(fd, text, strlen(text)), 0);
        close(fd);
}

static void look_at(struct host *h, const struct check *rows, const char *name, size_t k)
{
        finding_done(&h->f);
        h->f = (struct finding){ 0 };
        for (; rows->name && !streq(rows->name, name); rows++)
                ;
        ASSERT_TRUE(rows->name != NULL);
        if (rows->look)
                rows->look(&h->d, &h->f);
        else
                ASSERT_TRUE(rows->look_each(&h->d, k, &h->f));
        ASSERT_TRUE(h->f.found.len > 0);
        ASSERT_TRUE(h->f.verdict == VERDICT_OK || h->f.fix.len > 0);
}
#define EXPECT(h, rows, name, wanted)                                                                        \
        do {                                                                                                 \
                look_at(h, rows, name, 0);                                                                   \
                ASSERT_EQ((h)->f.verdict, wanted);                                                           \
        } while (0)
#define ASSERT_SAYS(buffer, text) ASSERT_TRUE(strstr(strbuf_str(buffer), text) != NULL)

TEST(each_limit_says_how_many_containers_it_lets_in)
{
        static const struct {
                const char *check, *path, *few, *many, *says, *fix;
        } rows[] = {
                { "pid-max", "/proc/sys/kernel/pid_max", "32768\n", "4194304\n", "some 1638 containers", "sysctl -w kernel.pid_max=4194304" },
                { "file-max", "/proc/sys/fs/file-max", "5000", "9223372036854775807", "some 10 containers", "fs.file-max" },
                { "files", "/proc/sys/fs/nr_open", "1000", "1048576", "some 100 containers", "fs.nr_open" },
                { "aio", "/proc/sys/fs/aio-max-nr", "65536", "1048576", "some 25 containers", "fs.aio-max-nr=1048576" },
                { "neighbours", "/proc/sys/net/ipv4/neigh/default/gc_thresh3", "1024", "4096", "some 512 containers", "net.ipv4" },
                { "neighbours6", "/proc/sys/net/ipv6/neigh/default/gc_thresh3", "1024", "4096", "some 341 containers", "net.ipv6" },
        };
        struct host h;
        host_init(&h);
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                EXPECT(&h, doctor_limit_checks, rows[i].check, VERDICT_OK); /* no such limit */
                put(&h, rows[i].path, rows[i].few);
                EXPECT(&h, doctor_limit_checks, rows[i].check, VERDICT_WARN);
                ASSERT_SAYS(&h.f.found, rows[i].says);
                ASSERT_SAYS(&h.f.fix, rows[i].fix);
                put(&h, rows[i].path, rows[i].many);
                EXPECT(&h, doctor_limit_checks, rows[i].check, VERDICT_OK);
                ASSERT_SAYS(&h.f.found, "containers");
        }
        host_done(&h);
}

TEST(keys_and_watches_are_quotas_of_each_container)
{
        struct host h;
        host_init(&h);
        put(&h, "/proc/sys/kernel/keys/maxkeys", "200");
        put(&h, "/proc/sys/kernel/keys/maxbytes", "20000");
        EXPECT(&h, doctor_limit_checks, "keys", VERDICT_OK);
        put(&h, "/proc/sys/kernel/keys/maxbytes", "100");
        EXPECT(&h, doctor_limit_checks, "keys", VERDICT_WARN);
        ASSERT_SAYS(&h.f.fix, "kernel.keys.maxbytes=160000");
        put(&h, "/proc/sys/fs/inotify/max_user_instances", "128");
        EXPECT(&h, doctor_limit_checks, "inotify", VERDICT_OK);
        ASSERT_SAYS(&h.f.found, "128 for each container");
        put(&h, "/proc/sys/fs/inotify/max_user_watches", "100");
        EXPECT(&h, doctor_limit_checks, "inotify", VERDICT_WARN);
        ASSERT_SAYS(&h.f.fix, "max_user_watches");
        host_done(&h);
}

TEST(ids_that_two_have_are_found)
{
        struct host h;
        host_init(&h);
        put(&h, "/proc/self/uid_map", "0 100000 65536\n");
        EXPECT(&h, doctor_limit_checks, "ids", VERDICT_FAIL);
        put(&h, "/proc/self/uid_map", "         0          0 4294967295\n");
        put(&h, "/etc/subuid", "ann:100000:65536\nbob:165536:65536\nroot:4026531840:1000\n");
        put(&h, "/run/lightd/id-places/30", "abcd");
        EXPECT(&h, doctor_limit_checks, "ids", VERDICT_OK);
        ASSERT_SAYS(&h.f.found, "2047 containers");
        put(&h, "/etc/subgid", "ann:100000:65536\nbob:165000:65536\n");
        EXPECT(&h, doctor_limit_checks, "ids", VERDICT_WARN);
        ASSERT_SAYS(&h.f.found, "/etc/subgid gives ids from 165000 on to \"ann\" and \"bob\"");
        ASSERT_STR(strbuf_str(&h.f.fix), "usermod --del-subgids 165000-230535 bob");
        put(&h, "/etc/subgid", "");
        put(&h, "/etc/subuid", "eve:4026531840:65536\n");
        EXPECT(&h, doctor_limit_checks, "ids", VERDICT_WARN);
        ASSERT_SAYS(&h.f.found, "\"eve\" ids from 4026531840 on that containers of lightd have");
        host_done(&h);
}

TEST(kernels_are_told_apart)
{
        struct host h;
        host_init(&h);
        put(&h, "/proc/sys/kernel/osrelease", "5.10.0-9-amd64\n");
        EXPECT(&h, doctor_kernel_checks, "kernel", VERDICT_FAIL);
        put(&h, "/proc/sys/kernel/osrelease", "6.1.0-9-amd64\n");
        EXPECT(&h, doctor_kernel_checks, "kernel", VERDICT_OK);
        EXPECT(&h, doctor_kernel_checks, "squashfs", VERDICT_WARN);
        put(&h, "/proc/filesystems", "nodev\tproc\n\tsquashfs\n");
        EXPECT(&h, doctor_kernel_checks, "squashfs", VERDICT_OK);
        host_done(&h);
}

TEST(namespaces_are_counted)
{
        static const char *const kinds[] = { "user", "pid", "net", "mnt", "uts", "ipc", "cgroup" };
        struct host h;
        char path[64];
        host_init(&h);
        EXPECT(&h, doctor_kernel_checks, "namespaces", VERDICT_FAIL);
        for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
                snprintf(path, sizeof path, "/proc/self/ns/%s", kinds[i]);
                put(&h, path, "");
        }
        EXPECT(&h, doctor_kernel_checks, "namespaces", VERDICT_OK);
        put(&h, "/proc/sys/user/max_user_namespaces", "0");
        EXPECT(&h, doctor_kernel_checks, "namespaces", VERDICT_FAIL);
        ASSERT_SAYS(&h.f.fix, "max_user_namespaces");
        host_done(&h);
}

TEST(controllers_must_be_there_and_handed_down)
{
        struct host h;
        host_init(&h);
        EXPECT(&h, doctor_kernel_checks, "cgroups", VERDICT_FAIL);
        EXPECT(&h, doctor_kernel_checks, "controllers", VERDICT_FAIL);
        put(&h, "/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io pids");
        put(&h, "/sys/fs/cgroup/cgroup.subtree_control", "cpuset cpu pids");
        EXPECT(&h, doctor_kernel_checks, "cgroups", VERDICT_OK);
        EXPECT(&h, doctor_kernel_checks, "controllers", VERDICT_WARN);
        ASSERT_SAYS(&h.f.fix, "cgroup_enable=memory");
        put(&h, "/sys/fs/cgroup/cgroup.controllers", "cpuset cpu io memory pids");
        EXPECT(&h, doctor_kernel_checks, "controllers", VERDICT_OK); /* the daemon will ask for it */
        h.d.server = json_object_new_object();
        EXPECT(&h, doctor_kernel_checks, "controllers", VERDICT_WARN);
        ASSERT_STR(strbuf_str(&h.f.fix), "echo +memory >/sys/fs/cgroup/cgroup.subtree_control");
        put(&h, "/sys/fs/cgroup/memory/cgroup.procs", "");
        EXPECT(&h, doctor_kernel_checks, "controllers", VERDICT_OK);
        host_done(&h);
}

TEST(apparmor_that_is_off_is_told)
{
        struct host h;
        host_init(&h);
        EXPECT(&h, doctor_kernel_checks, "apparmor", VERDICT_OK);
        put(&h, "/sys/module/apparmor/parameters/enabled", "N\n");
        EXPECT(&h, doctor_kernel_checks, "apparmor", VERDICT_WARN);
        put(&h, "/sys/module/apparmor/parameters/enabled", "Y\n");
        EXPECT(&h, doctor_kernel_checks, "apparmor", VERDICT_OK);
        host_done(&h);
}

TEST(lxcfs_must_serve)
{
        struct host h;
        host_init(&h);
        EXPECT(&h, doctor_host_checks, "lxcfs", VERDICT_WARN);
        put(&h, "/var/lib/lxcfs/proc/meminfo", "");
        EXPECT(&h, doctor_host_checks, "lxcfs", VERDICT_WARN);
        ASSERT_SAYS(&h.f.fix, "systemctl restart lxcfs");
        put(&h, "/var/lib/lxcfs/proc/meminfo", "MemTotal: 1 kB\n");
        EXPECT(&h, doctor_host_checks, "lxcfs", VERDICT_OK);
        int fd = openat(h.fd, "var/lib/lxcfs/proc/meminfo", O_RDONLY | O_CLOEXEC);
        unlinkat(h.fd, "var/lib/lxcfs/proc/meminfo", 0);
        close(fd);
        ASSERT_EQ(mkfifoat(h.fd, "var/lib/lxcfs/proc/meminfo", 0644), 0); /* nobody ever writes: it hangs */
        EXPECT(&h, doctor_host_checks, "lxcfs", VERDICT_WARN);
        ASSERT_SAYS(&h.f.found, "hangs");
        host_done(&h);
}

static enum verdict version(const char *text, const char *oldest)
{
        struct finding f = { 0 };
        doctor_judge_version(&f, text, oldest);
        enum verdict v = f.verdict;
        ASSERT_TRUE(f.found.len > 0);
        ASSERT_TRUE(v == VERDICT_OK || f.fix.len > 0);
        finding_done(&f);
        return v;
}

TEST(versions_are_compared_number_by_number)
{
        ASSERT_EQ(version("nftables v1.0.6 (Lester Gooch #5)\n", "1.0.6"), VERDICT_OK);
        ASSERT_EQ(version("nftables v1.0.10 (x)\n", "1.0.6"), VERDICT_OK);
        ASSERT_EQ(version("nftables v0.9.8 (x)\n", "1.0.6"), VERDICT_WARN);
        ASSERT_EQ(version("Dnsmasq version 2.90  Copyright (c) 2000-2024\n", "2.89"), VERDICT_OK);
        ASSERT_EQ(version("unsquashfs version 4.4 (2019)\n", "4.5.1"), VERDICT_WARN);
        ASSERT_EQ(version("mmdebstrap 1.5.7\n", "1.3.5"), VERDICT_OK);
        ASSERT_EQ(version("", "1.0"), VERDICT_WARN);
}

TEST(the_clock_is_judged)
{
        static const struct { time_t now; bool is_synchronised; enum verdict wanted; } rows[] = {
                { 1800000000, true, VERDICT_OK }, { 1800000000, false, VERDICT_WARN }, { 86400, true, VERDICT_FAIL },
        };
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                struct finding f = { 0 };
                doctor_judge_clock(&f, rows[i].now, rows[i].is_synchronised);
                ASSERT_EQ(f.verdict, rows[i].wanted);
                ASSERT_EQ(f.fix.len > 0, rows[i].wanted != VERDICT_OK);
                finding_done(&f);
        }
}

TEST(each_pool_has_its_line)
{
        static const char text[] =
                "[{\"name\":\"good\",\"resources\":{\"space\":{\"used\":1,\"total\":99000000000},\"inodes\":{\"used\":1,\"total\":9000000}}},"
                "{\"name\":\"tight\",\"resources\":{\"space\":{\"used\":1,\"total\":2000000000},\"inodes\":{\"used\":0,\"total\":0}}},"
                "{\"name\":\"full\",\"resources\":{\"space\":{\"used\":1,\"total\":99000000000},\"inodes\":{\"used\":8,\"total\":9}}},"
                "{\"name\":\"silent\"}]";
        static const enum verdict wanted[] = { VERDICT_OK, VERDICT_WARN, VERDICT_FAIL, VERDICT_WARN };
        struct host h;
        host_init(&h);
        ASSERT_EQ(json_parse(text, strlen(text), &h.d.pools, NULL), 0);
        for (size_t k = 0; k < ARRAY_SIZE(wanted); k++) {
                look_at(&h, doctor_room_checks, "pool", k);
                ASSERT_EQ(h.f.verdict, wanted[k]);
                ASSERT_TRUE(h.f.subject[0] != '\0');
        }
        host_done(&h);
}

TEST(mirrors_are_those_of_apt_or_its_proxy)
{
        struct host h;
        host_init(&h);
        doctor_find_mirrors(&h.d);
        EXPECT(&h, doctor_mirror_checks, "mirrors", VERDICT_WARN);
        put(&h, "/etc/apt/sources.list", "# deb http://old.test/ x\ndeb [arch=amd64] http://one.test:8080/debian x main\ndeb file:/srv x main\n");
        put(&h, "/etc/apt/sources.list.d/a.sources", "Types: deb\nURIs: https://two.test/debian\n");
        put(&h, "/etc/apt/sources.list.d/a.disabled", "deb http://three.test/ x\n");
        doctor_find_mirrors(&h.d);
        ASSERT_EQ(h.d.n_mirrors, 2);
        ASSERT_STR(h.d.mirrors[0].host, "two.test");
        ASSERT_STR(h.d.mirrors[0].port, "443");
        ASSERT_STR(h.d.mirrors[1].port, "8080");
        EXPECT(&h, doctor_mirror_checks, "mirrors", VERDICT_OK);
        h.d.mirrors[0].error = ETIMEDOUT;
        EXPECT(&h, doctor_mirror_checks, "mirrors", VERDICT_WARN);
        put(&h, "/etc/apt/apt.conf.d/01proxy", "// a comment\nAcquire::http::Proxy \"http://proxy.test:3142\";\n");
        doctor_find_mirrors(&h.d);
        ASSERT_EQ(h.d.n_mirrors, 1);
        ASSERT_STR(h.d.mirrors[0].host, "proxy.test");
        host_done(&h);
}

TEST(mirrors_are_tried_at_once)
{
        struct host h;
        host_init(&h);
        h.d.n_mirrors = 2;
        snprintf(h.d.mirrors[0].host, 256, "127.0.0.1");
        snprintf(h.d.mirrors[0].port, 8, "1");
        snprintf(h.d.mirrors[1].host, 256, "no such host");
        snprintf(h.d.mirrors[1].port, 8, "80");
        doctor_reach_mirrors(&h.d);
        ASSERT_EQ(h.d.mirrors[0].error, ECONNREFUSED);
        ASSERT_TRUE(h.d.mirrors[1].error != 0);
        host_done(&h);
}

TEST(a_daemon_that_is_down_refuses_or_answers)
{
        struct host h;
        host_init(&h);
        error_set(&h.d.server_error, ERR_UNAVAILABLE, "The daemon is not running");
        EXPECT(&h, doctor_daemon_checks, "daemon", VERDICT_FAIL);
        EXPECT(&h, doctor_daemon_checks, "permission", VERDICT_OK);
        EXPECT(&h, doctor_daemon_checks, "daemon-files", VERDICT_OK);
        error_set(&h.d.server_error, ERR_FORBIDDEN, "You are not allowed to use the daemon's socket");
        EXPECT(&h, doctor_daemon_checks, "daemon", VERDICT_OK);
        EXPECT(&h, doctor_daemon_checks, "permission", VERDICT_FAIL);
        ASSERT_EQ(json_parse("{\"environment\":{\"server_pid\":7}}", 32, &h.d.server, NULL), 0);
        error_done(&h.d.server_error);
        h.d.server_error = ERROR_INIT;
        EXPECT(&h, doctor_daemon_checks, "daemon", VERDICT_OK);
        put(&h, "/proc/7/limits", "Max open files            1024                 4096                 files\n");
        EXPECT(&h, doctor_daemon_checks, "daemon-files", VERDICT_WARN);
        ASSERT_SAYS(&h.f.found, "some 102 containers");
        put(&h, "/proc/7/limits", "Max open files            1048576              1048576              files\n");
        EXPECT(&h, doctor_daemon_checks, "daemon-files", VERDICT_OK);
        host_done(&h);
}

TEST(the_group_is_told_to_those_outside)
{
        struct host h;
        host_init(&h);
        h.d.is_root = false;
        EXPECT(&h, doctor_daemon_checks, "group", VERDICT_OK);
        h.d.socket = (struct socket_facts){ .exists = true, .mode = 0600, .gid = 0, .me = "ann" };
        EXPECT(&h, doctor_daemon_checks, "group", VERDICT_OK);
        h.d.socket.mode = 0660, h.d.socket.gid = 77;
        EXPECT(&h, doctor_daemon_checks, "group", VERDICT_WARN);
        ASSERT_SAYS(&h.f.fix, "groupadd");
        snprintf(h.d.socket.group, 64, "lightd");
        EXPECT(&h, doctor_daemon_checks, "group", VERDICT_WARN);
        ASSERT_SAYS(&h.f.fix, "usermod -aG lightd ann");
        h.d.socket.is_named_member = true;
        EXPECT(&h, doctor_daemon_checks, "group", VERDICT_WARN);
        ASSERT_SAYS(&h.f.fix, "newgrp lightd");
        h.d.socket.is_in_session = true;
        EXPECT(&h, doctor_daemon_checks, "group", VERDICT_OK);
        host_done(&h);
}
