/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a host must have for containers, one row a check. People call the doctor when there is no daemon: a check looks
 * by itself, and only those about the daemon and its pools need its answers. It tries a thing rather than believing a
 * version; what only root may try says so.
 *
 * Files are read below a root, which tests set to a directory of theirs; what the daemon said is in the struct.
 */
#pragma once

#include "base/strbuf.h"
#include "lightc/client.h"

#include <sys/types.h>
#include <time.h>

enum verdict { VERDICT_OK, VERDICT_WARN, VERDICT_FAIL };

struct finding {
        enum verdict verdict;
        char subject[80];    /* which pool, which mirror; "" */
        struct strbuf found; /* a sentence without full stop */
        struct strbuf fix;   /* the command that mends it, or what to do; empty: nothing */
};

#define MIRRORS_MAX 8

struct mirror {
        char host[256], port[8];
        bool is_proxy;
        int error; /* 0: it answers; ENOENT: no address; others */
};

/* The daemon's socket and who asks. */
struct socket_facts {
        bool exists;
        mode_t mode;
        uid_t uid;
        gid_t gid;
        char group[64]; /* "": no such group */
        char me[64];
        bool is_named_member, is_in_session; /* by the group file; by the groups of this process */
};

struct doctor {
        const char *root; /* "" on a real host */
        bool is_root;
        char *state_dir, *socket_path;
        int server_status;
        struct error server_error;
        struct json_object *server; /* GET /1.0, the client's; NULL: server_error says why */
        struct json_object *pools;  /* owned: [{name, resources}] */
        struct socket_facts socket;
        struct mirror mirrors[MIRRORS_MAX];
        size_t n_mirrors;
};

struct check {
        const char *name, *means; /* "inotify", "what watches files in containers" */
        void (*look)(const struct doctor *d, struct finding *f);
        bool (*look_each)(const struct doctor *d, size_t k, struct finding *f); /* instead; false: there is no k-th */
};

/* Each ended by a row without name. */
extern const struct check doctor_kernel_checks[], doctor_limit_checks[], doctor_host_checks[], doctor_room_checks[],
        doctor_mirror_checks[], doctor_daemon_checks[];

/* Asks the daemon, if there is one, and tries the mirrors, all at once. */
void doctor_init(struct doctor *d, struct client *c);
void doctor_done(struct doctor *d);

/* For checks: the verdict with its sentence. A worse verdict than the one there replaces it. */
void finding_set(struct finding *f, enum verdict verdict, const char *fmt, ...) _printf_(3, 4);
void finding_fix(struct finding *f, const char *fmt, ...) _printf_(2, 3);
void finding_done(struct finding *f);
/* A small file's text below the root, trimmed, or ""; and its number, or the fallback. Valid until the next call. */
const char *doctor_read(const struct doctor *d, const char *path);
long long doctor_number(const struct doctor *d, const char *path, long long fallback);
bool doctor_exists(const struct doctor *d, const char *path);
/* Runs fn in a child with mounts of its own: its exit status, 0 when all went well. */
int doctor_try(int (*fn)(void *data), void *data);
/* Runs fn in a child that is given up after so long: its exit status, or ETIMEDOUT. */
int doctor_try_bounded(int (*fn)(void *data), void *data, int timeout_ms);
/* Waits for such a child, and kills it then. */
int doctor_wait(pid_t pid, int timeout_ms);

/* The judgements that need no host. */
void doctor_judge_clock(struct finding *f, time_t now, bool is_synchronised);
void doctor_judge_version(struct finding *f, const char *text, const char *oldest);
void doctor_judge_room(struct finding *f, double free_bytes, bool has_inodes, unsigned long long free_inodes);
void doctor_look_lxcfs(const struct doctor *d, struct finding *f);
void doctor_find_mirrors(struct doctor *d); /* from apt's files below the root */
void doctor_reach_mirrors(struct doctor *d);
