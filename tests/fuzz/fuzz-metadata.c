/* SPDX-License-Identifier: Apache-2.0 */
/* links: unpack */
#include "images/worker/metadata.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);

/* What is accepted must come back through the daemon's own reader. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
        _cleanup_json_ struct json_object *o = NULL, *again = NULL;
        if (metadata_from_yaml((const char *)data, n, &o, NULL) < 0)
                return 0;
        metadata_check(o, NULL);
        const char *text = json_text(o);
        assert(json_parse(text, strlen(text), &again, NULL) == 0 || strlen(text) > JSON_TEXT_MAX);
        return 0;
}
