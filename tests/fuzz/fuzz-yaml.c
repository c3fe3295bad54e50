/* SPDX-License-Identifier: Apache-2.0 */
/* links: api */
/* Whatever can be read as YAML is written so that it reads back the same. */
#include "api/yaml.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
        _cleanup_json_ struct json_object *o = NULL, *again = NULL;
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        if (n > KiB(64) || yaml_parse((const char *)data, n, NULL, &o, NULL) < 0 || !o)
                return 0;
        if (yaml_write(o, &b, NULL) < 0)
                return 0;
        if (yaml_parse(strbuf_str(&b), b.len, NULL, &again, NULL) < 0)
                abort();
        if (json_object_is_type(o, json_type_object) && !json_object_is_type(again, json_type_object))
                abort();
        return 0;
}
