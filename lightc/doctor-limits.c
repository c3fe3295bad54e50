/* SPDX-License-Identifier: Apache-2.0 */
/* The kernel's limits, and how many containers each lets in. */
#include "lightc/doctor.h"
#include "base/alloc.h"
#include "base/limits.h"

#include <stdio.h>

#define PROC "/proc/sys/"

static void judge(const struct doctor *d, struct finding *f, const char *sysctl)
{
        const struct kernel_limit *l = limit_find(sysctl);
        _cleanup_free_ char *path = limit_path("", sysctl);
        long long n = doctor_number(d, path, -1);
        if (n < 0) {
                finding_set(f, VERDICT_OK, "there is no %s to be seen here", l->sysctl);
        } else if (n >= l->wanted) {
                finding_set(f, VERDICT_OK, "%s is %lld: room for some %lld containers", l->sysctl, n, n / l->each);
        } else {
                finding_set(f, VERDICT_WARN, "%s is %lld: room for some %lld containers, then %s", l->sysctl, n, n / l->each,
                            l->when_few);
                finding_fix(f, "sysctl -w %s=%lld (and a line in /etc/sysctl.d/)", l->sysctl, l->wanted);
        }
}

static void look_pids(const struct doctor *d, struct finding *f)
{
        judge(d, f, "kernel.pid_max");
}

static void look_files(const struct doctor *d, struct finding *f)
{
        judge(d, f, "fs.file-max");
}

static void look_open_files(const struct doctor *d, struct finding *f)
{
        judge(d, f, "fs.nr_open");
}

static void look_aio(const struct doctor *d, struct finding *f)
{
        judge(d, f, "fs.aio-max-nr");
}

static void look_neighbours(const struct doctor *d, struct finding *f)
{
        judge(d, f, "net.ipv4.neigh.default.gc_thresh3");
}

static void look_neighbours6(const struct doctor *d, struct finding *f)
{
        judge(d, f, "net.ipv6.neigh.default.gc_thresh3");
}

/*
 * Quotas of a user: no two containers share an id, and the owner of a container's user namespace is an id of its own. So
 * they bound what one container holds, never how many there are.
 */
struct quota {
        const char *sysctl, *path;
        long long wanted;
};

static void judge_quotas(const struct doctor *d, struct finding *f, const struct quota *quotas, size_t n, const char *why)
{
        for (size_t i = 0; i < n; i++) {
                long long value = doctor_number(d, quotas[i].path, quotas[i].wanted);
                if (value >= quotas[i].wanted)
                        continue;
                finding_set(f, VERDICT_WARN, "%s is %lld for each container: %s", quotas[i].sysctl, value, why);
                if (!f->fix.len)
                        finding_fix(f, "sysctl -w %s=%lld (and a line in /etc/sysctl.d/)", quotas[i].sysctl, quotas[i].wanted * 8);
        }
        finding_set(f, VERDICT_OK, "%lld for each container, however many containers there are",
                    doctor_number(d, quotas[0].path, quotas[0].wanted));
}

static void look_inotify(const struct doctor *d, struct finding *f)
{
        static const struct quota quotas[] = {
                { "fs.inotify.max_user_instances", PROC "fs/inotify/max_user_instances", 128 },
                { "fs.inotify.max_user_watches", PROC "fs/inotify/max_user_watches", 8192 },
        };
        judge_quotas(d, f, quotas, ARRAY_SIZE(quotas), "its services share so many, and watch files with them");
}

static void look_keys(const struct doctor *d, struct finding *f)
{
        static const struct quota quotas[] = {
                { "kernel.keys.maxkeys", PROC "kernel/keys/maxkeys", 200 },
                { "kernel.keys.maxbytes", PROC "kernel/keys/maxbytes", 20000 },
        };
        judge_quotas(d, f, quotas, ARRAY_SIZE(quotas), "systemd makes a key for each of its services");
}

/* ---- ids ---- */

#define PLACE_BITS 27 /* a daemon's part of the ids: SERVER_IDMAP_PLACE_BITS, of a layer that this one may not see */
#define PLACES 30
#define EACH_DAEMON 2047

struct grant {
        char user[64];
        unsigned long long first, n;
};

static bool next_grant(char **rest, struct grant *ret)
{
        for (char *line; (line = strsep(rest, "\n"));)
                if (sscanf(line, "%63[^:]:%llu:%llu", ret->user, &ret->first, &ret->n) == 3)
                        return true;
        return false;
}

static bool is_of_root(const struct grant *g)
{
        return streq(g->user, "root") || streq(g->user, "0");
}

static bool overlaps(const struct grant *a, const struct grant *b)
{
        return a->first < b->first + b->n && b->first < a->first + a->n;
}

/* Ids that a daemon's containers have, and somebody else may use, too. */
static void look_claimed(const struct doctor *d, struct finding *f, const char *file, const struct grant *g)
{
        for (unsigned place = 1; place <= PLACES && !is_of_root(g); place++) {
                char claim[64];
                struct grant own = { .first = (unsigned long long)place << PLACE_BITS, .n = 1ULL << PLACE_BITS };
                snprintf(claim, sizeof claim, "/run/lightd/id-places/%u", place);
                if (!overlaps(&own, g) || !doctor_exists(d, claim))
                        continue;
                finding_set(f, VERDICT_WARN, "%s gives \"%s\" ids from %llu on that containers of lightd have", file, g->user, g->first);
                finding_fix(f, "usermod --del-sub%cids %llu-%llu %s", file[8], g->first, g->first + g->n - 1, g->user);
        }
}

static void look_pairs(const struct doctor *d, struct finding *f, const char *file)
{
        _cleanup_free_ char *text = xstrdup(doctor_read(d, file));
        char *rest = text;
        struct grant seen[64];
        size_t n = 0;
        for (struct grant g; next_grant(&rest, &g);) {
                look_claimed(d, f, file, &g);
                for (size_t i = 0; i < n; i++) {
                        if (streq(seen[i].user, g.user) || !overlaps(&seen[i], &g))
                                continue;
                        finding_set(f, VERDICT_WARN, "%s gives ids from %llu on to \"%s\" and \"%s\"", file, g.first, seen[i].user, g.user);
                        finding_fix(f, "usermod --del-sub%cids %llu-%llu %s", file[8], g.first, g.first + g.n - 1, g.user);
                }
                if (n < ARRAY_SIZE(seen))
                        seen[n++] = g;
        }
}

static void look_ids(const struct doctor *d, struct finding *f)
{
        unsigned long long inside = 0, outside = 0, length = 0;
        (void)!sscanf(doctor_read(d, "/proc/self/uid_map"), "%llu %llu %llu", &inside, &outside, &length);
        if (length < 65536ULL * 2) {
                finding_set(f, VERDICT_FAIL, "this is a user namespace with %llu ids, and a container needs 65536 of its own", length);
                finding_fix(f, "give the host's container a larger id map");
                return;
        }
        look_pairs(d, f, "/etc/subuid");
        look_pairs(d, f, "/etc/subgid");
        finding_set(f, VERDICT_OK, "%llu ids: room for %llu containers of 65536", length, MIN(length / 65536, (unsigned long long)EACH_DAEMON));
}

const struct check doctor_limit_checks[] = {
        { .name = "ids", .means = "each container has 65536 of its own", .look = look_ids },
        { .name = "pid-max", .means = "processes of the whole host", .look = look_pids },
        { .name = "file-max", .means = "open files of the whole host", .look = look_files },
        { .name = "files", .means = "descriptors of one process", .look = look_open_files },
        { .name = "aio", .means = "asynchronous requests of databases", .look = look_aio },
        { .name = "inotify", .means = "what watches files", .look = look_inotify },
        { .name = "neighbours", .means = "addresses of containers the host remembers", .look = look_neighbours },
        { .name = "neighbours6", .means = "the same with IPv6", .look = look_neighbours6 },
        { .name = "keys", .means = "what systemd keeps for its services", .look = look_keys },
        { 0 },
};
