/* SPDX-License-Identifier: Apache-2.0 */
/* GET /1.0/instances/{name}/logs, GET and DELETE …/logs/{filename} */
#include "instances/logs.h"
#include "base/alloc.h"
#include "base/effect.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/names.h"
#include "base/path.h"
#include "server/event.h"
#include "server/job.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define CONTENT_TYPE "application/octet-stream"
#define TRASH_PREFIX ".deleted-" /* no instance is called so */

struct log_work {
        struct request *req; /* NULL: answered */
        char *name, *file;
        int content;
};

static struct log_work *work_new(struct request *req, struct instance *i, const char *file)
{
        struct log_work *w = xnew(struct log_work);
        w->req = req;
        w->name = xstrdup(i->name);
        w->file = xstrdup(file);
        w->content = -EBADF;
        return w;
}

static void work_free(struct log_work *w)
{
        fd_close(w->content);
        free(w->name);
        free(w->file);
        free(w);
}

static struct job_spec job_spec_for(struct instance *i, const char *job, const char *file)
{
        _cleanup_free_ char *dir = instance_log_dir(i);
        struct job_spec spec = JOB_SPEC_INIT;
        spec.program = "lightrun";
        spec.name = job;
        spec.take_args = json_object_new_object();
        spec.is_session = true;
        json_set_string(spec.take_args, "dir", dir);
        json_set_string(spec.take_args, "name", file);
        return spec;
}

static void reply_failed(struct log_work *w, struct error *err)
{
        if (err->code == ERR_NOT_FOUND)
                error_set(err, ERR_NOT_FOUND, "Instance \"%s\" has no log \"%s\"", w->name, w->file);
        reply_error(w->req, err);
}

static void on_got(void *data, struct json_object *result)
{
        struct log_work *w = data;
        reply_filename(w->req, w->file);
        reply_file(TAKE_PTR(w->req), CONTENT_TYPE, json_get_int(result, "size", 0), TAKE_FD(w->content));
}

/* Logs that every instance has, empty until something is written: LXD's clients read lxc.log for "info --show-log". */
static bool is_always_there(const char *file)
{
        return streq(file, CONSOLE_LOG) || streq(file, "lxc.log");
}

static void on_get_done(void *data, int r _unused_, struct json_object *result _unused_, struct error *err)
{
        struct log_work *w = data;
        if (w->req && err->code == ERR_NOT_FOUND && is_always_there(w->file))
                reply_raw(w->req, CONTENT_TYPE, "", 0);
        else if (w->req)
                reply_failed(w, err);
        work_free(w);
}

void log_reply(struct request *req, struct instance *i, const char *file)
{
        struct log_work *w = work_new(req, i, file);
        struct job_spec spec = job_spec_for(i, "log-get", file);
        spec.answered = on_got;
        int r = fd_pipe(&w->content, &spec.take_stdout);
        if (r < 0) {
                reply_errorf(req, ERR_INTERNAL, "Opening a pipe: %s", strerror(-r));
                json_object_put(spec.take_args);
                work_free(w);
                return;
        }
        job_start(i->server, &spec, on_get_done, w);
}

static void on_deleted(void *data, int r, struct json_object *result _unused_, struct error *err)
{
        struct log_work *w = data;
        if (r < 0 && !(err->code == ERR_NOT_FOUND && streq(w->file, CONSOLE_LOG)))
                reply_failed(w, err);
        else
                reply_empty(w->req);
        work_free(w);
}

void log_delete(struct request *req, struct instance *i, const char *file)
{
        struct job_spec spec = job_spec_for(i, "log-delete", file);
        job_start(i->server, &spec, on_deleted, work_new(req, i, file));
}

/* ---- the directory as a whole ---- */

int instance_logs_make(const struct instance *i, struct error *err)
{
        _cleanup_free_ char *dir = instance_log_dir(i);
        int r = path_mkdir_all(dir, 0700);
        return r < 0 ? error_set_errno(err, r, "Making the log directory of instance \"%s\"", i->name) : 0;
}

static void on_removed(void *data _unused_, int r, struct json_object *result _unused_, struct error *err)
{
        if (r < 0)
                log_error("removing the logs of a deleted instance: %s", error_message(err));
}

static void delete_trash(struct server *s, const char *name)
{
        struct job_spec spec = JOB_SPEC_INIT;
        spec.program = "lightrun";
        spec.name = "log-delete";
        spec.take_args = json_object_new_object();
        json_set_string(spec.take_args, "dir", s->log_dir);
        json_set_string(spec.take_args, "name", name);
        job_start(s, &spec, on_removed, NULL);
}

/* Out of the way first: the name may be taken again before the worker has come to it. */
static void remove_later(struct server *s, const char *dir, const char *trash)
{
        _cleanup_free_ char *to = xasprintf("%s/%s", s->log_dir, trash);
        effect_point(EFFECT_LOGS_REMOVE, EFFECT_BEFORE);
        int r = rename(dir, to);
        effect_point(EFFECT_LOGS_REMOVE, EFFECT_AFTER);
        if (r == 0) /* otherwise it never ran */
                delete_trash(s, trash);
}

void instance_logs_remove(const struct instance *i)
{
        _cleanup_free_ char *dir = instance_log_dir(i), *trash = xasprintf(TRASH_PREFIX "%u", i->num);
        remove_later(i->server, dir, trash);
}

/* {"<project>_<name>": true, …}; the caller puts it. */
static struct json_object *names_of_logs(struct server *s)
{
        struct json_object *names = json_object_new_object();
        for (struct instance *i = instance_next(s, NULL); i; i = instance_next(s, i)) {
                _cleanup_free_ char *name = xasprintf("%s_%s", i->project, i->name);
                json_set_bool(names, name, true);
        }
        return names;
}

void instance_logs_sweep(struct server *s)
{
        _cleanup_json_ struct json_object *names = names_of_logs(s);
        DIR *dir = opendir(s->log_dir);
        struct dirent *e;
        unsigned n = 0;
        while (dir && (e = readdir(dir))) {
                _cleanup_free_ char *path = xasprintf("%s/%s", s->log_dir, e->d_name);
                _cleanup_free_ char *trash = xasprintf(TRASH_PREFIX "stray-%u", n++);
                if (e->d_type != DT_DIR)
                        continue;
                if (str_starts(e->d_name, TRASH_PREFIX))
                        delete_trash(s, e->d_name);
                else if (strchr(e->d_name, '_') && !json_has(names, e->d_name))
                        remove_later(s, path, trash);
        }
        if (dir)
                closedir(dir);
}

void instance_logs_rename(const struct instance *i, const char *new_name)
{
        _cleanup_free_ char *from = instance_log_dir(i);
        _cleanup_free_ char *to = xasprintf("%s/%s_%s", i->server->log_dir, i->project, new_name);
        if (rename(from, to) < 0 && errno != ENOENT)
                log_warning("the logs of instance \"%s\" keep their old name: %s", i->name, strerror(errno));
}

/* ---- routes ---- */

static bool is_plain_name(const char *name)
{
        return *name && *name != '.' && strlen(name) <= 255 && !strchr(name, '/');
}

static void get_list(struct request *req)
{
        struct instance *i = instance_of_request(req);
        struct dirent *e;
        if (!i)
                return;
        _cleanup_free_ char *dir = instance_log_dir(i), *prefix = instance_url(i);
        struct json_object *list = json_object_new_array();
        DIR *d = opendir(dir);
        while (d && (e = readdir(d))) {
                if (!is_plain_name(e->d_name))
                        continue;
                _cleanup_free_ char *url = xasprintf("%s/logs/%s", prefix, e->d_name);
                json_array_add_string(list, url);
        }
        if (d)
                closedir(d);
        reply_json(req, list);
}

/* The instance and the file of the request, or NULL and it is answered. */
static struct instance *log_of_request(struct request *req)
{
        struct instance *i = instance_of_request(req);
        if (i && !is_plain_name(req->params[1])) {
                _cleanup_free_ char *shown = name_printable(req->params[1]);
                reply_errorf(req, ERR_BAD_REQUEST, "\"%s\" is not a name of a log", shown);
                return NULL;
        }
        return i;
}

static void emit(struct request *req, struct instance *i, const char *action)
{
        _cleanup_free_ char *url = xasprintf("/1.0/instances/%s/logs/%s", i->name, req->params[1]);
        event_lifecycle(req->server, req, action, i->project, url, NULL);
}

static void get_one(struct request *req)
{
        struct instance *i = log_of_request(req);
        if (!i)
                return;
        emit(req, i, "instance-log-retrieved");
        log_reply(req, i, req->params[1]);
}

static void delete_one(struct request *req)
{
        struct instance *i = log_of_request(req);
        if (!i)
                return;
        if (!str_starts(req->params[1], "exec_")) {
                reply_errorf(req, ERR_BAD_REQUEST,
                             "Log \"%s\" cannot be deleted, only the outputs of recorded commands can",
                             req->params[1]);
                return;
        }
        emit(req, i, "instance-log-deleted");
        log_delete(req, i, req->params[1]);
}

const struct route instance_log_routes[] = {
        { METHOD_GET, "/1.0/instances/{name}/logs", get_list, PERM_VIEW, ROUTE_PROJECT,
          "List an instance's logs." },
        { METHOD_GET, "/1.0/instances/{name}/logs/{filename}", get_one, PERM_VIEW, ROUTE_PROJECT,
          "One log." },
        { METHOD_DELETE, "/1.0/instances/{name}/logs/{filename}", delete_one, PERM_EDIT, ROUTE_PROJECT,
          "Delete the output of a recorded command." },
        { 0 },
};
