/* SPDX-License-Identifier: Apache-2.0 */
/* The one or two files an image is, in its spool directory, and the fingerprint over both in order. */
#pragma once

#include "base/json.h"
#include <openssl/evp.h>

enum { SPOOL_META, SPOOL_ROOTFS, _SPOOL_FILE_MAX };
extern const char *const spool_file_names[_SPOOL_FILE_MAX]; /* "meta", "rootfs" */

struct spool_file {
        int fd;
        uint64_t size;
        char *filename; /* what the client called it; owned, may be "" */
};

/* {"fingerprint","size","files":[{"name","size","filename"}]}; finishes the digest. */
struct json_object *spool_describe(EVP_MD_CTX *digest, const struct spool_file *files, int n);
