/* SPDX-License-Identifier: Apache-2.0 */
/* links: runtime base */
#include "runtime/resources.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
        json_object_put(resources_vpd_parse(data, n));
        return 0;
}
