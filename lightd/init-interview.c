/* SPDX-License-Identifier: Apache-2.0 */
/* The questions, each with what is there as its default; the answers are a document like a preseed. */
#include "lightd/init.h"
#include "lightd/commands.h"
#include "base/alloc.h"
#include "base/names.h"
#include "base/units.h"
#include "config/key.h"
#include "networks/host.h"
#include "networks/network.h"
#include "storage-pools/driver.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#define ANSWER_MAX 1024
#define BRIDGES_TRIED 100

struct interview {
        const struct init_wishes *wishes;
        sigset_t waiting; /* the signals while an answer is waited for: SIGINT comes only then */
        struct json_object *pools, *networks, *devices; /* of the server, and of its profile "default" */
        struct json_object *new_pools, *new_networks, *new_devices;
        struct error *err;
};

/* What an answer must be; ctx is the interview or what the question is about. */
typedef int (*check_fn)(struct interview *v, const char *key, const char *answer, struct error *err);

/* ---- one question ---- */

static void on_interrupt(int sig _unused_)
{
}

/* Byte by byte: what follows the line is the next question's. 0, -ENODATA at the end, -EINTR. */
static int read_line(const sigset_t *waiting, char *ret)
{
        size_t n = 0;
        for (;;) {
                char c;
                struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
                if (ppoll(&p, 1, NULL, waiting) < 0)
                        return -errno;
                ssize_t k = read(STDIN_FILENO, &c, 1);
                if (k < 0)
                        return -errno;
                if (k == 0)
                        return -ENODATA;
                if (c == '\n')
                        break;
                if (n < ANSWER_MAX - 1)
                        ret[n++] = c;
        }
        while (n > 0 && (ret[n - 1] == ' ' || ret[n - 1] == '\r'))
                n--;
        ret[n] = '\0';
        return 0;
}

static int ended(struct interview *v, int r)
{
        putchar('\n');
        if (r == -EINTR)
                return error_set(v->err, ERR_CANCELLED, "Interrupted: nothing was changed"), -EINTR;
        error_set(v->err, ERR_BAD_REQUEST, "The answers ended before the last question: nothing was changed");
        return r;
}

static int ask(struct interview *v, const char *question, const char *fallback, const char *key, check_fn check,
               char ret[static ANSWER_MAX])
{
        for (;;) {
                _cleanup_error_ struct error err = ERROR_INIT;
                ret[0] = '\0';
                if (!v->wishes->is_silent) {
                        printf("%s [%s]: ", question, fallback);
                        fflush(stdout);
                        int r = read_line(&v->waiting, ret);
                        if (r < 0)
                                return ended(v, r);
                }
                if (!ret[0])
                        snprintf(ret, ANSWER_MAX, "%s", fallback);
                if (check(v, key, ret, &err) >= 0)
                        return 0;
                if (v->wishes->is_silent) {
                        error_move(v->err, &err);
                        return error_errno(v->err->code);
                }
                printf("%s%s%s\n", error_message(&err), err.hint ? ". " : "", err.hint ? err.hint : "");
        }
}

static int check_bool(struct interview *v _unused_, const char *key _unused_, const char *answer, struct error *err)
{
        bool is_yes;
        if (streq(answer, "y") || streq(answer, "n") || units_parse_bool(answer, &is_yes) >= 0)
                return 0;
        _cleanup_free_ char *shown = name_printable(answer);
        return error_set(err, ERR_BAD_REQUEST, "\"%s\" is neither yes nor no", shown);
}

static int ask_bool(struct interview *v, const char *question, bool fallback, bool *ret)
{
        char answer[ANSWER_MAX];
        int r = ask(v, question, fallback ? "yes" : "no", NULL, check_bool, answer);
        if (r >= 0 && units_parse_bool(answer, ret) < 0)
                *ret = streq(answer, "y");
        return r;
}

/* ---- what is there ---- */

static struct json_object *find(struct json_object *list, const char *name)
{
        for (size_t i = 0; name && i < json_object_array_length(list); i++) {
                struct json_object *item = json_object_array_get_idx(list, i);
                if (streq(json_get_string(item, "name", ""), name))
                        return item;
        }
        return NULL;
}

static bool is_managed(struct json_object *network)
{
        return network && json_get_bool(network, "managed", false);
}

/* The name and the body of the profile's root disk or first nic; NULL: there is none. */
static struct json_object *find_device(struct interview *v, const char *type, const char **ret_name)
{
        json_object_object_foreach(v->devices, name, device)
        {
                bool is_it = streq(json_get_string(device, "type", ""), type) &&
                             (streq(type, "nic") || streq(json_get_string(device, "path", ""), "/"));
                if (is_it)
                        return *ret_name = name, device;
        }
        return NULL;
}

/* One device of the profile; an empty value takes a key of the one that is there away. */
static void set_device(struct interview *v, const char *type, const char *fallback_name, const char *const *pairs)
{
        const char *name = fallback_name;
        struct json_object *o = json_object_new_object();
        bool is_there = find_device(v, type, &name) != NULL;
        json_set_string(o, "type", type);
        for (; pairs[0]; pairs += 2)
                if (is_there || pairs[1][0])
                        json_set_string(o, pairs[0], pairs[1]);
        json_set_take(v->new_devices, name, o);
}

/* ---- storage ---- */

static const char *default_pool(struct interview *v)
{
        const char *name, *pool = json_get_string(find_device(v, "disk", &name), "pool", NULL);
        if (v->wishes->pool)
                return v->wishes->pool;
        if (find(v->pools, pool))
                return pool;
        if (find(v->pools, "default") || !json_object_array_length(v->pools))
                return "default";
        return json_get_string(json_object_array_get_idx(v->pools, 0), "name", "default");
}

static int check_pool_name(struct interview *v _unused_, const char *key _unused_, const char *answer, struct error *err)
{
        return name_check_object("storage pool", answer, err);
}

static int check_driver(struct interview *v _unused_, const char *key _unused_, const char *answer, struct error *err)
{
        _cleanup_free_ char *shown = name_printable(answer);
        _cleanup_strbuf_ struct strbuf known = STRBUF_INIT;
        if (storage_driver_find(answer))
                return 0;
        for (const struct storage_driver *const *d = storage_drivers; *d; d++)
                strbuf_addf(&known, "%s\"%s\"", known.len ? ", " : "", (*d)->name);
        error_set(err, ERR_BAD_REQUEST, "Unknown storage backend \"%s\"", shown);
        return error_hint(err, "This release has %s", strbuf_str(&known));
}

static int ask_storage(struct interview *v)
{
        char name[ANSWER_MAX], driver[ANSWER_MAX];
        bool is_wanted;
        int r = ask_bool(v, "Set up a storage pool? (yes/no)", true, &is_wanted);
        if (r < 0 || !is_wanted)
                return r;
        r = ask(v, "Name of the storage pool", default_pool(v), NULL, check_pool_name, name);
        if (r < 0)
                return r;
        struct json_object *there = find(v->pools, name), *item = json_object_new_object();
        const char *fallback = there ? json_get_string(there, "driver", "") : storage_drivers[0]->name;
        snprintf(driver, sizeof driver, "%s", fallback);
        if (v->wishes->backend)
                fallback = v->wishes->backend;
        if (there && !v->wishes->backend && !v->wishes->is_silent)
                printf("Storage pool \"%s\" is there already, with the backend \"%s\".\n", name, driver);
        else
                r = ask(v, "Storage backend (overlay, dir)", fallback, NULL, check_driver, driver);
        json_set_string(item, "name", name);
        json_set_string(item, "driver", driver);
        json_object_array_add(v->new_pools, item);
        set_device(v, "disk", "root", (const char *const[]){ "path", "/", "pool", name, NULL });
        return r;
}

/* ---- network ---- */

static int check_bridge_name(struct interview *v, const char *key _unused_, const char *answer, struct error *err)
{
        struct json_object *there = find(v->networks, answer);
        int r = name_check_network(answer, err);
        if (r >= 0 && !is_managed(there) && (there || host_has_interface(answer)))
                r = error_set(err, ERR_EXISTS, "\"%s\" is an interface of the host: a new bridge needs another name", answer);
        return r;
}

/* The profile's, else any there is, else the first name no interface of the host has (another daemon may have some). */
static int default_bridge(struct interview *v, char ret[static ANSWER_MAX])
{
        const char *name, *of_profile = json_get_string(find_device(v, "nic", &name), "network", NULL);
        if (is_managed(find(v->networks, of_profile)))
                return snprintf(ret, ANSWER_MAX, "%s", of_profile), 0;
        for (size_t i = 0; i < json_object_array_length(v->networks); i++) {
                struct json_object *n = json_object_array_get_idx(v->networks, i);
                if (is_managed(n))
                        return snprintf(ret, ANSWER_MAX, "%s", json_get_string(n, "name", "")), 0;
        }
        for (int i = 0; i < BRIDGES_TRIED; i++) {
                snprintf(ret, ANSWER_MAX, "lightbr%d", i);
                if (!find(v->networks, ret) && !host_has_interface(ret))
                        return 0;
        }
        return error_set(v->err, ERR_EXISTS, "All names from lightbr0 to lightbr%d are taken", BRIDGES_TRIED - 1);
}

static int check_network_key(struct interview *v _unused_, const char *key, const char *answer, struct error *err)
{
        return config_validate_one(network_tables, key, answer, ON_NETWORK, err);
}

static int ask_family(struct interview *v, struct json_object *there, struct json_object *config, const char *family,
                      bool is_on)
{
        char answer[ANSWER_MAX];
        bool is_nat = true;
        _cleanup_free_ char *address = xasprintf("ipv%s.address", family), *nat = xasprintf("ipv%s.nat", family);
        _cleanup_free_ char *question = xasprintf("IPv%s address of the bridge (address/length, auto or none)", family);
        _cleanup_free_ char *nat_question = xasprintf("Shall IPv%s packets leave with the host's address (NAT)? (yes/no)", family);
        struct json_object *old = json_get_object(there, "config");
        const char *fallback = there ? json_get_string(old, address, "none") : is_on ? "auto" : "none";
        int r = ask(v, question, fallback, address, check_network_key, answer);
        if (r < 0)
                return r;
        if (there || !streq(answer, "auto")) /* a new one is "auto" by itself, NAT included */
                json_set_string(config, address, answer);
        if (streq(answer, "auto") || streq(answer, "none"))
                return 0;
        bool was_nat = !there || streq(json_get_string(old, nat, "false"), "true");
        r = ask_bool(v, nat_question, was_nat, &is_nat);
        if (r >= 0 && is_nat != (there && was_nat))
                json_set_string(config, nat, is_nat ? "true" : "false");
        return r;
}

static int ask_bridge(struct interview *v)
{
        char fallback[ANSWER_MAX], name[ANSWER_MAX];
        int r = default_bridge(v, fallback);
        if (r >= 0)
                r = ask(v, "Name of the bridge", fallback, NULL, check_bridge_name, name);
        if (r < 0)
                return r;
        struct json_object *there = find(v->networks, name), *item = json_object_new_object();
        struct json_object *config = json_object_new_object();
        json_set_string(item, "name", name);
        json_set_string(item, "type", "bridge");
        json_set_take(item, "config", config);
        json_object_array_add(v->new_networks, item);
        r = ask_family(v, there, config, "4", true);
        if (r >= 0)
                r = ask_family(v, there, config, "6", host_has_ipv6());
        set_device(v, "nic", "eth0",
                   (const char *const[]){ "name", "eth0", "network", name, "nictype", "", "parent", "", NULL });
        return r;
}

static int check_host_bridge(struct interview *v _unused_, const char *key _unused_, const char *answer, struct error *err)
{
        int r = name_check_network(answer, err);
        if (r >= 0 && !host_is_bridge(answer))
                r = error_set(err, ERR_NOT_FOUND, "\"%s\" is no bridge of this host", answer);
        return r;
}

static int ask_host_bridge(struct interview *v, const char *current)
{
        char name[ANSWER_MAX];
        bool is_wanted;
        int r = ask_bool(v, "Use a bridge the host has already? (yes/no)", current, &is_wanted);
        if (r >= 0 && is_wanted)
                r = ask(v, "Name of the host's bridge", current ? current : "br0", NULL, check_host_bridge, name);
        if (r >= 0 && is_wanted)
                set_device(v, "nic", "eth0",
                           (const char *const[]){ "name", "eth0", "nictype", "bridged", "parent", name, "network", "", NULL });
        return r;
}

static int ask_network(struct interview *v)
{
        const char *name;
        struct json_object *nic = find_device(v, "nic", &name);
        const char *parent = json_get_string(nic, "parent", NULL);
        bool is_wanted;
        if (v->wishes->is_silent && nic && !json_has(nic, "network"))
                return 0; /* somebody's choice of a bridge of the host */
        int r = ask_bool(v, "Set up a network bridge? (yes/no)", !parent, &is_wanted);
        if (r < 0)
                return r;
        return is_wanted ? ask_bridge(v) : ask_host_bridge(v, parent);
}

/* ---- all of it ---- */

static int look(struct interview *v)
{
        _cleanup_json_ struct json_object *profile = NULL;
        int r = daemon_call("GET", "/1.0/storage-pools?recursion=1", NULL, &v->pools, v->err);
        if (r >= 0)
                r = daemon_call("GET", "/1.0/networks?recursion=1", NULL, &v->networks, v->err);
        if (r >= 0)
                r = daemon_call("GET", "/1.0/profiles/default", NULL, &profile, v->err);
        v->devices = json_object_get(json_get_object(profile, "devices"));
        return r;
}

static struct json_object *document_of(struct interview *v)
{
        struct json_object *o = json_object_new_object(), *profiles = json_object_new_array();
        struct json_object *profile = json_object_new_object();
        json_set_take(o, "storage_pools", json_object_get(v->new_pools));
        json_set_take(o, "networks", json_object_get(v->new_networks));
        json_set_string(profile, "name", "default");
        json_set_take(profile, "devices", json_object_get(v->new_devices));
        json_object_array_add(profiles, profile);
        json_set_take(o, "profiles", profiles);
        return o;
}

static int ask_all(struct interview *v, bool *ret_is_shown)
{
        int r = look(v);
        if (r >= 0)
                r = ask_storage(v);
        if (r >= 0)
                r = ask_network(v);
        if (r >= 0 && !v->wishes->is_silent)
                puts("The server answers on its unix socket: this release cannot listen on the network.");
        return r >= 0 ? ask_bool(v, "Print the answers as YAML for lightd init --preseed? (yes/no)", false, ret_is_shown) : r;
}

int init_interview(const struct init_wishes *wishes, struct json_object **ret, bool *ret_is_shown, struct error *err)
{
        struct sigaction sa = { .sa_handler = on_interrupt }, old;
        struct interview v = { .wishes = wishes, .err = err };
        v.new_pools = json_object_new_array();
        v.new_networks = json_object_new_array();
        v.new_devices = json_object_new_object();
        sigset_t interrupt, before;
        sigemptyset(&interrupt);
        sigaddset(&interrupt, SIGINT);
        sigprocmask(SIG_BLOCK, &interrupt, &before);
        v.waiting = before;
        sigdelset(&v.waiting, SIGINT);
        sigaction(SIGINT, &sa, &old);
        int r = ask_all(&v, ret_is_shown);
        sigaction(SIGINT, &old, NULL);
        sigprocmask(SIG_SETMASK, &before, NULL); /* one that came after the last answer ends us here: nothing is changed yet */
        if (r >= 0)
                *ret = document_of(&v);
        json_object_put(v.pools);
        json_object_put(v.networks);
        json_object_put(v.devices);
        json_object_put(v.new_pools);
        json_object_put(v.new_networks);
        json_object_put(v.new_devices);
        return r;
}
