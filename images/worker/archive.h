/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A tar archive read from a descriptor, compressed or not (xz, lzma, gzip, zstd, bzip2; told by its first bytes,
 * never by a name). Counts what goes in and comes out so that a bomb is noticed while it is small. Writes
 * nothing anywhere.
 */
#pragma once

#include "base/error.h"
#include <archive.h>
#include <archive_entry.h>

enum archive_kind { ARCHIVE_UNKNOWN, ARCHIVE_TAR, ARCHIVE_SQUASHFS };
/* A look at the beginning; the read position stays. Anything that may be a tar archive is one. */
enum archive_kind archive_kind_of(int fd);

#define ARCHIVE_ENTRIES_MAX 2000000u
#define ARCHIVE_NAME_MAX 4096u
#define ARCHIVE_DEPTH_MAX 512u

struct archive_input;
/* Borrows fd. max_bytes caps the decompressed stream (0: GiB(64)); stage: for progress, or NULL. */
int archive_input_open(int fd, uint64_t max_bytes, const char *stage, struct archive_input **ret,
                       struct error *err);
void archive_input_free(struct archive_input *in);
DEFINE_CLEANUP(struct archive_input *, archive_input_free)

struct archive *archive_input_reader(struct archive_input *in);
/* 1 and the next header, 0 at the end, or a negative errno with err set. Reports progress. */
int archive_input_next(struct archive_input *in, struct archive_entry **ret_entry, struct error *err);
/* Puts libarchive's last failure into words. */
int archive_input_failed(struct archive_input *in, struct error *err);
/* Bytes of content the caller wrote or kept; -EFBIG past the cap or past any believable ratio. */
int archive_input_account(struct archive_input *in, uint64_t bytes, struct error *err);

/*
 * An entry's name in its one form: no leading "./", no "." or empty parts, no trailing slash; "" is the root.
 * Refused with a sentence: absolute, "..", over-long, too deep, NUL or nothing at all.
 */
int archive_clean_name(const char *name, char **ret_name, struct error *err);
