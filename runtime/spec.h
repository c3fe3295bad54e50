/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The runtime spec: everything `lightrun start` is told about one container, as one JSON object, decoded and
 * checked here. Pure: no system call, so the daemon, the unit tests and the fuzzer link it too. Knows no
 * project's rules, no pool, no image: paths and numbers only.
 *
 * {"version":1, "name":"c1", "project":"default", "hostname":"c1", "uuid":"…", "num":7,
 *  "run_dir":"/run/lightd/<did>/<num>", "console_log":"" or a path, "cgroup":"lightd-<did>/<num>",
 *  "idmap":{"base":1065536,"size":65536} or null (privileged),
 *  "rootfs":{"type":"overlay","lowers":[<directory>, … topmost first],"volume":<directory>,"create":true}
 *        or {"type":"dir","volume":<directory>,"create":true},
 *  "init":["/sbin/init"], "environment":{"A":"b"}, "privileged":false, "nesting":false, "linux32":false,
 *  "limits":{"memory_max":N,"memory_swap_max":N,"pids_max":N,"cpus":"0-1","cpu_quota_us":N,"cpu_period_us":N,
 *            "cpu_shares":N},
 *  "mounts":[{"source":…,"target":…,"type":"bind|tmpfs","options":"size=1m","readonly":false,"recursive":false,
 *             "optional":false,"shift":false}],
 *  "devices":[{"type":"unix-char|unix-block","source":"/dev/kvm","path":"/dev/kvm","major":10,"minor":232,
 *              "uid":0,"gid":0,"mode":432,"optional":false}],
 *  "nics":[{"type":"bridged|p2p","host_name":…,"bridge":…,"name":"eth0","hwaddr":"00:16:3e:01:02:03","mtu":1500}],
 *  "lxcfs":"" or "/var/lib/lxcfs", "sysctl":{"net.ipv4.ip_forward":"1"}, "seccomp":{"default":true}, "apparmor":false,
 *  "capabilities_drop":["sys_ptrace"], "files":[{"path":"/etc/hostname","content":"c1\n","mode":420}]}
 *
 * Required: version, name, num, run_dir, cgroup, rootfs, idmap (unless privileged). Unknown keys are ignored.
 */
#pragma once

#include "base/error.h"
#include "base/json.h"
#include <sys/types.h>

#define SPEC_VERSION 1
#define SPEC_LAYERS_MAX 64

struct spec_idmap {
        uint32_t base; /* 0: privileged, no user namespace */
        uint32_t size;
};

enum spec_rootfs_type { ROOTFS_OVERLAY, ROOTFS_DIR };

struct spec_rootfs {
        enum spec_rootfs_type type;
        char **lowers; /* topmost first */
        size_t n_lowers;
        char *volume;
        bool create; /* make the volume's directories when they are missing */
};

struct spec_limits {
        /* -1: none; for pids_max: a quarter of the host's */
        int64_t memory_max, memory_swap_max, pids_max, cpu_quota_us, cpu_period_us, cpu_shares;
        char *cpus; /* NULL: all */
};

enum spec_mount_type { MOUNT_BIND, MOUNT_TMPFS };

struct spec_mount {
        enum spec_mount_type type;
        char *source, *target, *options;
        bool is_readonly, is_recursive, is_optional, is_shifted;
};

struct spec_device {
        bool is_block, is_optional, has_number;
        char *source, *path;
        unsigned major, minor;
        uint32_t uid, gid;
        mode_t mode;
};

struct spec_nic {
        bool is_bridged;
        char *host_name, *bridge, *name;
        uint8_t hwaddr[6];
        bool has_hwaddr;
        unsigned mtu; /* 0: the kernel's */
};

struct spec_pair {
        char *key, *value;
};

struct spec_file {
        char *path, *content;
        mode_t mode;
        bool is_create_only; /* one that is there already stays */
};

struct spec {
        char *name, *project, *hostname, *uuid, *run_dir, *console_log, *cgroup, *lxcfs;
        unsigned num;
        struct spec_idmap idmap;
        struct spec_rootfs rootfs;
        char **init; /* NULL-ended, at least one word */
        size_t n_init;
        struct spec_pair *environment, *sysctl;
        size_t n_environment, n_sysctl;
        bool is_privileged, is_nesting, has_seccomp, has_apparmor, is_32bit; /* has_apparmor: in the profile of its kind */
        struct spec_limits limits;
        struct spec_mount *mounts;
        struct spec_device *devices;
        struct spec_nic *nics;
        struct spec_file *files;
        size_t n_mounts, n_devices, n_nics, n_files;
        uint64_t capabilities_drop; /* bit = capability number */
};

#define SPEC_INIT ((struct spec){ 0 })
#define _cleanup_spec_ _cleanup_(spec_done)

/* 0 and a filled *ret, or -EINVAL and a sentence that names the key. */
int spec_parse(struct json_object *o, struct spec *ret, struct error *err);
void spec_done(struct spec *s);

/* The parts other jobs take too ("rootfs", "idmap" of file jobs and volume-create). o may be NULL. */
int spec_parse_rootfs(struct json_object *o, struct spec_rootfs *ret, struct error *err);
int spec_parse_idmap(struct json_object *o, struct spec_idmap *ret, struct error *err);
int spec_parse_capabilities(struct json_object *o, uint64_t *ret_drop,
                            struct error *err); /* "capabilities_drop" of o */
void spec_rootfs_done(struct spec_rootfs *r);
/* An absolute path without "." and ".." components and repeated slashes; key is for the sentence. */
int spec_check_path(const char *path, const char *key, struct error *err);
/* A cgroup path below each hierarchy's root: relative, no "." and "..". */
int spec_check_cgroup(const char *path, struct error *err);
