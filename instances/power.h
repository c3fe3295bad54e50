/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting, stopping and ending: the life of an instance's run. A caller has claimed the instance; each function's
 * done comes exactly once and never before the function has returned.
 */
#pragma once

#include "instances/instance.h"

typedef void (*power_done_fn)(void *data, int r, struct error *err);

void instance_start(struct instance *i, struct operation *op, power_done_fn done, void *data);
/* By force: at once. Else asks init to shut down; after timeout_ms (0: never gives up) it fails and keeps running. */
void instance_stop(struct instance *i, bool is_force, uint64_t timeout_ms, power_done_fn done, void *data);
/* Withdraws a stop that waits for init. */
void instance_stop_cancel(struct instance *i);
int instance_freeze(struct instance *i, bool is_frozen, struct error *err);

/* Runs fn when nothing of the last run is left (at once when it is so). */
void instance_when_clean(struct instance *i, void (*fn)(void *data), void *data);
/* Whoever set is_cleaning is through: those who wait go on, in order. */
void instance_cleaned(struct instance *i);
/* At start-up: kills and removes whatever a run of this number left, then done. */
void instance_tear_down(struct instance *i, power_done_fn done, void *data);
/* At start-up: a monitor that lives is adopted; done with r < 0 when there is none, or it does not answer. */
void instance_adopt(struct instance *i, power_done_fn done, void *data);

/* spec.c: what lightrun is told; also settles what the start writes down (volatile keys). */
struct run_plan {
        struct json_object *spec;       /* owned */
        struct strmap volatile_config;  /* as it shall be stored */
};
void run_plan_done(struct run_plan *p);
int run_plan_make(struct instance *i, int64_t gen, struct run_plan *ret, struct error *err);
/* The rootfs and idmap members alone, for work on a stopped container's files. Needs its layers mounted. */
int run_plan_rootfs(struct instance *i, struct json_object *into, struct error *err);

void instance_forget_nics(struct instance *i);

/* The pool of its root volume. */
int instance_pool(const struct instance *i, struct object **ret, struct error *err);
/* Mounts its layers (counts a user of each); instance_unuse_layers() undoes it. */
void instance_use_layers(struct instance *i, power_done_fn done, void *data);
void instance_unuse_layers(struct instance *i);
