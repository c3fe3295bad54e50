/* SPDX-License-Identifier: Apache-2.0 */
/* links: api */
#include "tests/fuzz/fuzz-http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
        check_slices(false, data, n);
        return 0;
}
