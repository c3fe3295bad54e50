/* SPDX-License-Identifier: Apache-2.0 */
/* links: networks projects server config api store runtime */
#include "base/alloc.h"
#include "networks/host-entry.h"
#include "networks/lease.h"
#include "networks/netspace.h"
#include "networks/network.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
        _cleanup_free_ char *text = xstrndup((const char *)data, n);
        const char *p = text;
        struct lease lease;
        struct host_entry entry;
        struct network_range ranges[NETWORK_RANGES_MAX];
        size_t n_ranges;
        while (lease_next(&p, &lease))
                if (strlen(lease.hostname) >= sizeof lease.hostname)
                        abort();
        host_entry_parse(text, &entry);
        network_parse_ranges(text, ranges, &n_ranges);
        struct netspace *sp = netspace_new("x", 1, -EBADF);
        netspace_take_counters(sp, text);
        netspace_free(sp);
        return 0;
}
