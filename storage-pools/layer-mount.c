/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Squashfs layers that are mounted: <run_dir>/layers/<pool>/<fingerprint>, counted by running containers. The last
 * one's end leaves the mount for a while, since a restart is more likely than anything else. The kernel's table is the
 * truth after a restart of the daemon.
 */
#include "storage-pools/internal.h"
#include "base/alloc.h"
#include "base/strbuf.h"

#define IDLE_MS 30000

enum mount_state { UNMOUNTED, MOUNTING, MOUNTED, UNMOUNTING };

struct waiter {
        struct list node;
        storage_done_fn done;
        void *data;
        bool is_drop; /* waits for the end of the mount, not for the mount */
};

struct mounted {
        struct list node;
        struct server *server;
        char *pool, *fingerprint;
        enum mount_state state;
        unsigned users;
        uint64_t idle_timer;
        struct list waiters;
};

static struct list all;

static void mounted_free(struct mounted *m)
{
        list_remove(&m->node);
        free(m->pool);
        free(m->fingerprint);
        free(m);
}

void layer_mounts_reset(void)
{
        struct mounted *m;
        if (all.next)
                list_for_each (m, &all, node)
                        mounted_free(m);
        list_init(&all);
}

static struct mounted *find(const char *pool, const char *fingerprint)
{
        struct mounted *m;
        list_for_each (m, &all, node)
                if (streq(m->pool, pool) && streq(m->fingerprint, fingerprint))
                        return m;
        return NULL;
}

static struct mounted *get(struct server *s, const char *pool, const char *fingerprint)
{
        struct mounted *m = find(pool, fingerprint);
        if (m)
                return m;
        m = xnew(struct mounted);
        m->server = s;
        m->pool = xstrdup(pool);
        m->fingerprint = xstrdup(fingerprint);
        list_init(&m->waiters);
        list_append(&all, &m->node);
        return m;
}

unsigned layer_users(const char *pool, const char *fingerprint)
{
        const struct mounted *m = find(pool, fingerprint);
        return m ? m->users : 0;
}

static char *mount_path(struct server *s, const char *pool, const char *fingerprint)
{
        return xasprintf("%s/layers/%s/%s", s->run_dir, pool, fingerprint);
}

static char *file_path(struct server *s, const struct layer *l)
{
        const struct object *pool = object_find(s, &storage_pool_kind, "", l->pool);
        if (!pool)
                return NULL;
        _cleanup_free_ char *dir = storage_pool_part(pool, "layers"), *name = layer_file_name(l->fingerprint, l->form);
        return xasprintf("%s/%s", dir, name);
}

static bool is_squashfs(const struct object *o)
{
        return o && streq(((const struct layer *)o->body)->form, LAYER_SQUASHFS);
}

char *layer_path(struct server *s, const char *pool, const char *fingerprint)
{
        const struct object *o = layer_find(s, pool, fingerprint);
        if (!o)
                return NULL;
        return is_squashfs(o) ? mount_path(s, pool, fingerprint) : file_path(s, o->body);
}

/* Those that waited for what has now happened, or not happened. */
static void answer(struct mounted *m, bool is_drop, int r, const struct error *err)
{
        struct waiter *w;
        list_for_each (w, &m->waiters, node) {
                if (w->is_drop != is_drop)
                        continue;
                list_remove(&w->node);
                done_later_error(m->server, w->done, w->data, r, err);
                if (r < 0 && !is_drop && m->users)
                        m->users--;
                free(w);
        }
}

static bool has_waiter(const struct mounted *m)
{
        return !list_is_empty(&m->waiters);
}

static void start_mount(struct mounted *m);

static void maybe_forget(struct mounted *m)
{
        if (m->state == UNMOUNTED && !m->users && !has_waiter(m))
                mounted_free(m);
}

static void on_unmounted(void *data, int r, struct json_object *result _unused_, struct error *err _unused_)
{
        struct mounted *m = data;
        m->state = r < 0 ? MOUNTED : UNMOUNTED;
        answer(m, true, 0, NULL);
        if (m->state == MOUNTED)
                answer(m, false, 0, NULL);
        else if (m->users)
                start_mount(m);
        else
                maybe_forget(m);
}

static void start_job(struct mounted *m, const char *name, struct json_object *take_args, job_done_fn done)
{
        struct job_spec spec = JOB_SPEC_INIT;
        spec.program = "lightrun";
        spec.name = name;
        spec.take_args = take_args;
        job_start(m->server, &spec, done, m);
}

static void start_unmount(struct mounted *m)
{
        _cleanup_free_ char *target = mount_path(m->server, m->pool, m->fingerprint);
        struct json_object *args = json_object_new_object();
        timer_cancel(m->server, m->idle_timer);
        m->idle_timer = 0;
        m->state = UNMOUNTING;
        json_set_string(args, "target", target);
        start_job(m, "layer-unmount", args, on_unmounted);
}

static void on_idle(void *data)
{
        struct mounted *m = data;
        m->idle_timer = 0;
        if (!m->users && m->state == MOUNTED)
                start_unmount(m);
        else
                maybe_forget(m);
}

static void watch_idle(struct mounted *m)
{
        timer_cancel(m->server, m->idle_timer);
        m->idle_timer = m->users ? 0 : timer_start(m->server, IDLE_MS, on_idle, m);
}

static void on_mounted(void *data, int r, struct json_object *result _unused_, struct error *err)
{
        struct mounted *m = data;
        m->state = r < 0 ? UNMOUNTED : MOUNTED;
        answer(m, false, r, err);
        if (m->state == MOUNTED && !m->users && has_waiter(m))
                start_unmount(m);
        else
                answer(m, true, 0, NULL);
        if (m->state == MOUNTED && !m->users)
                watch_idle(m);
        else
                maybe_forget(m);
}

static void start_mount(struct mounted *m)
{
        const struct object *o = layer_find(m->server, m->pool, m->fingerprint);
        _cleanup_free_ char *image = o ? file_path(m->server, o->body) : NULL;
        _cleanup_free_ char *target = mount_path(m->server, m->pool, m->fingerprint);
        if (!image) {
                _cleanup_error_ struct error err = ERROR_INIT;
                int r = error_set(&err, ERR_NOT_FOUND, "Layer \"%.12s\" is gone from storage pool \"%s\"",
                                  m->fingerprint, m->pool);
                on_mounted(m, r, NULL, &err);
                return;
        }
        struct json_object *args = json_object_new_object();
        m->state = MOUNTING;
        json_set_string(args, "image", image);
        json_set_string(args, "target", target);
        start_job(m, "layer-mount", args, on_mounted);
}

static void add_waiter(struct mounted *m, bool is_drop, storage_done_fn done, void *data)
{
        struct waiter *w = xnew(struct waiter);
        w->done = done;
        w->data = data;
        w->is_drop = is_drop;
        list_append(&m->waiters, &w->node);
}

void layer_use(struct server *s, const char *pool, const char *fingerprint)
{
        struct mounted *m = get(s, pool, fingerprint);
        m->users++;
        timer_cancel(s, m->idle_timer);
        m->idle_timer = 0;
}

void layer_mount(struct server *s, const char *pool, const char *fingerprint, storage_done_fn done, void *data)
{
        const struct object *o = layer_find(s, pool, fingerprint);
        if (!o) {
                _cleanup_free_ char *text = xasprintf("Layer \"%.12s\" not found in storage pool \"%s\"", fingerprint, pool);
                done_later(s, done, data, ERR_NOT_FOUND, text);
                return;
        }
        layer_use(s, pool, fingerprint);
        struct mounted *m = find(pool, fingerprint);
        if (!is_squashfs(o) || m->state == MOUNTED) {
                done_later(s, done, data, ERR_NONE, NULL);
                return;
        }
        add_waiter(m, false, done, data);
        if (m->state == UNMOUNTED)
                start_mount(m);
}

void layer_unuse(struct server *s _unused_, const char *pool, const char *fingerprint)
{
        struct mounted *m = find(pool, fingerprint);
        if (!m || !m->users)
                return;
        m->users--;
        if (m->users)
                return;
        if (m->state == MOUNTED)
                watch_idle(m);
        else
                maybe_forget(m);
}

void layer_mount_drop(struct server *s, const char *pool, const char *fingerprint, storage_done_fn done, void *data)
{
        struct mounted *m = find(pool, fingerprint);
        if (!m || m->users || m->state == UNMOUNTED) {
                done_later(s, done, data, ERR_NONE, NULL);
                return;
        }
        add_waiter(m, true, done, data);
        if (m->state == MOUNTED)
                start_unmount(m);
}

struct json_object *layer_mounts_take(struct server *s, const char *pool)
{
        struct json_object *paths = json_object_new_array();
        struct mounted *m;
        list_for_each (m, &all, node) {
                if (!streq(m->pool, pool) || m->users || m->state != MOUNTED)
                        continue;
                _cleanup_free_ char *path = mount_path(s, m->pool, m->fingerprint);
                json_array_add_string(paths, path);
                timer_cancel(s, m->idle_timer);
                mounted_free(m);
        }
        return paths;
}

/* "\040" and the like stand for the bytes mountinfo's columns cannot hold. */
static void add_unescaped(struct strbuf *b, const char *text, size_t n)
{
        for (size_t i = 0; i < n; i++) {
                bool is_escape = text[i] == '\\' && i + 3 < n;
                for (size_t k = 1; is_escape && k <= 3; k++)
                        is_escape = text[i + k] >= '0' && text[i + k] <= '7';
                if (is_escape)
                        strbuf_addc(b, (char)((text[i + 1] - '0') * 64 + (text[i + 2] - '0') * 8 + text[i + 3] - '0'));
                else
                        strbuf_addc(b, text[i]);
                i += is_escape ? 3 : 0;
        }
}

void mountinfo_each_below(const char *mountinfo, const char *prefix, void (*fn)(void *data, const char *rest),
                          void *data)
{
        for (const char *line = mountinfo, *next; line && *line; line = next) {
                const char *end = strchr(line, '\n'), *field = line;
                next = end ? end + 1 : NULL;
                for (int i = 0; i < 4 && field; i++) /* the mount point is the fifth */
                        field = strchr(field, ' ') ? strchr(field, ' ') + 1 : NULL;
                if (!field || (end && field > end))
                        continue;
                _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
                add_unescaped(&b, field, strcspn(field, " \n"));
                if (str_starts(strbuf_str(&b), prefix))
                        fn(data, b.data + strlen(prefix));
        }
}

static void adopt(void *data, const char *rest)
{
        struct server *s = data;
        const char *slash = strchr(rest, '/');
        if (!slash || strchr(slash + 1, '/'))
                return;
        _cleanup_free_ char *pool = xstrndup(rest, (size_t)(slash - rest));
        struct mounted *m = get(s, pool, slash + 1);
        m->state = MOUNTED;
        if (!m->users && !layer_find(s, pool, slash + 1))
                start_unmount(m);
        else
                watch_idle(m);
}

void layer_mounts_adopt(struct server *s, const char *mountinfo)
{
        _cleanup_free_ char *prefix = xasprintf("%s/layers/", s->run_dir);
        mountinfo_each_below(mountinfo, prefix, adopt, s);
}
