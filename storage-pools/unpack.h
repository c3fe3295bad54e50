/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One image unpacked into a directory: an empty temporary directory, lightunpack in its sandbox, the final name. A
 * sequence of three jobs; the name appears only when all bytes are on disk.
 */
#pragma once

#include "storage-pools/volume.h"

struct unpack;

struct unpack_spec {
        const struct image_files *files;
        const char *temporary; /* in the same directory as final; removed when it fails */
        const char *inner;     /* "" or the directory inside it that the image goes to */
        const char *final;
        void (*progress)(void *data, const char *stage, int percent); /* may be NULL */
        job_done_fn done;      /* result of lightunpack: {"files","bytes","skipped_nodes"} */
        void *data;
};

/* Everything in the spec is copied. NULL when done was called before this returned (a job runner of a test). */
struct unpack *unpack_start(struct server *s, const struct unpack_spec *spec);
void unpack_cancel(struct unpack *u);
