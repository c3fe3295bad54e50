/* SPDX-License-Identifier: Apache-2.0 */
#include "images/worker/spool.h"

#include <stdio.h>

const char *const spool_file_names[_SPOOL_FILE_MAX] = { "meta", "rootfs" };

static void set_fingerprint(struct json_object *result, EVP_MD_CTX *digest)
{
        unsigned char sum[EVP_MAX_MD_SIZE];
        char hex[2 * EVP_MAX_MD_SIZE + 1];
        unsigned n = 0;
        EVP_DigestFinal_ex(digest, sum, &n);
        for (unsigned i = 0; i < n; i++)
                snprintf(hex + 2 * i, 3, "%02x", sum[i]);
        json_set_string(result, "fingerprint", hex);
}

struct json_object *spool_describe(EVP_MD_CTX *digest, const struct spool_file *files, int n)
{
        struct json_object *result = json_object_new_object(), *list = json_object_new_array();
        uint64_t size = 0;
        set_fingerprint(result, digest);
        for (int i = 0; i < n; i++) {
                struct json_object *file = json_object_new_object();
                json_set_string(file, "name", spool_file_names[i]);
                json_set_int(file, "size", (int64_t)files[i].size);
                json_set_string(file, "filename", files[i].filename ? files[i].filename : "");
                json_object_array_add(list, file);
                size += files[i].size;
        }
        json_set_int(result, "size", (int64_t)size);
        json_set_take(result, "files", list);
        return result;
}
