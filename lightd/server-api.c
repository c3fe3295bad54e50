/* SPDX-License-Identifier: Apache-2.0 */
/* The server itself: /, /1.0, and what only the command `lightd` asks over the unix socket. */
#include "lightd/server-api.h"
#include "lightd/daemon.h"
#include "api/extensions.h"
#include "base/alloc.h"
#include "base/path.h"
#include "config/keys.h"
#include "instances/instances.h"
#include "server/event.h"
#include "server/job.h"
#include "server/operation.h"

#include <fcntl.h>
#include <sys/utsname.h>
#include <unistd.h>

#define API_VERSION "1.0"
#define LXD_VERSION "5.0.2" /* what clients compare with; our own stands in environment.lightvisor_version */

struct server_config {
        struct strmap config;
};

static const struct field config_fields[] = {
        FIELD(server_config, config, "config", FIELD_STRMAP, 0),
        { 0 },
};
static const struct type config_type = { "server", sizeof(struct server_config), config_fields };
const struct object_kind server_config_kind = { "server", "Server", &config_type, 1 };

static const struct strmap *server_config(struct server *s)
{
        static const struct strmap none;
        struct object *o = object_find(s, &server_config_kind, "", "config");
        return o ? &((struct server_config *)o->body)->config : &none;
}

static void write_strings(struct json_writer *w, const char *key, const char *const *items)
{
        json_write_key(w, key);
        json_write_array_begin(w);
        for (; *items; items++)
                json_write_string(w, *items);
        json_write_array_end(w);
}

/* NAME and VERSION_ID of /etc/os-release. */
static void read_os_release(char *name, char *version, size_t n)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        if (path_read_file(AT_FDCWD, "/usr/lib/os-release", KiB(64), &b) < 0)
                return;
        for (char *rest = b.data, *line; (line = strsep(&rest, "\n"));) {
                char *value = strchr(line, '=');
                if (!value)
                        continue;
                *value++ = '\0';
                char *to = streq(line, "NAME") ? name : streq(line, "VERSION_ID") ? version : NULL;
                size_t len = strlen(value);
                if (to && len >= 2 && value[0] == '"' && len - 2 < n) {
                        memcpy(to, value + 1, len - 2);
                        to[len - 2] = '\0';
                }
        }
}

static void write_host(struct json_writer *w)
{
        struct utsname u;
        char name[128] = "Linux", version[64] = "";
        uname(&u);
        read_os_release(name, version, sizeof version);
        json_write_key_string(w, "kernel", u.sysname);
        json_write_key_string(w, "kernel_architecture", u.machine);
        json_write_key_string(w, "kernel_version", u.release);
        json_write_key_string(w, "os_name", name);
        json_write_key_string(w, "os_version", version);
        json_write_key_string(w, "server_name", u.nodename);
}

static void write_environment(struct request *req, struct json_writer *w)
{
        static const char *const architectures[] = { "x86_64", "i686", NULL };
        static const char *const none[] = { NULL };
        json_write_object_begin(w);
        write_strings(w, "addresses", none);
        write_strings(w, "architectures", architectures);
        json_write_key_string(w, "certificate", "");
        json_write_key_string(w, "certificate_fingerprint", "");
        json_write_key_string(w, "driver", "lightrun");
        json_write_key_string(w, "driver_version", LIGHTVISOR_VERSION);
        json_write_key_string(w, "firewall", "nftables");
        write_host(w);
        json_write_key_string(w, "lightvisor_version", LIGHTVISOR_VERSION);
        json_write_key_string(w, "project", req->project);
        json_write_key_string(w, "server", "lxd");
        json_write_key_bool(w, "server_clustered", false);
        json_write_key_int(w, "server_pid", getpid());
        json_write_key_string(w, "server_version", LXD_VERSION);
        instances_write_environment(req->server, w);
        json_write_object_end(w);
}

static void write_untrusted(struct request *req, struct json_writer *w)
{
        static const char *const methods[] = { "tls", NULL };
        write_strings(w, "api_extensions", api_extensions);
        json_write_key_string(w, "api_status", "stable");
        json_write_key_string(w, "api_version", API_VERSION);
        json_write_key_string(w, "auth", req->who.is_trusted ? "trusted" : "untrusted");
        json_write_key_bool(w, "public", false);
        write_strings(w, "auth_methods", methods);
}

/* The answer changes only with the configuration and the project: kept until then. */
static struct strbuf cached;
static char *cached_project;

void server_api_forget(void)
{
        strbuf_clear(&cached);
}

static void render(struct request *req)
{
        struct json_writer w = JSON_WRITER(&cached);
        strbuf_clear(&cached);
        free(cached_project);
        cached_project = xstrdup(req->project);
        json_write_object_begin(&w);
        json_write_key(&w, "config");
        field_encode_strmap(server_config(req->server), &w);
        write_untrusted(req, &w);
        json_write_key(&w, "environment");
        write_environment(req, &w);
        json_write_object_end(&w);
}

static void get_server(struct request *req)
{
        char etag[OBJECT_ETAG_SIZE];
        struct object *o = object_find(req->server, &server_config_kind, "", "config");
        if (!cached.len || !streq(cached_project, req->project))
                render(req);
        reply_header(req, "ETag", o ? object_etag(o, etag) : "r0");
        reply_text(req, cached.data, cached.len);
}

static void get_root(struct request *req)
{
        static const char versions[] = "[\"/1.0\"]";
        reply_text(req, versions, sizeof versions - 1);
}

static void on_config_stored(void *data, int r, struct error *err)
{
        struct request *req = data;
        if (r < 0) {
                reply_error(req, err);
                return;
        }
        server_api_forget();
        event_lifecycle(req->server, req, "config-updated", "", "/1.0", NULL);
        reply_etag(req, object_find(req->server, &server_config_kind, "", "config"));
        reply_empty(req);
}

static void change_config(struct request *req, enum type_mode mode)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct object *o = object_find(req->server, &server_config_kind, "", "config");
        struct server_config *next = o ? type_copy(&config_type, o->body) : type_new(&config_type);
        int r = o ? request_check_etag(req, o, &err) : 0;
        if (r >= 0)
                r = request_decode(req, &config_type, mode, next, &err);
        if (r >= 0)
                r = config_validate(config_tables_server, &next->config, ON_SERVER, &err);
        config_drop_empty(&next->config);
        if (r < 0) {
                type_free(&config_type, next);
                reply_error(req, &err);
                return;
        }
        struct change *c = change_new(req->server);
        change_put(c, &server_config_kind, "", "config", o ? o->rev : OBJECT_REV_NEW, next);
        change_commit(c, on_config_stored, req);
}

static void put_server(struct request *req)
{
        change_config(req, TYPE_REPLACE);
}

static void patch_server(struct request *req)
{
        change_config(req, TYPE_PATCH);
}

static void on_resources(void *data, int r, struct json_object *result, struct error *err)
{
        struct request *req = data;
        if (r < 0)
                reply_error(req, err);
        else
                reply_json(req, json_object_get(result));
}

/* A file of /sys may make a driver ask its device: in a worker. */
static void get_resources(struct request *req)
{
        struct job_spec spec = JOB_SPEC_INIT;
        spec.program = "lightrun";
        spec.name = "resources";
        spec.take_args = json_object_new_object();
        job_start(req->server, &spec, on_resources, req);
}

static void get_ready(struct request *req)
{
        if (req->server->is_ready)
                reply_empty(req);
        else
                reply_errorf(req, ERR_UNAVAILABLE, "The daemon is still starting");
}

static void stop_daemon(void *data)
{
        daemon_stop(data);
}

static void on_all_stopped(struct server *s, void *data)
{
        struct request *req = data;
        reply_empty(req);
        timer_start(s, 0, stop_daemon, s);
}

static void put_shutdown(struct request *req)
{
        struct server *s = req->server;
        const char *timeout = request_query(req, "timeout");
        long seconds = timeout ? strtol(timeout, NULL, 10) : 60;
        if (s->is_stopping) {
                reply_errorf(req, ERR_WRONG_STATE, "The daemon is already stopping");
                return;
        }
        s->is_stopping = true;
        instances_shutdown_all(s, (uint64_t)MAX(seconds, 0) * 1000, on_all_stopped, req);
}

const struct route server_routes[] = {
        { METHOD_GET, "/", get_root, PERM_PUBLIC, 0, "The versions of the API." },
        { METHOD_GET, "/1.0", get_server, PERM_PUBLIC, ROUTE_PROJECT, "The server: environment, configuration, extensions." },
        { METHOD_PUT, "/1.0", put_server, PERM_SERVER, ROUTE_BODY, "Replace the server's configuration." },
        { METHOD_PATCH, "/1.0", patch_server, PERM_SERVER, ROUTE_BODY, "Change some keys of the server's configuration." },
        { METHOD_GET, "/1.0/resources", get_resources, PERM_VIEW, 0, "What the machine is made of." },
        { METHOD_GET, "/internal/ready", get_ready, PERM_SERVER, ROUTE_INTERNAL, "Whether the daemon has started." },
        { METHOD_PUT, "/internal/shutdown", put_shutdown, PERM_SERVER, ROUTE_INTERNAL, "Stop the containers, then the daemon." },
        { 0 },
};
