/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One instance in the daemon's memory: its three objects are found by name; this struct holds what is not stored: the
 * link to its monitor, what is being done with it, what was rendered. Made with its instance object (or a little
 * before, while it is being created) and freed with it.
 */
#pragma once

#include "api/instance.h"
#include "server/operation.h"
#include <uthash.h>

extern const struct object_kind instance_kind, instance_volatile_kind, instance_power_kind;

enum instance_state { INSTANCE_STOPPED, INSTANCE_STARTING, INSTANCE_RUNNING, INSTANCE_FROZEN, INSTANCE_STOPPING };

struct monitor_link;
struct live;

struct instance {
        struct server *server;
        char *project, *name;
        uint32_t num;
        char num_text[12]; /* the key of what others keep for it */
        enum instance_state state;
        pid_t pid;       /* of init as the host sees it; 0 when it does not run */
        int pidfd;
        struct monitor_link *link;
        struct live *live; /* kept descriptors of its cgroup files (state.c) */
        const char *busy;  /* "start": what is being done with it, NULL: nothing */
        struct operation *busy_op;
        bool is_user_stop; /* the stop under way was asked for: no reboot, no autorestart */
        bool is_restart;   /* and it shall be followed by a start, which a next daemon takes over */
        bool is_greeted;   /* its monitor has answered: from then on, that init ends is news */
        bool is_cleaning;  /* teardown of the last run is under way; a start waits for it */
        struct list waiting_clean;
        struct strmap expanded_config;
        struct devices expanded_devices;
        bool is_expanded;
        struct strbuf rest; /* rendered without state; emptied by instance_touch() */
        UT_hash_handle hh, hh_num;
        char *key; /* "project\nname" */
};

/* The empty registry of a server; it goes with the server. */
void instances_registry_new(struct server *s);

/* By name as a request gives it; NULL while it is only being created. */
struct instance *instance_find(struct server *s, const char *project, const char *name);
struct instance *instance_find_num(struct server *s, uint32_t num);
/* LXD's older names of /1.0/instances: under /1.0/containers all of them are, under /1.0/virtual-machines none is. */
bool instance_tree_is_empty(const struct request *req);
/* Finds the request's instance (params[0]) or answers 404. */
struct instance *instance_of_request(struct request *req);
/* The next one in no particular order; NULL starts. */
struct instance *instance_next(struct server *s, struct instance *i);
size_t instance_count(struct server *s);

/* Reserves the name and a number while the instance is created. -EEXIST with a sentence. */
int instance_reserve(struct server *s, const char *project, const char *name, struct instance **ret, struct error *err);
/* The struct goes: creation failed, or the deletion is through. */
void instance_unreserve(struct instance *i);
/* Its objects are gone: the name is free again, the number not yet. */
void instance_forget(struct instance *i);
struct instance *instance_load(struct server *s, struct object *o); /* at start-up */
void instance_renamed(struct instance *i, const char *name);

struct object *instance_object(const struct instance *i);
const struct instance_body *instance_body(const struct instance *i);
const struct strmap *instance_volatile(const struct instance *i);
const struct instance_power *instance_power(const struct instance *i);

/* Effective configuration: profiles in order, then its own. Cached; instance_touch() forgets. */
const struct strmap *instance_config(struct instance *i);
const struct devices *instance_devices(struct instance *i);
/* The same for a body that is not stored yet. */
void instance_expand(struct server *s, const char *project, const struct instance_body *b, struct strmap *ret_config,
                     struct devices *ret_devices);
bool instance_is_privileged(struct instance *i);
/* A system of 32 bits: on a kernel of 64, uname shall not tell it of programs it cannot run. */
bool instance_is_32bit(const struct instance *i);
/* Something shown has changed: configuration, a profile, the state. */
void instance_touch(struct instance *i);
void instance_touch_all(struct server *s);

/* Claims the instance for one piece of work; ERR_IN_USE naming what is under way. */
int instance_claim(struct instance *i, const char *what, struct operation *op, struct error *err);
void instance_release(struct instance *i);

void instance_set_state(struct instance *i, enum instance_state state);
const char *instance_status(const struct instance *i, int *ret_code);
bool instance_is_running(const struct instance *i); /* running or frozen */

/* "RUNNING" from `lightd shutdown` until the next start: what shall come back. The daemon's own note, no client writes it. */
#define VOLATILE_POWER "volatile.last_state.power"

/* Rendering (instance-rest.c). */
const struct strbuf *instance_rest(struct instance *i);
void instance_write_full(struct instance *i, struct json_writer *w);  /* recursion=2: with state */
void instance_write_state(struct instance *i, struct json_writer *w); /* state.c */
char *instance_url(const struct instance *i);
char *instance_run_dir(const struct instance *i);
char *instance_cgroup(const struct instance *i);
/* First host id of its range. */
uint32_t instance_idmap_base(const struct instance *i);
#define INSTANCE_IDMAP_SIZE 65536

/* In an operation's spec: the instance it is about. */
#define INSTANCE_RESOURCE(name)                                                                              \
        .resource_kind = "instances", .resource_old_kind = "containers", .resource_name = (name)

/* Events: "instance-started" and the like. Without a request, the one who asked for the work under way is named. */
void instance_event(struct instance *i, const struct request *req, const char *action, struct json_object *take_context);
