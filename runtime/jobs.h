/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The jobs of lightrun: one function each, one row each in main.c. A job takes the JSON object of descriptor
 * 3 and returns 0 with a result or a negative errno with a sentence (base/worker.h). A new job is a line
 * here, a row there.
 */
#pragma once

#include "base/worker.h"

typedef int job_fn(struct json_object *args, struct json_object **ret_result, struct error *err);

/* runtime/start.c: becomes the container's monitor */
job_fn job_start;
/* runtime/teardown.c */
job_fn job_teardown, job_jobs_sweep;
/* runtime/volume.c */
job_fn job_volume_create, job_volume_delete;
/* runtime/volume-copy.c */
job_fn job_volume_copy;
/* runtime/layer.c */
job_fn job_layer_mount, job_layer_unmount;
/* runtime/exec.c */
job_fn job_exec;
/* runtime/file-get.c, file-put.c, file-delete.c */
job_fn job_file_get, job_file_put, job_file_delete;
/* runtime/log-files.c */
job_fn job_log_get, job_log_delete;
/* runtime/pool.c */
job_fn job_pool_create, job_pool_delete, job_pool_sweep, job_trash_empty;
/* runtime/pool-files.c */
job_fn job_layer_begin, job_layer_commit, job_layer_probe, job_volume_trash, job_volume_usage;
/* runtime/layer-import.c */
job_fn job_layer_import;
/* runtime/net-bridge.c */
job_fn job_bridge_up, job_bridge_down, job_bridge_sweep;
/* runtime/net-links.c */
job_fn job_net_links, job_subnet_find;
/* runtime/image-files.c */
job_fn job_image_begin, job_image_commit, job_image_remove, job_image_sweep, job_image_send;

/* runtime/apparmor.c */
job_fn job_apparmor_load;
/* runtime/resources.c */
job_fn job_resources;

/* An absolute path among the arguments; the error names the key. */
int job_get_path(struct json_object *args, const char *key, const char **ret, struct error *err);
/* "dir/name" split at the last '/': the directory opened, the name borrowed from path. fd, or -errno with err set. */
int job_open_parent(const char *path, const char **ret_name, struct error *err);
