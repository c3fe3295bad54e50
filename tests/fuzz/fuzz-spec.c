/* SPDX-License-Identifier: Apache-2.0 */
/* links: runtime */
#include "runtime/spec.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        _cleanup_json_ struct json_object *o = NULL;
        _cleanup_spec_ struct spec s = SPEC_INIT;
        if (json_parse((const char *)data, n, &o, &err) < 0)
                return 0;
        if (spec_parse(o, &s, &err) >= 0)
                assert(s.init[0][0] == '/' && s.run_dir[0] == '/' && (s.is_privileged || s.idmap.base > 0));
        else
                assert(err.message);
        return 0;
}
