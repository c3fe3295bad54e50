/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/exec-request.h"
#include "base/alloc.h"
#include "base/names.h"
#include "base/worker.h"
#include "runtime/spec.h"

#include <stdio.h>

#define ID_MAX UINT32_C(0xfffffffe) /* (uid_t)-1 means "leave as it is" to the kernel */

static void free_strings(char **strings)
{
        for (char **s = strings; s && *s; s++)
                free(*s);
        free(strings);
}

void exec_request_done(struct exec_request *req)
{
        free_strings(req->argv);
        free_strings(req->env);
        free(req->cwd);
        free(req->home);
        free(req->exit_file);
        *req = (struct exec_request){ 0 };
}

static int read_command(struct json_object *args, struct exec_request *req, struct error *err)
{
        struct json_object *command = json_get_array(args, "command");
        size_t n = command ? json_object_array_length(command) : 0;
        if (n == 0)
                return error_set(err, ERR_BAD_REQUEST, "The command is empty");
        req->argv = xnew_array(char *, n + 1);
        for (size_t i = 0; i < n; i++) {
                struct json_object *word = json_object_array_get_idx(command, i);
                if (!json_object_is_type(word, json_type_string))
                        return error_set(err, ERR_BAD_REQUEST, "The command is not a list of strings");
                req->argv[i] = xstrdup(json_object_get_string(word));
        }
        return 0;
}

static void add_env(struct exec_request *req, const char *name, const char *value)
{
        req->env[req->n_env++] = xasprintf("%s=%s", name, value);
}

const char *exec_request_env(const struct exec_request *req, const char *name)
{
        size_t n = strlen(name);
        for (size_t i = 0; i < req->n_env; i++)
                if (strncmp(req->env[i], name, n) == 0 && req->env[i][n] == '=')
                        return req->env[i] + n + 1;
        return NULL;
}

static void default_env(struct exec_request *req, const char *name, const char *value)
{
        if (!exec_request_env(req, name))
                add_env(req, name, value);
}

static int read_environment(struct json_object *args, struct exec_request *req, struct error *err)
{
        struct json_object *given = json_get_object(args, "environment");
        size_t n = given ? (size_t)json_object_object_length(given) : 0;
        req->env = xnew_array(char *, n + 6); /* HOME, USER, LANG, container, PATH and the end */
        if (given) {
                json_object_object_foreach (given, name, value) {
                        if (!*name || strchr(name, '=') || !json_object_is_type(value, json_type_string)) {
                                _cleanup_free_ char *shown = name_printable(name);
                                return error_set(err, ERR_BAD_REQUEST,
                                                 "The environment variable \"%s\" is not a name and a string",
                                                 shown);
                        }
                        add_env(req, name, json_object_get_string(value));
                }
        }
        if (req->uid == 0) {
                default_env(req, "HOME", "/root");
                default_env(req, "USER", "root");
        }
        default_env(req, "LANG", "C.UTF-8");
        default_env(req, "container", "lxc"); /* as init has it: scripts ask it where they run */
        req->has_path = exec_request_env(req, "PATH");
        req->home = xstrdup(exec_request_env(req, "HOME"));
        return 0;
}

void exec_request_default_path(struct exec_request *req, bool has_snap)
{
        if (req->has_path)
                return;
        req->env[req->n_env++] = xstrdup(has_snap ? EXEC_PATH_DEFAULT ":/snap/bin" : EXEC_PATH_DEFAULT);
        req->has_path = true;
}

static int read_number(struct json_object *args, const char *key, int64_t max, int64_t *ret,
                       struct error *err)
{
        *ret = json_get_int(args, key, 0);
        if (*ret >= 0 && *ret <= max)
                return 0;
        return error_set(err, ERR_BAD_REQUEST, "\"%s\" is not a number from 0 to %lld", key, (long long)max);
}

static int read_numbers(struct json_object *args, struct exec_request *req, struct error *err)
{
        int64_t uid = 0, gid = 0, width = 0, height = 0;
        int r = read_number(args, "user", ID_MAX, &uid, err);
        if (r == 0)
                r = read_number(args, "group", ID_MAX, &gid, err);
        if (r == 0)
                r = read_number(args, "width", UINT16_MAX, &width, err);
        if (r == 0)
                r = read_number(args, "height", UINT16_MAX, &height, err);
        if (r < 0)
                return r;
        req->uid = (uint32_t)uid;
        req->gid = (uint32_t)gid;
        req->width = (uint16_t)width;
        req->height = (uint16_t)height;
        return 0;
}

/* An id outside the map has no owner on the host: then the pipes stay as they are. */
static int64_t host_id(const struct spec_idmap *map, uint32_t id)
{
        return map->base && id < map->size ? (int64_t)map->base + id : -1;
}

static int read_fd(struct json_object *fds, const char *key, int *ret, struct error *err)
{
        int64_t fd = json_get_int(fds, key, -1);
        *ret = fd < 0 ? -EBADF : (int)fd;
        if (fd < 0 || (fd > WORKER_FD_FIRST && fd < 64))
                return 0;
        return error_set(err, ERR_BAD_REQUEST, "The descriptor for \"%s\" is not one of 6 to 63", key);
}

static int read_fds(struct json_object *args, struct exec_request *req, struct error *err)
{
        static const char *const names[] = { "stdin", "stdout", "stderr" };
        struct json_object *fds = json_get_object(args, "fds");
        for (size_t i = 0; i < 3; i++) {
                int r = read_fd(fds, names[i], &req->fds[i], err);
                if (r < 0)
                        return r;
        }
        int r = read_fd(fds, "control", &req->control, err);
        if (r < 0)
                return r;
        if (req->is_interactive && req->control < 0)
                return error_set(err, ERR_BAD_REQUEST, "An interactive command needs a control socket");
        return 0;
}

static int read_paths(struct json_object *args, struct exec_request *req, struct error *err)
{
        const char *exit_file = json_get_string(args, "exit_file", "");
        req->cwd = xstrdup(json_get_string(args, "cwd", ""));
        req->exit_file = *exit_file ? xstrdup(exit_file) : NULL;
        return *req->cwd ? name_check_path(req->cwd, err) : 0;
}

int exec_request_read(struct json_object *args, struct exec_request *ret, struct error *err)
{
        _cleanup_(exec_request_done) struct exec_request req = {
                .is_interactive = json_get_bool(args, "interactive", false),
                .is_recorded = json_get_bool(args, "record", false),
                .is_32bit = json_get_bool(args, "linux32", false),
        };
        struct spec_idmap map = { 0 };
        int r = read_numbers(args, &req, err);
        if (r == 0)
                r = read_command(args, &req, err);
        if (r == 0)
                r = read_environment(args, &req, err);
        if (r == 0)
                r = read_paths(args, &req, err);
        if (r == 0)
                r = read_fds(args, &req, err);
        if (r == 0 && json_get_object(args, "idmap"))
                r = spec_parse_idmap(json_get_object(args, "idmap"), &map, err);
        if (r < 0)
                return r;
        req.host_uid = host_id(&map, req.uid);
        req.host_gid = host_id(&map, req.gid);
        *ret = req;
        req = (struct exec_request){ 0 };
        return 0;
}

bool exec_next_candidate(const char *path, const char *name, size_t *pos, char *buf, size_t size)
{
        if (strchr(name, '/')) {
                bool is_first = *pos == 0 && strlen(name) < size;
                if (is_first)
                        memcpy(buf, name, strlen(name) + 1);
                *pos = 1;
                return is_first;
        }
        while (*name && *pos <= strlen(path)) {
                const char *dir = path + *pos;
                size_t n = strcspn(dir, ":");
                *pos += n + 1;
                /* An empty element is the working directory. */
                int len = snprintf(buf, size, "%.*s%s%s", (int)n, dir, n ? "/" : "", name);
                if (len > 0 && (size_t)len < size)
                        return true;
        }
        return false;
}
