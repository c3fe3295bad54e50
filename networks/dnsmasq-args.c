/* SPDX-License-Identifier: Apache-2.0 */
#include "networks/dnsmasq.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/units.h"

#include <fcntl.h>
#include <stdio.h>

#define LEASE_TIME "1h"
#define LEASES_MAX 65536 /* of one server: memory is bounded whatever the size of the network */

struct args {
        char **items;
        size_t n;
};

static void add(struct args *a, char *take_arg)
{
        a->items = xreallocarray(a->items, a->n + 2, sizeof *a->items);
        a->items[a->n++] = take_arg;
        a->items[a->n] = NULL;
}

static void add_fixed(struct args *a)
{
        static const char *const fixed[] = {
                "dnsmasq", "--keep-in-foreground", "--conf-file=/dev/null", "--bind-dynamic", "--except-interface=lo",
                "--strict-order", "--no-ping", "--quiet-dhcp", "--quiet-dhcp6", "--quiet-ra",
                /* Names come from us alone: no guest becomes "c1" by saying so. */
                "--dhcp-ignore-names", "--dhcp-no-override", "--dhcp-authoritative", "--dhcp-rapid-commit",
        };
        for (size_t i = 0; i < ARRAY_SIZE(fixed); i++)
                add(a, xstrdup(fixed[i]));
}

static void add_ipv4(struct args *a, const struct network_plan *p)
{
        uint64_t leases = 0;
        char first[INET_TEXT_SIZE], last[INET_TEXT_SIZE], mask_text[INET_TEXT_SIZE];
        struct inet_prefix mask = inet4_make(UINT32_MAX << (32 - p->ipv4.len), 32);
        inet_format_address(&mask, mask_text);
        for (size_t i = 0; i < p->n_ranges; i++) {
                const struct network_range *r = &p->ranges[i];
                leases += inet4_get(&r->last) - inet4_get(&r->first) + 1;
                add(a, xasprintf("--dhcp-range=%s,%s,%s," LEASE_TIME, inet_format_address(&r->first, first),
                                 inet_format_address(&r->last, last), mask_text));
        }
        /* Its own limit of a thousand is below what a bridge has ports. */
        add(a, xasprintf("--dhcp-lease-max=%llu", (unsigned long long)MIN(leases, (uint64_t)LEASES_MAX)));
        if (p->mtu)
                add(a, xasprintf("--dhcp-option-force=26,%u", p->mtu));
}

static void add_ipv6(struct args *a, const struct network_plan *p)
{
        add(a, xstrdup("--enable-ra"));
        add(a, xasprintf("--dhcp-range=::,constructor:%s,%s", p->name,
                         p->has_ipv6_dhcp ? "ra-stateless,ra-names" : "ra-only"));
}

static void add_names(struct args *a, const struct network_plan *p)
{
        add(a, xasprintf("--domain=%s", p->domain));
        add(a, xasprintf("--local=/%s/", p->domain));
        add(a, xasprintf("--interface-name=_gateway.%s,%s", p->domain, p->name));
}

char **dnsmasq_args(const struct network_plan *plan, const char *dir, const struct dnsmasq_user *user)
{
        struct args a = { 0 };
        if (!plan->ipv4.family && !plan->ipv6.family)
                return NULL;
        add_fixed(&a);
        add(&a, xasprintf("--interface=%s", plan->name));
        add(&a, xasprintf("--user=%s", user->user));
        /* Without a word it would take "dip", whatever its user's group is, and could not read what is in hosts/. */
        add(&a, xasprintf("--group=%s", user->group));
        add(&a, xasprintf("--pid-file=%s/dnsmasq.pid", dir));
        add(&a, xasprintf("--dhcp-leasefile=%s/dnsmasq.leases", dir));
        /* Not the directory that is watched: at each new file dnsmasq looks for every lease among all hosts. */
        add(&a, xasprintf("--dhcp-hostsfile=%s/hosts", dir));
        if (plan->has_ipv4_dhcp)
                add_ipv4(&a, plan);
        if (plan->ipv6.family)
                add_ipv6(&a, plan);
        if (plan->has_names)
                add_names(&a, plan);
        return a.items;
}

void dnsmasq_args_free(char **argv)
{
        for (size_t i = 0; argv && argv[i]; i++)
                free(argv[i]);
        free(argv);
}

static bool find_user(const char *passwd, const char *name, struct dnsmasq_user *ret)
{
        _cleanup_free_ char *start = xasprintf("%s:", name);
        for (const char *line = passwd; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
                unsigned uid, gid;
                if (!str_starts(line, start) || sscanf(line + strlen(start), "%*[^:]:%u:%u:", &uid, &gid) != 2 || uid == 0)
                        continue;
                snprintf(ret->user, sizeof ret->user, "%s", name);
                ret->gid = gid;
                return true;
        }
        return false;
}

static bool find_group(const char *group, struct dnsmasq_user *ret)
{
        for (const char *line = group; line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL) {
                unsigned gid;
                if (sscanf(line, "%31[^:\n]:%*[^:]:%u:", ret->group, &gid) == 2 && gid == ret->gid)
                        return true;
        }
        return false;
}

void dnsmasq_find_user(const char *passwd, const char *group, struct dnsmasq_user *ret)
{
        static const char *const users[] = { "dnsmasq", "nobody" };
        for (size_t i = 0; i < ARRAY_SIZE(users); i++)
                if (find_user(passwd, users[i], ret) && find_group(group, ret))
                        return;
        *ret = (struct dnsmasq_user){ "nobody", "nogroup", 65534 };
}

/* No getpwnam(): with directory services it asks the network, and the loop would wait. */
void dnsmasq_user(struct dnsmasq_user *ret)
{
        _cleanup_strbuf_ struct strbuf passwd = STRBUF_INIT, group = STRBUF_INIT;
        path_read_file(AT_FDCWD, "/etc/passwd", MiB(1), &passwd);
        path_read_file(AT_FDCWD, "/etc/group", MiB(1), &group);
        dnsmasq_find_user(strbuf_str(&passwd), strbuf_str(&group), ret);
}
