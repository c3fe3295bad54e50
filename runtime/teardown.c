/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/effect.h"
#include "base/fd.h"
#include "base/names.h"
#include "base/path.h"
#include "runtime/cgroup.h"
#include "runtime/jobs.h"
#include "runtime/net-message.h"
#include "runtime/netlink.h"

#include <fcntl.h>
#include <linux/rtnetlink.h>

#define KILL_TIMEOUT_MS 10000

/* Interfaces die with their namespace, but only once the kernel gets to it: deleting says when they are gone.
 */
static int delete_interfaces(struct json_object *args, struct error *err)
{
        struct json_object *list = json_get_array(args, "nics");
        size_t n = list ? json_object_array_length(list) : 0;
        for (size_t i = 0; i < n; i++) {
                struct json_object *item = json_object_array_get_idx(list, i);
                const char *name =
                        json_object_is_type(item, json_type_string) ? json_object_get_string(item) : "";
                int r = name_check_network(name, err);
                if (r < 0)
                        return r;
                r = netlink_delete_link(name);
                if (r < 0)
                        return error_set_errno(err, r, "Deleting the network interface \"%s\"", name);
        }
        return 0;
}

struct strays {
        const char *prefix;
        char names[64][IF_NAMESIZE];
        size_t n;
};

static int collect_stray(const struct netlink_message *m, void *data)
{
        struct strays *s = data;
        struct net_link link;
        if (s->n < ARRAY_SIZE(s->names) && net_link_parse(m, &link) && str_starts(link.name, s->prefix))
                memcpy(s->names[s->n++], link.name, sizeof link.name);
        return 0;
}

/* Of a number no object names any more nobody knows the interfaces but by how their names begin. */
static int delete_interfaces_named(const char *prefix, struct error *err)
{
        _cleanup_strbuf_ struct strbuf m = STRBUF_INIT;
        struct strays s = { .prefix = prefix };
        if (str_empty(prefix))
                return 0;
        _cleanup_close_ int fd = netlink_open(NETLINK_ROUTE, 0);
        netlink_begin(&m, RTM_GETLINK, NLM_F_DUMP, &(struct ifinfomsg){ 0 }, sizeof(struct ifinfomsg));
        int r = fd < 0 ? fd : netlink_call(fd, &m, collect_stray, &s);
        for (size_t i = 0; r >= 0 && i < s.n; i++)
                r = netlink_delete_link(s.names[i]);
        return r < 0 ? error_set_errno(err, r, "Deleting the network interfaces \"%s…\"", prefix) : 0;
}

static int remove_run_dir(const char *path, struct error *err)
{
        const char *name = strrchr(path, '/') + 1;
        _cleanup_free_ char *parent = xstrndup(path, (size_t)(name - path));
        _cleanup_close_ int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 && errno == ENOENT)
                return 0;
        int r = fd < 0 ? -errno : path_remove_tree(fd, name);
        return r < 0 ? error_set_errno(err, r, "Removing \"%s\"", path) : 0;
}

static int kill_all(const struct cgroups *c, const char *cgroup, struct error *err)
{
        int r = cgroups_kill(c, cgroup, "", KILL_TIMEOUT_MS);
        if (r < 0 && r != -ENOENT && r != -ENODEV)
                return error_set_errno(err, r, "Killing the cgroup \"%s\"", cgroup);
        return 0;
}

/* The run directory last: as long as anything is left, start-up finds the number by it. */
static int clear(const struct cgroups *c, struct json_object *args, struct error *err)
{
        const char *cgroup = json_get_string(args, "cgroup", "");
        int r = kill_all(c, cgroup, err);
        if (r >= 0)
                r = delete_interfaces(args, err);
        if (r >= 0)
                r = delete_interfaces_named(json_get_string(args, "nic_prefix", ""), err);
        if (r < 0)
                return r;
        r = cgroups_remove(c, cgroup);
        if (r < 0)
                return error_set_errno(err, r, "Removing the cgroup \"%s\"", cgroup);
        return remove_run_dir(json_get_string(args, "run_dir", ""), err);
}

/* {"cgroup","run_dir","num","nics":[names],"nic_prefix"}: whatever a run left, once more if need be. */
int job_teardown(struct json_object *args, struct json_object **ret_result _unused_, struct error *err)
{
        _cleanup_cgroups_ struct cgroups c = CGROUPS_INIT;
        const char *cgroup = json_get_string(args, "cgroup", ""),
                   *run_dir = json_get_string(args, "run_dir", "");
        int r = spec_check_cgroup(cgroup, err);
        if (r >= 0)
                r = spec_check_path(run_dir, "run_dir", err);
        if (r >= 0)
                r = cgroups_open(&c, err);
        if (r < 0)
                return r;
        effect_point(EFFECT_RUN_CLEAR, EFFECT_BEFORE);
        r = clear(&c, args, err);
        effect_point(EFFECT_RUN_CLEAR, EFFECT_AFTER);
        return r;
}

/*
 * {"cgroup":"lightd-<did>/jobs"}: the v1 groups that bounded the memory of workers which were killed before they could
 * remove them. The daemon has killed all jobs, and none has begun yet.
 */
int job_jobs_sweep(struct json_object *args, struct json_object **ret_result _unused_, struct error *err)
{
        _cleanup_cgroups_ struct cgroups c = CGROUPS_INIT;
        const char *cgroup = json_get_string(args, "cgroup", "");
        int r = spec_check_cgroup(cgroup, err);
        if (r >= 0)
                r = cgroups_open(&c, err);
        for (size_t i = 0; r >= 0 && i < c.n_v1; i++)
                if ((r = cgroups_remove_at(c.v1_fds[i], cgroup)) < 0)
                        error_set_errno(err, r, "Removing the cgroup \"%s\"", cgroup);
        return r;
}
