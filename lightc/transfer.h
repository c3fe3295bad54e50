/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Files between this machine and an instance, one at a time or whole trees. What an instance says about names and
 * links is not trusted: a pulled tree is written through directory descriptors, following nothing.
 */
#pragma once

#include "lightc/client.h"

struct transfer {
        struct client *client;
        const char *instance; /* its name, for URLs */
        int64_t uid, gid;     /* -1: the local file's (push) */
        int mode;             /* -1: the local file's (push) */
        bool is_recursive, makes_dirs;
};

struct remote_file {
        char type[16]; /* "file", "directory", "symlink" */
        int64_t uid, gid;
        int mode;
};

/* "[remote:]instance/path" -> instance (owned) and the path, which begins with a slash (owned). */
int transfer_parse(const char *word, char **ret_instance, char **ret_path, struct error *err);

/* local "-" is standard input. remote is the full path inside. */
int transfer_push(struct transfer *t, const char *local, const char *remote, struct error *err);
int transfer_push_fd(struct transfer *t, int fd, const struct remote_file *as, const char *remote, struct error *err);
/* Directories above `remote` that do not exist yet. */
int transfer_make_parents(struct transfer *t, const char *remote, struct error *err);

/* Into the directory dir_fd under `name`; name NULL: to descriptor out_fd. */
int transfer_pull(struct transfer *t, const char *remote, int dir_fd, const char *name, int out_fd,
                  struct remote_file *ret, struct error *err);
