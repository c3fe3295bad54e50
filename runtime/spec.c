/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/spec.h"
#include "base/alloc.h"
#include "base/names.h"

#include <stdio.h>

#define LIST_MAX 256
#define FILE_CONTENT_MAX MiB(1)

static int bad(struct error *err, const char *key, const char *why)
{
        return error_set(err, ERR_BAD_REQUEST, "Runtime spec: \"%s\" %s", key, why);
}

static bool components_are_plain(const char *p)
{
        while (*p) {
                size_t n = strcspn(p, "/");
                if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
                        return false;
                p += n;
                if (*p == '/' && *++p == '\0')
                        return false;
        }
        return true;
}

static bool has_control(const char *s)
{
        for (; *s; s++)
                if ((unsigned char)*s < 0x20 || *s == 0x7f)
                        return true;
        return false;
}

int spec_check_path(const char *path, const char *key, struct error *err)
{
        if (str_empty(path))
                return bad(err, key, "is missing");
        if (path[0] != '/' || !path[1] || !components_are_plain(path + 1) || strlen(path) >= 4000)
                return bad(err, key, "is not a plain absolute path");
        return 0;
}

int spec_check_cgroup(const char *path, struct error *err)
{
        if (str_empty(path) || path[0] == '/' || !components_are_plain(path) || has_control(path) ||
            strlen(path) > 1000)
                return bad(err, "cgroup", "is not a relative path");
        return 0;
}

static int take_path(struct json_object *o, const char *key, char **ret, struct error *err)
{
        const char *path = json_get_string(o, key, NULL);
        int r = spec_check_path(path, key, err);
        if (r >= 0)
                *ret = xstrdup(path);
        return r;
}

static int take_uint(struct json_object *o, const char *key, int64_t fallback, int64_t max, int64_t *ret,
                     struct error *err)
{
        int64_t v = json_get_int(o, key, fallback);
        *ret = v;
        return v != fallback && (v < 0 || v > max) ? bad(err, key, "is out of range") : 0;
}

static int take_flag(struct json_object *o, const char *key, bool *ret)
{
        *ret = json_get_bool(o, key, false);
        return 0;
}

int spec_parse_idmap(struct json_object *o, struct spec_idmap *ret, struct error *err)
{
        *ret = (struct spec_idmap){ 0 };
        if (!o)
                return 0;
        int64_t base = json_get_int(o, "base", 0), size = json_get_int(o, "size", 0);
        /* Host id 0 is never mapped; 4294967295 means "nobody" to the kernel. */
        if (base < 1 || size < 1 || base > UINT32_MAX - 1 || size > UINT32_MAX - 1 ||
            base + size > UINT32_MAX)
                return bad(err, "idmap", "is not a range of ids above 0");
        *ret = (struct spec_idmap){ .base = (uint32_t)base, .size = (uint32_t)size };
        return 0;
}

static int parse_lowers(struct json_object *o, struct spec_rootfs *r, struct error *err)
{
        struct json_object *list = json_get_array(o, "lowers");
        size_t n = list ? json_object_array_length(list) : 0;
        if (n == 0 || n > SPEC_LAYERS_MAX)
                return bad(err, "lowers", "is not a list of 1 to 64 directories");
        r->lowers = xnew_array(char *, n);
        for (size_t i = 0; i < n; i++) {
                struct json_object *v = json_object_array_get_idx(list, i);
                const char *path =
                        json_object_is_type(v, json_type_string) ? json_object_get_string(v) : NULL;
                int k = spec_check_path(path, "lowers", err);
                if (k < 0)
                        return k;
                r->lowers[r->n_lowers++] = xstrdup(path);
        }
        return 0;
}

int spec_parse_rootfs(struct json_object *o, struct spec_rootfs *ret, struct error *err)
{
        const char *type = json_get_string(o, "type", "");
        *ret = (struct spec_rootfs){ .create = json_get_bool(o, "create", false) };
        if (streq(type, "overlay"))
                ret->type = ROOTFS_OVERLAY;
        else if (streq(type, "dir"))
                ret->type = ROOTFS_DIR;
        else
                return bad(err, "rootfs", "has no known type (overlay, dir)");
        int r = take_path(o, "volume", &ret->volume, err);
        if (r >= 0 && ret->type == ROOTFS_OVERLAY)
                r = parse_lowers(o, ret, err);
        if (r < 0)
                spec_rootfs_done(ret);
        return r;
}

static int parse_words(struct json_object *list, const char *key, char ***ret, size_t *ret_n,
                       struct error *err)
{
        size_t n = list ? json_object_array_length(list) : 0;
        if (n > LIST_MAX)
                return bad(err, key, "is too long");
        *ret = xnew_array(char *, n + 1);
        for (size_t i = 0; i < n; i++) {
                struct json_object *v = json_object_array_get_idx(list, i);
                if (!json_object_is_type(v, json_type_string))
                        return bad(err, key, "holds something that is not text");
                (*ret)[(*ret_n)++] = xstrdup(json_object_get_string(v));
        }
        return 0;
}

static int parse_init(struct json_object *o, struct spec *s, struct error *err)
{
        int r = parse_words(json_get_array(o, "init"), "init", &s->init, &s->n_init, err);
        if (r < 0)
                return r;
        if (s->n_init == 0) {
                free(s->init);
                s->init = xnew_array(char *, 2);
                s->init[s->n_init++] = xstrdup("/sbin/init");
        }
        return s->init[0][0] == '/' ? 0 : bad(err, "init", "does not begin with an absolute path");
}

static bool is_sysctl_name(const char *key)
{
        return key[0] >= 'a' && key[0] <= 'z' && !strstr(key, "..") && !has_control(key) &&
               strlen(key) < 200 && key[strlen(key) - 1] != '.' && !strchr(key, ' ');
}

/* Only trees that belong to a namespace of the container; anything else would change the host. */
static bool is_sysctl_namespaced(const char *key)
{
        static const char *const trees[] = { "net.", "fs.mqueue.", "user." };
        static const char *const names[] = {
                "kernel.hostname",   "kernel.domainname", "kernel.sem",         "kernel.msgmax",
                "kernel.msgmnb",     "kernel.msgmni",     "kernel.msg_next_id", "kernel.shmall",
                "kernel.shmmax",     "kernel.shmmni",     "kernel.shm_next_id", "kernel.shm_rmid_forced",
                "kernel.sem_next_id"
        };
        for (size_t i = 0; i < ARRAY_SIZE(trees); i++)
                if (str_starts(key, trees[i]))
                        return true;
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (streq(key, names[i]))
                        return true;
        return false;
}

static int check_sysctl(const char *key, struct error *err)
{
        if (!is_sysctl_name(key) || strchr(key, '/') == key)
                return error_set(err, ERR_BAD_REQUEST, "Runtime spec: sysctl name is malformed");
        if (!is_sysctl_namespaced(key))
                return error_set(err, ERR_FORBIDDEN, "Sysctl \"%s\" belongs to the host, not to a container",
                                 key);
        return 0;
}

static int check_variable(const char *key, struct error *err)
{
        if (!*key || strchr(key, '=') || has_control(key))
                return bad(err, "environment", "holds a malformed name");
        return 0;
}

static int parse_pairs(struct json_object *o, const char *name, int (*check)(const char *, struct error *),
                       struct spec_pair **ret, size_t *ret_n, struct error *err)
{
        struct json_object *map = json_get_object(o, name);
        int n = map ? json_object_object_length(map) : 0;
        if (n == 0)
                return 0;
        if (n > LIST_MAX)
                return bad(err, name, "has too many entries");
        *ret = xnew_array(struct spec_pair, (size_t)n);
        json_object_object_foreach (map, key, value) {
                int r = check(key, err);
                if (r < 0)
                        return r;
                if (!json_object_is_type(value, json_type_string))
                        return bad(err, name, "holds something that is not text");
                (*ret)[(*ret_n)++] =
                        (struct spec_pair){ xstrdup(key), xstrdup(json_object_get_string(value)) };
        }
        return 0;
}

static int parse_limits(struct json_object *o, struct spec_limits *l, struct error *err)
{
        const char *cpus = json_get_string(o, "cpus", NULL);
        int r = take_uint(o, "memory_max", -1, INT64_MAX, &l->memory_max, err);
        if (r >= 0)
                r = take_uint(o, "memory_swap_max", -1, INT64_MAX, &l->memory_swap_max, err);
        if (r >= 0)
                r = take_uint(o, "pids_max", -1, 1 << 22, &l->pids_max, err);
        if (r >= 0)
                r = take_uint(o, "cpu_quota_us", -1, 1000000000000, &l->cpu_quota_us, err);
        if (r >= 0)
                r = take_uint(o, "cpu_period_us", -1, 1000000, &l->cpu_period_us, err);
        if (r >= 0)
                r = take_uint(o, "cpu_shares", -1, 262144, &l->cpu_shares, err);
        if (r < 0)
                return r;
        if (!str_empty(cpus)) {
                if (cpus[strspn(cpus, "0123456789,-")] || strlen(cpus) > 2000)
                        return bad(err, "cpus", "is not a list of processors");
                l->cpus = xstrdup(cpus);
        }
        return 0;
}

static int parse_mount(struct json_object *o, void *to, struct error *err)
{
        struct spec_mount *m = to;
        const char *type = json_get_string(o, "type", "bind");
        if (streq(type, "bind"))
                m->type = MOUNT_BIND;
        else if (streq(type, "tmpfs"))
                m->type = MOUNT_TMPFS;
        else
                return bad(err, "mounts", "has an unknown type (bind, tmpfs)");
        take_flag(o, "readonly", &m->is_readonly);
        take_flag(o, "recursive", &m->is_recursive);
        take_flag(o, "optional", &m->is_optional);
        take_flag(o, "shift", &m->is_shifted);
        const char *options = json_get_string(o, "options", "");
        if (has_control(options) || strlen(options) > 200)
                return bad(err, "options", "is malformed");
        m->options = xstrdup(options);
        int r = take_path(o, "target", &m->target, err);
        if (r >= 0 && m->type == MOUNT_BIND)
                r = take_path(o, "source", &m->source, err);
        return r;
}

static int parse_device(struct json_object *o, void *to, struct error *err)
{
        struct spec_device *d = to;
        const char *type = json_get_string(o, "type", "");
        int64_t major, minor, uid, gid, mode;
        if (!streq(type, "unix-char") && !streq(type, "unix-block"))
                return bad(err, "devices", "has an unknown type (unix-char, unix-block)");
        d->is_block = streq(type, "unix-block");
        take_flag(o, "optional", &d->is_optional);
        int r = take_path(o, "source", &d->source, err);
        if (r >= 0 && json_has(o, "path"))
                r = take_path(o, "path", &d->path, err);
        else if (r >= 0)
                d->path = xstrdup(d->source);
        if (r < 0)
                return r;
        if (take_uint(o, "major", -1, 4095, &major, err) < 0 ||
            take_uint(o, "minor", -1, 1048575, &minor, err) < 0 ||
            take_uint(o, "uid", 0, UINT32_MAX - 1, &uid, err) < 0 ||
            take_uint(o, "gid", 0, UINT32_MAX - 1, &gid, err) < 0 ||
            take_uint(o, "mode", 0660, 07777, &mode, err) < 0)
                return -EINVAL;
        d->has_number = major >= 0 && minor >= 0;
        d->major = d->has_number ? (unsigned)major : 0;
        d->minor = d->has_number ? (unsigned)minor : 0;
        d->uid = (uint32_t)uid;
        d->gid = (uint32_t)gid;
        d->mode = (mode_t)mode;
        return 0;
}

static int parse_hwaddr(const char *text, uint8_t ret[static 6], struct error *err)
{
        unsigned b[6];
        char end;
        if (strlen(text) != 17 ||
            sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%c", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5], &end) != 6)
                return bad(err, "hwaddr", "is not a hardware address");
        for (int i = 0; i < 6; i++)
                ret[i] = (uint8_t)b[i];
        return ret[0] & 1 ? bad(err, "hwaddr", "is a group address") : 0;
}

static int take_link_name(struct json_object *o, const char *key, char **ret, struct error *err)
{
        const char *name = json_get_string(o, key, "");
        int r = name_check_network(name, err);
        if (r >= 0)
                *ret = xstrdup(name);
        return r;
}

static int parse_nic(struct json_object *o, void *to, struct error *err)
{
        struct spec_nic *n = to;
        const char *type = json_get_string(o, "type", "bridged"), *hwaddr = json_get_string(o, "hwaddr", "");
        int64_t mtu;
        if (!streq(type, "bridged") && !streq(type, "p2p"))
                return bad(err, "nics", "has an unknown type (bridged, p2p)");
        n->is_bridged = streq(type, "bridged");
        int r = take_link_name(o, "host_name", &n->host_name, err);
        if (r >= 0)
                r = take_link_name(o, "name", &n->name, err);
        if (r >= 0 && n->is_bridged)
                r = take_link_name(o, "bridge", &n->bridge, err);
        if (r >= 0)
                r = take_uint(o, "mtu", 0, 65535, &mtu, err);
        if (r < 0)
                return r;
        n->mtu = (unsigned)mtu;
        n->has_hwaddr = !str_empty(hwaddr);
        return n->has_hwaddr ? parse_hwaddr(hwaddr, n->hwaddr, err) : 0;
}

static int parse_file(struct json_object *o, void *to, struct error *err)
{
        struct spec_file *f = to;
        const char *content = json_get_string(o, "content", "");
        int64_t mode;
        int r = take_path(o, "path", &f->path, err);
        if (r >= 0)
                r = take_uint(o, "mode", 0644, 07777, &mode, err);
        if (r < 0)
                return r;
        if (strlen(content) > FILE_CONTENT_MAX)
                return bad(err, "files", "has a content of more than 1 MiB");
        f->content = xstrdup(content);
        f->mode = (mode_t)mode;
        f->is_create_only = json_get_bool(o, "create_only", false);
        return 0;
}

/* A list of objects: each is counted before it is filled, so that a half-filled one is freed too. */
static int parse_list(struct json_object *o, const char *key, size_t size, void **ret, size_t *ret_n,
                      int (*parse)(struct json_object *, void *, struct error *), struct error *err)
{
        struct json_object *list = json_get_array(o, key);
        size_t n = list ? json_object_array_length(list) : 0;
        if (n > LIST_MAX)
                return bad(err, key, "is too long");
        if (n == 0)
                return 0;
        *ret = xcalloc(n, size);
        for (size_t i = 0; i < n; i++) {
                struct json_object *item = json_object_array_get_idx(list, i);
                if (!json_object_is_type(item, json_type_object))
                        return bad(err, key, "holds something that is not an object");
                int r = parse(item, (char *)*ret + size * (*ret_n)++, err);
                if (r < 0)
                        return r;
        }
        return 0;
}
#define PARSE_LIST(o, key, list, n, fn, err)                                                                 \
        parse_list(o, key, sizeof *(list), (void **)&(list), &(n), fn, err)

static int parse_lists(struct json_object *o, struct spec *s, struct error *err)
{
        int r = parse_pairs(o, "environment", check_variable, &s->environment, &s->n_environment, err);
        if (r >= 0)
                r = parse_pairs(o, "sysctl", check_sysctl, &s->sysctl, &s->n_sysctl, err);
        if (r >= 0)
                r = PARSE_LIST(o, "mounts", s->mounts, s->n_mounts, parse_mount, err);
        if (r >= 0)
                r = PARSE_LIST(o, "devices", s->devices, s->n_devices, parse_device, err);
        if (r >= 0)
                r = PARSE_LIST(o, "nics", s->nics, s->n_nics, parse_nic, err);
        if (r >= 0)
                r = PARSE_LIST(o, "files", s->files, s->n_files, parse_file, err);
        return r;
}

static int capability_number(const char *name)
{
        /* In the order of the kernel's numbers, which never changes. */
        static const char *const names[] = {
                "chown",
                "dac_override",
                "dac_read_search",
                "fowner",
                "fsetid",
                "kill",
                "setgid",
                "setuid",
                "setpcap",
                "linux_immutable",
                "net_bind_service",
                "net_broadcast",
                "net_admin",
                "net_raw",
                "ipc_lock",
                "ipc_owner",
                "sys_module",
                "sys_rawio",
                "sys_chroot",
                "sys_ptrace",
                "sys_pacct",
                "sys_admin",
                "sys_boot",
                "sys_nice",
                "sys_resource",
                "sys_time",
                "sys_tty_config",
                "mknod",
                "lease",
                "audit_write",
                "audit_control",
                "setfcap",
                "mac_override",
                "mac_admin",
                "syslog",
                "wake_alarm",
                "block_suspend",
                "audit_read",
                "perfmon",
                "bpf",
                "checkpoint_restore",
        };
        for (size_t i = 0; i < ARRAY_SIZE(names); i++)
                if (streq(names[i], name))
                        return (int)i;
        return -EINVAL;
}

int spec_parse_capabilities(struct json_object *o, uint64_t *ret, struct error *err)
{
        struct json_object *list = json_get_array(o, "capabilities_drop");
        size_t n = list ? json_object_array_length(list) : 0;
        for (size_t i = 0; i < n; i++) {
                struct json_object *v = json_object_array_get_idx(list, i);
                int bit = json_object_is_type(v, json_type_string)
                                  ? capability_number(json_object_get_string(v))
                                  : -EINVAL;
                if (bit < 0)
                        return bad(err, "capabilities_drop", "names an unknown capability");
                *ret |= UINT64_C(1) << bit;
        }
        return 0;
}

static int parse_names(struct json_object *o, struct spec *s, struct error *err)
{
        const char *name = json_get_string(o, "name", ""), *uuid = json_get_string(o, "uuid", "");
        const char *hostname = json_get_string(o, "hostname", name);
        int64_t num;
        int r = name_check_instance(name, err);
        if (r >= 0)
                r = name_check_instance(hostname, err);
        if (r >= 0 && *uuid)
                r = name_check_uuid(uuid, err);
        if (r >= 0)
                r = take_uint(o, "num", 0, (1 << 24) - 1, &num, err);
        if (r < 0)
                return r;
        s->name = xstrdup(name);
        s->project = xstrdup(json_get_string(o, "project", "default"));
        s->hostname = xstrdup(hostname);
        s->uuid = xstrdup(uuid);
        s->num = (unsigned)num;
        return has_control(s->project) ? bad(err, "project", "is malformed") : 0;
}

static int parse_places(struct json_object *o, struct spec *s, struct error *err)
{
        const char *cgroup = json_get_string(o, "cgroup", "");
        int r = take_path(o, "run_dir", &s->run_dir, err);
        if (r >= 0)
                r = spec_check_cgroup(cgroup, err);
        if (r >= 0 && !str_empty(json_get_string(o, "console_log", "")))
                r = take_path(o, "console_log", &s->console_log, err);
        if (r >= 0 && !str_empty(json_get_string(o, "lxcfs", "")))
                r = take_path(o, "lxcfs", &s->lxcfs, err);
        s->cgroup = xstrdup(cgroup);
        return r;
}

static int parse_isolation(struct json_object *o, struct spec *s, struct error *err)
{
        struct json_object *seccomp = json_get_object(o, "seccomp");
        int r = spec_parse_idmap(json_get_object(o, "idmap"), &s->idmap, err);
        if (r < 0)
                return r;
        take_flag(o, "privileged", &s->is_privileged);
        take_flag(o, "nesting", &s->is_nesting);
        take_flag(o, "apparmor", &s->has_apparmor);
        take_flag(o, "linux32", &s->is_32bit);
        s->has_seccomp = json_get_bool(seccomp, "default", true);
        if (s->is_privileged != (s->idmap.base == 0))
                return bad(err, "idmap",
                           s->is_privileged ? "is given for a privileged container" : "is missing");
        return spec_parse_capabilities(o, &s->capabilities_drop, err);
}

int spec_parse(struct json_object *o, struct spec *ret, struct error *err)
{
        struct spec s = SPEC_INIT;
        if (json_get_int(o, "version", 0) != SPEC_VERSION)
                return bad(err, "version", "is not 1");
        int r = parse_names(o, &s, err);
        if (r >= 0)
                r = parse_places(o, &s, err);
        if (r >= 0)
                r = parse_isolation(o, &s, err);
        if (r >= 0)
                r = spec_parse_rootfs(json_get_object(o, "rootfs"), &s.rootfs, err);
        if (r >= 0)
                r = parse_init(o, &s, err);
        if (r >= 0)
                r = parse_limits(json_get_object(o, "limits"), &s.limits, err);
        if (r >= 0)
                r = parse_lists(o, &s, err);
        if (r < 0) {
                spec_done(&s);
                return r;
        }
        *ret = s;
        return 0;
}

static void free_words(char **words, size_t n)
{
        for (size_t i = 0; i < n; i++)
                free(words[i]);
        free(words);
}

static void free_pairs(struct spec_pair *pairs, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                free(pairs[i].key);
                free(pairs[i].value);
        }
        free(pairs);
}

void spec_rootfs_done(struct spec_rootfs *r)
{
        free_words(r->lowers, r->n_lowers);
        free(r->volume);
        *r = (struct spec_rootfs){ 0 };
}

static void free_lists(struct spec *s)
{
        for (size_t i = 0; i < s->n_mounts; i++) {
                free(s->mounts[i].source);
                free(s->mounts[i].target);
                free(s->mounts[i].options);
        }
        for (size_t i = 0; i < s->n_devices; i++) {
                free(s->devices[i].source);
                free(s->devices[i].path);
        }
        for (size_t i = 0; i < s->n_nics; i++) {
                free(s->nics[i].host_name);
                free(s->nics[i].bridge);
                free(s->nics[i].name);
        }
        for (size_t i = 0; i < s->n_files; i++) {
                free(s->files[i].path);
                free(s->files[i].content);
        }
        free(s->mounts);
        free(s->devices);
        free(s->nics);
        free(s->files);
}

void spec_done(struct spec *s)
{
        char *texts[] = { s->name,        s->project, s->hostname, s->uuid,       s->run_dir,
                          s->console_log, s->cgroup,  s->lxcfs,    s->limits.cpus };
        for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
                free(texts[i]);
        spec_rootfs_done(&s->rootfs);
        free_words(s->init, s->n_init);
        free_pairs(s->environment, s->n_environment);
        free_pairs(s->sysctl, s->n_sysctl);
        free_lists(s);
        *s = SPEC_INIT;
}
