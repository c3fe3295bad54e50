/* SPDX-License-Identifier: Apache-2.0 */
#include "server/websocket.h"

#define CODE_NORMAL 1000

static void ignore_data(struct ws *ws _unused_, void *data _unused_, enum ws_opcode opcode _unused_,
                        uint8_t *payload _unused_, size_t n _unused_, bool is_end _unused_)
{
}

static void ignore_closed(struct ws *ws _unused_, void *data _unused_)
{
}

const struct ws_handler ws_nobody = { .data = ignore_data, .closed = ignore_closed };

void ws_abandon(struct ws *ws)
{
        if (!ws)
                return;
        ws->handler = &ws_nobody;
        ws->data = NULL;
        ws_close(ws, CODE_NORMAL, NULL);
}
