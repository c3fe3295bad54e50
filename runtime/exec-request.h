/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the job `exec` is asked to do, as plain data: decoding, defaults, the search in PATH. Pure: opens
 * nothing, knows no process. The arguments:
 *
 *   "command"      array of at least one string
 *   "environment"  object of strings; HOME, USER (for uid 0), LANG and PATH have defaults
 *   "user","group" numbers in the container
 *   "cwd"          absolute path, or "" for HOME or "/"
 *   "interactive"  a pty of "width" x "height" instead of descriptors
 *   "record"       the command goes on when the control socket closes
 *   "exit_file"    where {"return":N} is left for a later daemon, or ""
 *   "idmap"        {"base":N,"size":N}: so that pipes given to the command can be made its own
 *   "privileged", "nesting", "seccomp", "capabilities_drop", "linux32": as in the spec the container was started with
 *   "fds"          {"stdin":6,"stdout":7,"stderr":8,"control":9}; an absent one is /dev/null, or no control
 */
#pragma once

#include "base/error.h"
#include "base/json.h"
#include <sys/types.h>

#define EXEC_PATH_DEFAULT "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct exec_request {
        char **argv;  /* owned, NULL-ended */
        char **env;   /* owned, NULL-ended; without PATH when has_path is false */
        size_t n_env; /* there is room for one more */
        bool has_path;
        char *cwd;       /* owned; "" for the default */
        char *home;      /* owned; HOME of the environment or NULL */
        char *exit_file; /* owned or NULL */
        uint32_t uid, gid;
        int64_t host_uid, host_gid; /* the same on the host, or -1 */
        uint16_t width, height;
        bool is_interactive, is_recorded, is_32bit;
        int fds[3], control; /* -EBADF: none */
};

void exec_request_done(struct exec_request *req);
int exec_request_read(struct json_object *args, struct exec_request *ret, struct error *err);

/* Adds PATH when the request had none; some images keep programs in /snap/bin. */
void exec_request_default_path(struct exec_request *req, bool has_snap);
const char *exec_request_env(const struct exec_request *req, const char *name); /* value or NULL */

/*
 * The files a command name may mean, in order: the name itself if it holds a '/', else one per directory of
 * PATH. *pos starts at 0. False: no more. A candidate longer than buf is left out.
 */
bool exec_next_candidate(const char *path, const char *name, size_t *pos, char *buf, size_t size);
