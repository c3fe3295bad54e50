/* SPDX-License-Identifier: Apache-2.0 */
/* What all checks stand on: reading below the root, trying in a child, and the facts about the daemon. */
#include "lightc/doctor.h"
#include "base/alloc.h"
#include "base/path.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

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

void finding_done(struct finding *f)
{
        strbuf_done(&f->found);
        strbuf_done(&f->fix);
}

const char *doctor_read(const struct doctor *d, const char *path)
{
        static struct strbuf text;
        _cleanup_free_ char *whole = xasprintf("%s%s", d->root, path);
        strbuf_clear(&text);
        if (path_read_file(AT_FDCWD, whole, MiB(1), &text) < 0 || !text.len)
                return "";
        while (text.len && (text.data[text.len - 1] == '\n' || text.data[text.len - 1] == ' '))
                text.data[--text.len] = '\0';
        return strbuf_str(&text);
}

long long doctor_number(const struct doctor *d, const char *path, long long fallback)
{
        const char *text = doctor_read(d, path);
        char *end;
        long long n = strtoll(text, &end, 10);
        return end == text ? fallback : n;
}

bool doctor_exists(const struct doctor *d, const char *path)
{
        struct stat st;
        _cleanup_free_ char *whole = xasprintf("%s%s", d->root, path);
        return stat(whole, &st) == 0;
}

/* ---- trying ---- */

int doctor_wait(pid_t pid, int timeout_ms)
{
        _cleanup_close_ int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
        struct pollfd p = { .fd = pidfd, .events = POLLIN };
        int status = 0;
        bool is_late = pidfd >= 0 && poll(&p, 1, timeout_ms) == 0;
        if (is_late)
                kill(pid, SIGKILL);
        /* A child that a file server holds in the kernel cannot be waited for: it is left to init. */
        if (is_late && poll(&p, 1, 200) == 0)
                return ETIMEDOUT;
        while (waitpid(pid, &status, 0) < 0)
                if (errno != EINTR)
                        return errno;
        return is_late ? ETIMEDOUT : WIFEXITED(status) ? WEXITSTATUS(status) : EIO;
}

int doctor_try_bounded(int (*fn)(void *data), void *data, int timeout_ms)
{
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0)
                _exit(fn(data));
        return pid < 0 ? errno : doctor_wait(pid, timeout_ms);
}

int doctor_try(int (*fn)(void *data), void *data)
{
        fflush(NULL);
        pid_t pid = fork();
        if (pid == 0) {
                if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
                        _exit(EPERM);
                _exit(fn(data));
        }
        return pid < 0 ? errno : doctor_wait(pid, 10000);
}

/* ---- facts ---- */

/* Where the daemon of this client keeps its state, or the directory above it that is there. */
static char *find_state_dir(const struct client *c)
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

static bool is_in_session(gid_t gid)
{
        gid_t groups[256];
        int n = getgroups(256, groups);
        if (getegid() == gid)
                return true;
        for (int i = 0; i < n; i++)
                if (groups[i] == gid)
                        return true;
        return false;
}

static void ask_socket(struct socket_facts *s, const char *path)
{
        struct stat st;
        struct passwd *me = getpwuid(geteuid());
        snprintf(s->me, sizeof s->me, "%s", me ? me->pw_name : "<user>");
        if (stat(path, &st) < 0)
                return;
        *s = (struct socket_facts){ .exists = true, .mode = st.st_mode & 0777, .uid = st.st_uid, .gid = st.st_gid };
        snprintf(s->me, sizeof s->me, "%s", me ? me->pw_name : "<user>");
        s->is_in_session = is_in_session(st.st_gid);
        bool is_primary = me && me->pw_gid == st.st_gid;
        struct group *g = getgrgid(st.st_gid);
        if (!g)
                return;
        snprintf(s->group, sizeof s->group, "%s", g->gr_name);
        s->is_named_member = is_primary;
        for (char **m = g->gr_mem; *m; m++)
                s->is_named_member |= streq(*m, s->me);
}

static void ask_pools(struct doctor *d, struct client *c)
{
        _cleanup_json_ struct json_object *list = NULL;
        _cleanup_free_ char *url = client_url(c, "recursion=1", "storage-pools", NULL);
        d->pools = json_object_new_array();
        if (client_get(c, url, &list, NULL) < 0)
                return;
        for (size_t i = 0; i < json_object_array_length(list); i++) {
                const char *name = json_get_string(json_object_array_get_idx(list, i), "name", "");
                _cleanup_free_ char *of_pool = client_url(c, NULL, "storage-pools", name, "resources", NULL);
                struct json_object *resources = NULL, *row = json_object_new_object();
                json_set_string(row, "name", name);
                if (client_get(c, of_pool, &resources, NULL) >= 0)
                        json_set_take(row, "resources", resources);
                json_object_array_add(d->pools, row);
        }
}

void doctor_init(struct doctor *d, struct client *c)
{
        *d = (struct doctor){ .root = "", .is_root = geteuid() == 0, .state_dir = find_state_dir(c),
                              .socket_path = xstrdup(c->socket_path) };
        ask_socket(&d->socket, c->socket_path);
        d->server_status = client_server(c, &d->server, &d->server_error);
        if (d->server_status >= 0)
                ask_pools(d, c);
        doctor_find_mirrors(d);
        doctor_reach_mirrors(d);
}

void doctor_done(struct doctor *d)
{
        free(d->state_dir);
        free(d->socket_path);
        error_done(&d->server_error);
        json_object_put(d->pools);
}
