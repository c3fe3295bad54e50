/* SPDX-License-Identifier: Apache-2.0 */
#include "storage-pools/pool.h"
#include "storage-pools/driver.h"
#include "base/alloc.h"
#include "base/names.h"

const struct object_kind storage_pool_kind = {
        .name = "storage-pool", .title = "Storage pool", .type = &storage_pool_type, .schema = 1
};

static int refuse_driver(const char *name, struct error *err)
{
        _cleanup_free_ char *shown = name_printable(name);
        _cleanup_strbuf_ struct strbuf known = STRBUF_INIT;
        for (const struct storage_driver *const *d = storage_drivers; *d; d++)
                strbuf_addf(&known, "%s\"%s\"", known.len ? ", " : "", (*d)->name);
        error_set(err, ERR_BAD_REQUEST, "Unknown storage driver \"%s\"", shown);
        return error_hint(err, "The drivers are %s", strbuf_str(&known));
}

int storage_pool_check(const struct storage_pool *p, struct error *err)
{
        int r = name_check_object("storage pool", p->name, err);
        if (r < 0)
                return r;
        const struct storage_driver *d = storage_driver_find(p->driver);
        if (!d)
                return refuse_driver(p->driver ? p->driver : "", err);
        return config_validate(storage_driver_tables(d), &p->config, ON_POOL, err);
}

/* "/a/b" is inside "/a" and inside "/a/b". */
static bool is_inside(const char *path, const char *dir)
{
        size_t n = strlen(dir);
        while (n > 1 && dir[n - 1] == '/')
                n--;
        return strncmp(path, dir, n) == 0 && (path[n] == '\0' || path[n] == '/' || n == 1);
}

int storage_pool_check_source(const char *source, const char *daemon_dir, const char *const *others, size_t n_others,
                              struct error *err)
{
        _cleanup_free_ char *ours = xasprintf("%s/storage-pools", daemon_dir);
        bool is_ours = is_inside(source, ours) && strlen(source) > strlen(ours) + 1;
        if (!is_ours && (is_inside(source, daemon_dir) || is_inside(daemon_dir, source)))
                return error_set(err, ERR_BAD_REQUEST, "The source \"%s\" overlaps with the daemon's directory \"%s\"",
                                 source, daemon_dir);
        for (size_t i = 0; i < n_others; i++)
                if (is_inside(source, others[i]) || is_inside(others[i], source))
                        return error_set(err, ERR_BAD_REQUEST, "The source \"%s\" overlaps with another pool's, \"%s\"",
                                         source, others[i]);
        return 0;
}

int storage_pool_get(struct server *s, const char *name, struct object **ret, struct error *err)
{
        return object_get(s, &storage_pool_kind, "", name, ret, err);
}

int storage_pool_get_usable(struct server *s, const char *name, struct object **ret, struct error *err)
{
        int r = storage_pool_get(s, name, ret, err);
        if (r < 0)
                return r;
        const struct storage_pool *p = (*ret)->body;
        if (!streq(p->status, POOL_CREATED)) {
                error_set(err, ERR_WRONG_STATE, "Storage pool \"%s\" cannot be used: it is %s", name, p->status);
                error_object(err, "storage-pool", name);
                r = -EBADFD;
        }
        return r;
}

const struct storage_driver *storage_pool_driver(const struct object *pool)
{
        return storage_driver_find(((const struct storage_pool *)pool->body)->driver);
}

const char *storage_pool_path(const struct object *pool)
{
        return strmap_get(&((const struct storage_pool *)pool->body)->config, "source");
}

char *storage_pool_part(const struct object *pool, const char *part)
{
        return xasprintf("%s/%s", storage_pool_path(pool), part);
}
