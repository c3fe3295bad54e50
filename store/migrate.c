/* SPDX-License-Identifier: Apache-2.0 */
#include "store/migrate.h"

/* The first release is schema 1 of everything. */
const struct migration store_migrations[] = {
        { NULL, 0, NULL },
};

int migrate_newest(const struct migration *table, const char *kind)
{
        int newest = 1;
        for (; table->kind; table++)
                if (streq(table->kind, kind))
                        newest = MAX(newest, table->from + 1);
        return newest;
}

static const struct migration *find_step(const struct migration *table, const char *kind, int from)
{
        for (; table->kind; table++)
                if (table->from == from && streq(table->kind, kind))
                        return table;
        return NULL;
}

int migrate_body(const struct migration *table, const char *kind, int schema, struct json_object *body,
                 struct error *err)
{
        int newest = migrate_newest(table, kind);
        if (schema > newest)
                return error_set(err, ERR_WRONG_STATE,
                                 "Objects of kind \"%s\" have schema %d, this release knows %d", kind, schema,
                                 newest);
        for (; schema < newest; schema++) {
                const struct migration *step = find_step(table, kind, schema);
                if (!step)
                        return error_set(err, ERR_INTERNAL, "No way from schema %d of \"%s\" to %d", schema,
                                         kind, schema + 1);
                int r = step->fn(body, err);
                if (r < 0)
                        return r;
        }
        return 0;
}
