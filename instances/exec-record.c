/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Recorded commands go on without the daemon that began them. What a later one needs to show their operations
 * lies in the instance's run directory, which is a tmpfs: nothing here waits for a disk.
 */
#include "instances/exec.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/names.h"
#include "base/path.h"
#include "base/time.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define NOTE_MAX JSON_TEXT_MAX
#define LOOK_EVERY_MS 250

void exec_record_done(struct exec_record *rec)
{
        fd_close(rec->stdout_fd);
        fd_close(rec->stderr_fd);
        fd_close(rec->note_fd);
        json_object_put(rec->output);
        free(rec->note_file);
        free(rec->exit_file);
        *rec = EXEC_RECORD_INIT;
}

static char *record_dir(const struct instance *i)
{
        _cleanup_free_ char *run_dir = instance_run_dir(i);
        return xasprintf("%s/exec", run_dir);
}

static void set_paths(const struct instance *i, const char *id, struct exec_record *rec)
{
        _cleanup_free_ char *dir = record_dir(i);
        rec->note_file = xasprintf("%s/%s.json", dir, id);
        rec->exit_file = xasprintf("%s/%s.exit", dir, id);
}

static int open_new(const char *path)
{
        int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC, 0600);
        return fd < 0 ? -errno : fd;
}

static int open_output(const struct instance *i, const char *id, const char *which, const char *key,
                       struct exec_record *rec)
{
        _cleanup_free_ char *dir = instance_log_dir(i);
        _cleanup_free_ char *path = xasprintf("%s/exec_%s.%s", dir, id, which);
        _cleanup_free_ char *url = xasprintf("/1.0/instances/%s/logs/exec_%s.%s", i->name, id, which);
        int r = path_mkdir_all(dir, 0700);
        if (r < 0)
                return r;
        if (!rec->output)
                rec->output = json_object_new_object();
        json_set_string(rec->output, key, url);
        return open_new(path);
}

static int write_note(const struct instance *i, const char *id, struct json_object *note,
                      struct exec_record *rec)
{
        _cleanup_free_ char *dir = record_dir(i);
        const char *text = json_text(note);
        set_paths(i, id, rec);
        int r = path_mkdir_all(dir, 0700);
        if (r < 0)
                return r;
        rec->note_fd = open_new(rec->note_file);
        if (rec->note_fd < 0)
                return rec->note_fd;
        if (flock(rec->note_fd, LOCK_EX | LOCK_NB) < 0)
                return -errno;
        return fd_write_all(rec->note_fd, text, strlen(text));
}

int exec_record_begin(struct instance *i, const struct operation *op, struct json_object *take_metadata,
                      struct exec_record *ret, struct error *err)
{
        const char *id = operation_id(op);
        _cleanup_json_ struct json_object *note = take_metadata;
        int r = ret->stdout_fd = open_output(i, id, "stdout", "1", ret);
        if (r >= 0)
                r = ret->stderr_fd = open_output(i, id, "stderr", "2", ret);
        if (r < 0)
                return error_set_errno(err, r, "Recording a command in the logs of instance \"%s\"", i->name);
        json_set_take(note, "output", json_object_get(ret->output));
        r = write_note(i, id, note, ret);
        return r < 0 ? error_set_errno(err, r, "Noting a recorded command of instance \"%s\"", i->name) : 0;
}

struct leftover {
        char *note_file, *exit_file;
};

static void forget(void *data)
{
        struct leftover *l = data;
        unlink(l->note_file);
        unlink(l->exit_file);
        free(l->note_file);
        free(l->exit_file);
        free(l);
}

void exec_record_forget_later(struct server *s, const struct exec_record *rec, uint64_t ms)
{
        struct leftover *l = xnew(struct leftover);
        l->note_file = xstrdup(rec->note_file);
        l->exit_file = xstrdup(rec->exit_file);
        timer_start(s, ms, forget, l);
}

/* ---- a later daemon ---- */

struct found {
        struct server *server;
        struct operation *op;
        struct exec_record record;
};

static void found_end(struct found *f, uint64_t keep_ms)
{
        exec_record_forget_later(f->server, &f->record, keep_ms);
        exec_record_done(&f->record);
        free(f);
}

static uint64_t age_ms(const char *path)
{
        struct stat st;
        if (stat(path, &st) < 0)
                return 0;
        int64_t ns = time_now_ns() - ((int64_t)st.st_mtim.tv_sec * 1000000000 + st.st_mtim.tv_nsec);
        return ns > 0 ? (uint64_t)(ns / 1000000) : 0;
}

static void tell_end(struct found *f, int64_t status)
{
        uint64_t age = age_ms(f->record.exit_file);
        uint64_t keep = age < EXEC_RECORD_KEEP_MS ? EXEC_RECORD_KEEP_MS - age : 1;
        struct json_object *result = json_object_new_object();
        json_set_int(result, "return", status);
        operation_keep_ms(f->op, keep);
        operation_succeed(f->op, result);
        found_end(f, keep);
}

static void tell_loss(struct found *f)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        error_set(&err, ERR_INTERNAL, "The command was killed together with what watched it");
        operation_keep_ms(f->op, EXEC_RECORD_KEEP_MS);
        operation_fail(f->op, &err);
        found_end(f, EXEC_RECORD_KEEP_MS);
}

static int64_t read_status(const char *path)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        _cleanup_json_ struct json_object *o = NULL;
        if (path_read_file(AT_FDCWD, path, KiB(4), &b) < 0 || json_parse(strbuf_str(&b), b.len, &o, NULL) < 0)
                return -1;
        return json_get_int(o, "return", -1);
}

/* The worker is no child of ours: its exit file, or the lock it no longer holds, tells of its end. */
static void look(void *data)
{
        struct found *f = data;
        bool is_alive = flock(f->record.note_fd, LOCK_EX | LOCK_NB) < 0;
        int64_t status =
                read_status(f->record.exit_file); /* after the lock: it is written before that is let go */
        if (status >= 0)
                tell_end(f, status);
        else if (is_alive)
                timer_start(f->server, LOOK_EVERY_MS, look, f);
        else
                tell_loss(f);
}

static int read_note(const char *path, struct exec_record *rec, struct json_object **ret)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        rec->note_fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        if (rec->note_fd < 0)
                return -errno;
        int r = fd_read_to_end(rec->note_fd, &b, NOTE_MAX);
        if (r == 0)
                r = json_parse(strbuf_str(&b), b.len, ret, NULL);
        return r < 0 ? r : json_object_is_type(*ret, json_type_object) ? 0 : -EINVAL;
}

static void recover_one(struct instance *i, const char *id)
{
        struct exec_record rec = EXEC_RECORD_INIT;
        struct json_object *metadata = NULL;
        set_paths(i, id, &rec);
        if (read_note(rec.note_file, &rec, &metadata) < 0) {
                json_object_put(metadata);
                exec_record_done(&rec);
                return;
        }
        struct operation_spec spec = { .class = OPERATION_TASK,
                                       .description = "Executing command",
                                       .project = i->project,
                                       INSTANCE_RESOURCE(i->name),
                                       .id = id };
        struct found *f = xnew(struct found);
        f->server = i->server;
        f->record = rec;
        f->op = operation_new(i->server, NULL, &spec);
        operation_set_metadata(f->op, metadata);
        look(f);
}

void instance_exec_recover(struct instance *i)
{
        _cleanup_free_ char *dir = record_dir(i);
        struct dirent *entry;
        DIR *d = opendir(dir);
        while (d && (entry = readdir(d))) {
                if (!str_ends(entry->d_name, ".json"))
                        continue;
                _cleanup_free_ char *id = xstrndup(entry->d_name, strlen(entry->d_name) - strlen(".json"));
                if (name_check_uuid(id, NULL) == 0 && !operation_find(i->server, id))
                        recover_one(i, id);
        }
        if (d)
                closedir(d);
}
