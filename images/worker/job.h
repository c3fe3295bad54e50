/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The jobs of lightunpack, one function per row of main.c. Each reads its arguments, does its work (what is
 * hostile in a sandbox, see sandbox.h) and leaves nothing behind when it fails. Knows no image object, alias
 * or project.
 */
#pragma once

#include "base/error.h"
#include "base/json.h"

int job_image_receive(struct json_object *args, struct json_object **ret_result, struct error *err);
int job_image_inspect(struct json_object *args, struct json_object **ret_result, struct error *err);
int job_layer_unpack(struct json_object *args, struct json_object **ret_result, struct error *err);
int job_image_build(struct json_object *args, struct json_object **ret_result, struct error *err);

/* An absolute path among the arguments; the error names the missing key. */
int job_get_path(struct json_object *args, const char *key, const char **ret_path, struct error *err);
/* A regular file for reading, never a link; *ret_size may be NULL. fd or a negative errno with err set. */
int job_open_file(const char *path, uint64_t *ret_size, struct error *err);
int job_open_dir(const char *path, struct error *err);
/* Removes everything inside the directory; the directory stays. */
int job_empty_dir(int dir_fd);
