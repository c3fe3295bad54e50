/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tar archive becomes a tree below a directory. Owners, modes, times, hard links, holes, access lists, file
 * capabilities and user attributes are kept; device nodes are counted and left out (a container's /dev is
 * ours). Nothing is ever written through a symbolic link or outside the directory, whatever the archive says.
 */
#pragma once

#include "images/worker/archive.h"

struct extract_counts {
        uint64_t files; /* entries of every kind that were made */
        uint64_t bytes;
        uint64_t skipped_nodes;
};

/*
 * strip: "" or "rootfs/": only what lies below it is unpacked, without it; an archive without it is refused.
 * ids_size: owners must be below it.
 */
int extract_tree(struct archive_input *in, int root_fd, const char *strip, uint32_t ids_size,
                 struct extract_counts *ret_counts, struct error *err);

/* Access lists, capabilities and user attributes of the entry onto the file behind fd. -errno; *ret_what
 * names it. */
int extract_attributes(int fd, struct archive_entry *entry, const char **ret_what);
