/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files of instances, running or not. files.c has the words of the wire (pure); files-ops.c runs the jobs;
 * files-api.c has the routes. The tree of a stopped instance can be assembled once at a time: file work on it
 * goes one after the other, and a start waits for it.
 */
#pragma once

#include "instances/guest-access.h"

/* ---- words ---- */

/* ?path= with the leading slash clients leave out. */
int file_path_of_request(struct request *req, char **ret, struct error *err);
/* X-LXD-mode: "0644", "0o644", or decimal as old clients send it; -1 when text is NULL or empty. */
int file_parse_mode(const char *text, int *ret, struct error *err);
/* The X-LXD headers of a request into the arguments of file-put. */
int file_put_args(struct request *req, struct json_object *into, struct error *err);
/* The X-LXD headers of an answer. */
void file_reply_headers(struct request *req, struct json_object *result);

/* ---- work ---- */

struct file_work;

struct file_work_spec {
        const char *job;               /* "file-get" */
        struct json_object *take_args; /* "path" and what is the job's own */
        int take_stdin, take_stdout, take_commit;
        void (*answered)(void *data, struct json_object *result); /* may be NULL */
        void (*done)(void *data, int r, struct json_object *result,
                     struct error *err); /* once, never at once */
        void *data;
};
#define FILE_WORK_SPEC_INIT                                                                                  \
        ((struct file_work_spec){ .take_stdin = -EBADF, .take_stdout = -EBADF, .take_commit = -EBADF })

/* Runs when it may; a sentence about the instance is made of the worker's. */
void file_work_start(struct instance *i, const struct file_work_spec *spec);
