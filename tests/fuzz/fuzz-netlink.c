/* SPDX-License-Identifier: Apache-2.0 */
/* links: runtime base */
#include "runtime/net-message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
        struct netlink_message m;
        struct netlink_attr a[64], inner[8];
        struct net_link link;
        struct net_address address;
        char text[16];
        while (netlink_next(&data, &n, &m)) {
                net_link_parse(&m, &link);
                net_address_parse(&m, &address);
                netlink_parse(m.payload, m.n, 16, a, ARRAY_SIZE(a));
                for (size_t i = 0; i < ARRAY_SIZE(a); i++) {
                        if (!a[i].data)
                                continue;
                        netlink_get_u32(&a[i], 0);
                        netlink_get_u16(&a[i], 0);
                        netlink_get_u8(&a[i], 0);
                        netlink_get_str(&a[i], text, sizeof text);
                        netlink_parse(a[i].data, a[i].n, 0, inner, ARRAY_SIZE(inner));
                }
        }
        return 0;
}
