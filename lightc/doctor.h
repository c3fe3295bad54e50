/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a host must have for containers, one row a check. A check looks by itself and asks no daemon: people call the
 * doctor when there is none. It tries a thing rather than believing a version; what only root may try says so.
 */
#pragma once

#include "base/strbuf.h"
#include "lightc/client.h"

enum verdict { VERDICT_OK, VERDICT_WARN, VERDICT_FAIL };

struct finding {
        enum verdict verdict;
        struct strbuf found; /* a sentence without full stop */
        struct strbuf fix;   /* the command that mends it, or what to do; empty: nothing */
};

struct check {
        const char *name, *means; /* "inotify", "what watches files in containers" */
        void (*look)(struct client *c, struct finding *f);
};

/* Each ended by a row without name. */
extern const struct check doctor_kernel_checks[], doctor_host_checks[];

/* For checks: the verdict with its sentence. A worse verdict than the one there replaces it. */
void finding_set(struct finding *f, enum verdict verdict, const char *fmt, ...) _printf_(3, 4);
void finding_fix(struct finding *f, const char *fmt, ...) _printf_(2, 3);
bool doctor_is_root(void);
/* A small file's text, trimmed, or ""; and its number, or the fallback. The text is valid until the next call. */
const char *doctor_read(const char *path);
long long doctor_number(const char *path, long long fallback);
/* Where the daemon of this client keeps its state, or the directory above it that is there. The caller frees. */
char *doctor_state_dir(const struct client *c);
/* Runs fn in a child with namespaces and mounts of its own: its exit status, 0 when all went well. */
int doctor_try(int (*fn)(void *data), void *data);
