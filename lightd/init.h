/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lightd init. A document of LXD's preseed shape becomes a plan: one step per object, checked as a whole by the rules of
 * the daemon against a copy of its objects in memory, and only then carried out, step by step, through the API. A step
 * that fails undoes those before it.
 */
#pragma once

#include "base/error.h"
#include "base/json.h"

int command_init(int argc, char **argv);

struct server;
struct object;
struct change;
struct object_kind;

/* A list of the document. */
struct init_family {
        const char *key;               /* "storage_pools" */
        const char *path;              /* of the list in the API */
        const struct object_kind *kind;
        const char *project;           /* where its objects are */
        const char *const *members;    /* of an item; ended by NULL */
        const char *fixed;             /* the member that cannot change once it is there; NULL: none */
        /* now NULL: a new one. Takes take_body, which becomes part of c. */
        int (*check)(struct server *s, struct change *c, const struct object *now, void *take_body, struct error *err);
};

extern const struct init_family init_families[]; /* in the order of creation, ended by a NULL key */

struct init_step {
        char *label;                   /* Storage pool "default" */
        char *path;                    /* of the object */
        const char *list;              /* of the API, where a new one is posted */
        struct json_object *now;       /* NULL: it is not there yet */
        struct json_object *next;
        char *etag;                    /* of what is there: as it was found, after the step as the step left it */
};

struct init_plan {
        struct init_step *steps;
        size_t n;
};

/* The daemon is asked for what is there, nothing is changed. */
int init_plan_make(struct json_object *document, struct init_plan *ret, struct error *err);
void init_plan_done(struct init_plan *plan);
/*
 * All of it, or what was done before the failure is taken back. What somebody else changed meanwhile is neither written
 * over nor taken back. -ECANCELED: a signal came. Killed in the middle it leaves whole steps; the same document again
 * does the others.
 */
int init_plan_apply(struct init_plan *plan, struct error *err);

/* The same shape of what is there: only what another server can take, too. */
int init_dump(struct json_object **ret, struct error *err);
/* What an item says about itself, without what the daemon adds. */
struct json_object *init_portable(const struct init_family *f, struct json_object *item);

/* Asks the questions, or takes each default with is_silent. backend and pool may be NULL. */
struct init_wishes {
        bool is_silent;
        const char *backend, *pool;
};
/* *ret_is_shown: the person wants to see the document. -ENODATA: the answers ended; -EINTR: interrupted. */
int init_interview(const struct init_wishes *wishes, struct json_object **ret, bool *ret_is_shown, struct error *err);
