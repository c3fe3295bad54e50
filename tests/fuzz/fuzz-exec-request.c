/* SPDX-License-Identifier: Apache-2.0 */
/* links: runtime */
#include "runtime/exec-request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
        struct exec_request req = { 0 };
        _cleanup_json_ struct json_object *args = NULL;
        char buf[64];
        size_t pos = 0;
        if (json_parse((const char *)data, n, &args, NULL) < 0 || exec_request_read(args, &req, NULL) < 0)
                return 0;
        exec_request_default_path(&req, n & 1);
        while (exec_next_candidate(exec_request_env(&req, "PATH"), req.argv[0], &pos, buf, sizeof buf))
                assert(strlen(buf) < sizeof buf);
        exec_request_done(&req);
        return 0;
}
