/* SPDX-License-Identifier: Apache-2.0 */
/* The layers a root volume lies on: mounted one after the other, all or none. */
#include "instances/power.h"
#include "base/alloc.h"
#include "storage-pools/layer.h"

struct use {
        struct server *server;
        char *pool;
        struct strlist layers;
        size_t n_used;
        power_done_fn done;
        void *data;
};

int instance_pool(const struct instance *i, struct object **ret, struct error *err)
{
        return storage_pool_get_usable(i->server, instance_body(i)->pool, ret, err);
}

static void use_end(struct use *u, int r, struct error *err)
{
        power_done_fn done = u->done;
        void *data = u->data;
        if (r < 0)
                for (size_t k = 0; k < u->n_used; k++)
                        layer_unuse(u->server, u->pool, u->layers.items[k]);
        strlist_done(&u->layers);
        free(u->pool);
        free(u);
        done(data, r, err);
}

static void on_mounted(void *data, int r, struct error *err);

static void use_next(struct use *u)
{
        layer_mount(u->server, u->pool, u->layers.items[u->n_used], on_mounted, u);
}

static void on_mounted(void *data, int r, struct error *err)
{
        struct use *u = data;
        if (r >= 0)
                u->n_used++;
        if (r < 0 || u->n_used == u->layers.n)
                use_end(u, r, err);
        else
                use_next(u);
}

static void nothing_to_use(void *data)
{
        use_end(data, 0, NULL);
}

void instance_use_layers(struct instance *i, power_done_fn done, void *data)
{
        struct use *u = xnew(struct use);
        const struct instance_body *b = instance_body(i);
        u->server = i->server;
        u->pool = xstrdup(b->pool);
        u->done = done;
        u->data = data;
        for (size_t k = 0; k < b->layers.n; k++)
                strlist_add(&u->layers, b->layers.items[k]);
        if (u->layers.n)
                use_next(u);
        else
                timer_start(i->server, 0, nothing_to_use, u);
}

void instance_unuse_layers(struct instance *i)
{
        const struct instance_body *b = instance_body(i);
        for (size_t k = 0; k < b->layers.n; k++)
                layer_unuse(i->server, b->pool, b->layers.items[k]);
}
