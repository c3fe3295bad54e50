/* SPDX-License-Identifier: Apache-2.0 */
#include "networks/network-view.h"
#include "base/alloc.h"
#include "base/path.h"
#include "base/time.h"
#include "networks/host-entry.h"
#include "networks/host.h"
#include "networks/lease.h"
#include "networks/network-ops.h"
#include "networks/netstate.h"
#include "projects/used-by.h"

#include <fcntl.h>

static void write_used_by(struct server *s, const struct object *o, struct json_writer *w)
{
        struct strlist urls = { 0 };
        used_by_collect(s, o, &urls);
        json_write_key(w, "used_by");
        json_write_array_begin(w);
        for (size_t i = 0; i < urls.n; i++)
                json_write_string(w, urls.items[i]);
        json_write_array_end(w);
        strlist_done(&urls);
}

void network_write(struct server *s, struct object *o, struct strbuf *out)
{
        struct json_writer w = JSON_WRITER(out);
        json_write_object_begin(&w);
        type_encode_members(&network_type, o->body, TYPE_REST, &w);
        write_used_by(s, o, &w);
        json_write_key_bool(&w, "managed", true);
        json_write_key_string(&w, "status", network_status(s, o->name, NULL));
        json_write_key(&w, "locations");
        json_write_array_begin(&w);
        json_write_string(&w, "none"); /* LXD's word for "no cluster" */
        json_write_array_end(&w);
        json_write_object_end(&w);
}

void network_write_host(struct server *s, const char *interface, struct strbuf *out)
{
        struct json_writer w = JSON_WRITER(out);
        struct network body = { .name = (char *)interface, .type = (char *)host_interface_type(interface) };
        struct object o = { .kind = &network_kind, .project = (char *)"default", .name = (char *)interface, .body = &body };
        json_write_object_begin(&w);
        type_encode_members(&network_type, &body, TYPE_REST, &w);
        write_used_by(s, &o, &w);
        json_write_key_bool(&w, "managed", false);
        json_write_key_string(&w, "status", "");
        json_write_key(&w, "locations");
        json_write_array_begin(&w);
        json_write_array_end(&w);
        json_write_object_end(&w);
}

static void list_managed(struct reply_list *l, const char *project)
{
        struct object **objects;
        size_t n = object_list(l->req->server, &network_kind, project, &objects);
        for (size_t i = 0; i < n; i++) {
                _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
                _cleanup_free_ char *plain = xasprintf("/1.0/networks/%s", objects[i]->name);
                _cleanup_free_ char *url = url_in_project(plain, objects[i]->project);
                if (reply_list_wants_bodies(l))
                        network_write(l->req->server, objects[i], &b);
                reply_list_add(l, url, strbuf_str(&b), b.len);
        }
}

void network_list(struct reply_list *l, const char *project)
{
        struct strlist names = { 0 };
        list_managed(l, project);
        host_interfaces(&names);
        for (size_t i = 0; i < names.n; i++) {
                _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
                _cleanup_free_ char *url = xasprintf("/1.0/networks/%s", names.items[i]);
                if (object_find(l->req->server, &network_kind, project ? project : "default", names.items[i]))
                        continue;
                if (reply_list_wants_bodies(l))
                        network_write_host(l->req->server, names.items[i], &b);
                reply_list_add(l, url, strbuf_str(&b), b.len);
        }
        strlist_done(&names);
}

void network_write_state(struct server *s, const char *interface, struct strbuf *out)
{
        struct json_writer w = JSON_WRITER(out);
        json_write_object_begin(&w);
        json_write_key(&w, "addresses");
        netstate_write_host_addresses(s, interface, &w);
        host_write_state(interface, &w);
        json_write_object_end(&w);
}

/* --- leases --- */

struct leases {
        struct json_writer w;
        struct network_plan plan;
};

static void write_lease(struct json_writer *w, const char *hostname, const char *hwaddr, const struct inet_prefix *address,
                        const char *type)
{
        char text[INET_TEXT_SIZE];
        json_write_object_begin(w);
        json_write_key_string(w, "hostname", hostname);
        json_write_key_string(w, "hwaddr", hwaddr);
        json_write_key_string(w, "address", inet_format_address(address, text));
        json_write_key_string(w, "type", type);
        json_write_key_string(w, "location", "none");
        json_write_object_end(w);
}

/* IPv6 addresses are not given out but taken: this is the one a nic takes unless it was told otherwise. */
static void write_derived(const struct host_entry *e, void *data)
{
        struct leases *l = data;
        char hwaddr[HWADDR_TEXT_SIZE];
        struct inet_prefix address = inet6_eui64(&l->plan.ipv6, e->hwaddr);
        write_lease(&l->w, e->name, hwaddr_format(e->hwaddr, hwaddr), &address, "dynamic");
}

static void write_dynamic(struct leases *l, const char *text)
{
        struct lease lease;
        int64_t now = time_now_ns() / 1000000000;
        while (lease_next(&text, &lease))
                if (lease.expires == 0 || lease.expires > now)
                        write_lease(&l->w, lease.hostname, lease.hwaddr, &lease.address, "dynamic");
}

void network_write_leases(struct server *s, struct object *o, struct strbuf *out)
{
        struct leases l = { .w = JSON_WRITER(out) };
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        _cleanup_free_ char *gateway = xasprintf("%s.gw", o->name), *dir = network_dir(s, o->name);
        _cleanup_free_ char *path = xasprintf("%s/dnsmasq.leases", dir);
        network_plan(o->body, s->did, &l.plan);
        json_write_array_begin(&l.w);
        if (l.plan.ipv4.family)
                write_lease(&l.w, gateway, "", &l.plan.ipv4, "gateway");
        if (l.plan.ipv6.family) {
                write_lease(&l.w, gateway, "", &l.plan.ipv6, "gateway");
                host_entry_each(s, o->name, write_derived, &l);
        }
        if (path_read_file(AT_FDCWD, path, LEASES_SIZE_MAX, &b) >= 0)
                write_dynamic(&l, strbuf_str(&b));
        json_write_array_end(&l.w);
}
