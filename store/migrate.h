/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Old texts become new ones: one row per step, {kind, from, fn}, which turns a text of schema `from` into one
 * of from + 1. It changes what it knows and leaves every other member alone. A kind without rows has
 * schema 1. All steps of all objects run in one transaction, after a copy of the database; see sqlite.c.
 *
 * To add one: write the function in migrate.c, add its row to store_migrations, add a test with a text of the
 * old release. Rows are never changed or removed.
 */
#pragma once

#include "base/json.h"

struct migration {
        const char *kind; /* NULL ends a table */
        int from;
        int (*fn)(struct json_object *body, struct error *err);
};

extern const struct migration store_migrations[];

/* The schema that texts of this kind have after all steps; what a put is stored with. */
int migrate_newest(const struct migration *table, const char *kind);
/* Runs the missing steps on one body. -EBADFD when the schema is newer than the table's. */
int migrate_body(const struct migration *table, const char *kind, int schema, struct json_object *body,
                 struct error *err);
