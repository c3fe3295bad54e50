/* SPDX-License-Identifier: Apache-2.0 */
#include "base/alloc.h"
#include "base/path.h"
#include "lightc/doctor.h"
#include "lightc/output.h"

#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static const char *const verdicts[] = { [VERDICT_OK] = "ok", [VERDICT_WARN] = "warn", [VERDICT_FAIL] = "fail" };

void finding_set(struct finding *f, enum verdict verdict, const char *fmt, ...)
{
        va_list ap;
        if (f->found.len && verdict <= f->verdict)
                return;
        f->verdict = verdict;
        strbuf_clear(&f->found);
        va_start(ap, fmt);
        strbuf_addv(&f->found, fmt, ap);
        va_end(ap);
}

void finding_fix(struct finding *f, const char *fmt, ...)
{
        va_list ap;
        strbuf_clear(&f->fix);
        va_start(ap, fmt);
        strbuf_addv(&f->fix, fmt, ap);
        va_end(ap);
}

bool doctor_is_root(void)
{
        return geteuid() == 0;
}

const char *doctor_read(const char *path)
{
        static struct strbuf text;
        strbuf_clear(&text);
        if (path_read_file(AT_FDCWD, path, MiB(1), &text) < 0 || !text.len)
                return "";
        while (text.len && (text.data[text.len - 1] == '\n' || text.data[text.len - 1] == ' '))
                text.data[--text.len] = '\0';
        return strbuf_str(&text);
}

long long doctor_number(const char *path, long long fallback)
{
        const char *text = doctor_read(path);
        char *end;
        long long n = strtoll(text, &end, 10);
        return end == text ? fallback : n;
}

char *doctor_state_dir(const struct client *c)
{
        struct stat st;
        char *dir = xstrdup(c->socket_path);
        char *slash;
        while ((slash = strrchr(dir, '/')) && slash > dir) {
                *slash = '\0';
                if (stat(dir, &st) == 0)
                        return dir;
        }
        free(dir);
        return xstrdup("/");
}

int doctor_try(int (*fn)(void *data), void *data)
{
        int status = 0;
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0) {
                if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                        _exit(EPERM);
                _exit(fn(data));
        }
        if (pid < 0)
                return errno;
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return errno;
        return WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

static void examine(struct client *c, const struct check *rows, struct json_object *list)
{
        for (; rows->name; rows++) {
                struct finding f = { 0 };
                struct json_object *o = json_object_new_object();
                rows->look(c, &f);
                json_set_string(o, "status", verdicts[f.verdict]);
                json_set_string(o, "check", rows->name);
                json_set_string(o, "means", rows->means);
                json_set_string(o, "found", strbuf_str(&f.found));
                json_set_string(o, "fix", strbuf_str(&f.fix));
                json_object_array_add(list, o);
                strbuf_done(&f.found);
                strbuf_done(&f.fix);
        }
}

static size_t count(struct json_object *list, enum verdict verdict)
{
        size_t n = 0;
        for (size_t i = 0; i < json_object_array_length(list); i++)
                n += streq(json_get_string(json_object_array_get_idx(list, i), "status", ""), verdicts[verdict]);
        return n;
}

static void show(struct json_object *list)
{
        for (size_t i = 0; i < json_object_array_length(list); i++) {
                struct json_object *o = json_object_array_get_idx(list, i);
                const char *fix = json_get_string(o, "fix", "");
                output_line("%-4s  %-14s %s", json_get_string(o, "status", ""), json_get_string(o, "check", ""),
                            json_get_string(o, "found", ""));
                if (*fix)
                        output_line("      %-14s   to mend it: %s", "", fix);
        }
        output_line("%zu ok, %zu to look at, %zu failed", count(list, VERDICT_OK), count(list, VERDICT_WARN),
                    count(list, VERDICT_FAIL));
}

static int run(struct client *c, const struct args *a, struct error *err)
{
        static const struct column columns[] = {
                { .header = "STATUS", .key = "status", .cell = cell_upper },
                { .header = "CHECK", .key = "check" },
                { .header = "FOUND", .key = "found" },
                { .header = "FIX", .key = "fix" },
        };
        _cleanup_json_ struct json_object *list = json_object_new_array();
        examine(c, doctor_kernel_checks, list);
        examine(c, doctor_host_checks, list);
        int r = 0;
        if (args_has(a, "format"))
                r = output_list(a, list, columns, ARRAY_SIZE(columns), 0, err);
        else
                show(list);
        return r ? r : count(list, VERDICT_FAIL) ? STATUS_FAILED : STATUS_OK;
}

static const struct option options[] = { OPTION_FORMAT, { 0 } };

const struct command cmd_doctor = {
        .path = "doctor",
        .summary = "Look whether this host has what containers need",
        .options = options,
        .run = run,
        .example = "lightc doctor\nsudo lightc doctor --format json",
};
