/* SPDX-License-Identifier: Apache-2.0 */
/* links: runtime */
#include "runtime/monitor-protocol.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t n)
{
        _cleanup_monitor_message_ struct monitor_message m = { 0 }, again = { 0 };
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        struct monitor_exit e;
        if (monitor_message_decode(data, n, &m, NULL) < 0)
                return 0;
        (void)!monitor_exit_from_json(m.body, &e);
        if (monitor_message_encode(&m, &b) == 0)
                assert(monitor_message_decode(b.data, b.len, &again, NULL) == 0 && again.type == m.type);
        return 0;
}
