/* SPDX-License-Identifier: Apache-2.0 */
/*
 * squashfs files: their first 96 bytes are judged here, all else by unsquashfs inside the sandbox, whose
 * words are read line by line and never trusted for more than counting and telling.
 */
#pragma once

#include "images/worker/extract.h"

#define SQUASHFS_HEADER_SIZE 96

struct squashfs_header {
        uint32_t inodes;
        uint16_t compression;
        uint64_t bytes_used;
};

/* Version 4, a known compression, not longer than the file. The sentence says what is wrong. */
int squashfs_parse_header(const void *bytes, size_t n, uint64_t file_size, struct squashfs_header *ret,
                          struct error *err);
int squashfs_read_header(int fd, struct squashfs_header *ret, struct error *err);

/* Runs in a SANDBOX_ROOT_TOOLS sandbox: /archive into /target. */
int squashfs_unpack(uint64_t max_bytes, struct extract_counts *ret_counts, struct error *err);

/* One line of `unsquashfs -lln`; false: not a listing line. */
struct squashfs_listed {
        char type; /* as ls shows it: - d l c b p s */
        uint64_t size;
};
bool squashfs_parse_listing(const char *line, struct squashfs_listed *ret);
