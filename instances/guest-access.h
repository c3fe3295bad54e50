/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Getting at an instance from inside: commands, the console, files, logs. What the rest of instances/ needs
 * of it: the rows of routes, and what start-up has to take up again.
 */
#pragma once

#include "instances/instance.h"

extern const struct route instance_exec_routes[], instance_console_routes[], instance_file_routes[],
        instance_log_routes[];

/* At start-up, after running instances are adopted: recorded commands of an earlier daemon get their
 * operations back. */
void instance_exec_recover(struct instance *i);

/* 0, or ERR_WRONG_STATE with what to do about it. */
int instance_check_running(const struct instance *i, struct error *err);

/* How it was started, whatever its configuration says now. */
bool instance_runs_privileged(struct instance *i);

/* Where an instance's logs are: "<log_dir>/<project>_<name>". The caller frees. */
char *instance_log_dir(const struct instance *i);
int instance_logs_make(const struct instance *i, struct error *err);
void instance_logs_remove(const struct instance *i); /* it has been deleted */
void instance_logs_sweep(struct server *s);          /* at start-up: of instances that are no more */
void instance_logs_rename(const struct instance *i, const char *new_name);
