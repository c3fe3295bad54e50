/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Starting another program: an argv array, an explicit list of descriptors, never a shell, never a search in PATH
 * for a name somebody else chose. The child shares memory until its exec (vfork semantics), so the cost does not
 * grow with the daemon; it can be born inside a cgroup (clone3: CLONE_INTO_CGROUP), which moving it later costs an
 * RCU grace period.
 */
#pragma once

#include "base/macros.h"
#include <sys/types.h>

#define PROCESS_FDS_MAX 24

struct process_spec {
        const char *path;         /* absolute */
        const char *const *argv;  /* NULL-ended */
        const char *const *env;   /* NULL-ended; NULL: a minimal one (PATH, LANG=C.UTF-8) */
        int fds[PROCESS_FDS_MAX]; /* fds[i] becomes descriptor i; -EBADF: /dev/null for 0-2, closed for others */
        size_t n_fds;             /* at least 3 */
        int cgroup_fd;            /* directory of a cgroup2 group to be born in, or -EBADF */
        bool is_session_leader;   /* setsid() */
};

/* 0 and a pidfd (close-on-exec) with its pid, or -errno. An exec that fails is reported here, not by the child. */
int process_spawn(const struct process_spec *spec, pid_t *ret_pid, int *ret_pidfd);
/* In a child: fds[i] becomes descriptor i as in the spec; all from n on are close-on-exec afterwards. 0 or -errno. */
int process_place_fds(const int *fds, size_t n);
/* Waits (blocking) for a child of this process; the exit status in the shell's form: code, or 128+signal. */
int process_wait(int pidfd, int *ret_status);
int process_signal(int pidfd, int sig);
/* The scheduler prefers this process, its future children begin without that. What is not permitted is left. */
void process_prefer_self(void);
/*
 * This process may open as many files as its hard limit lets it. What process_spawn() starts gets the soft limit that was
 * there before: programs that try every descriptor, or wait with select(), are not to meet a million. 0 or -errno.
 */
int process_raise_files(void);

/* The absolute path of a program of ours beside this executable (or in ../libexec/lightd), or -ENOENT. */
int process_find_own(const char *name, char **ret_path);
/* A tool of the system ("nft", "dnsmasq"): looked up in /usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin. */
int process_find_tool(const char *name, char **ret_path);
