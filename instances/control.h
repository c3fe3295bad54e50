/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The "control" websocket of a command or a console: small JSON messages from the client, one text message
 * each. Knows the messages' form and not what they do.
 */
#pragma once

#include "base/json.h"
#include "server/websocket.h"

struct control;

struct control_events {
        /* {"command":"signal","signal":15}, {"command":"window-resize","args":{"width":"80","height":"24"}}
         */
        void (*message)(void *data, struct json_object *o);
        void (*gone)(void *data);
};

struct control *control_new(const struct control_events *events, void *data);
void control_free(struct control *c); /* says goodbye; NULL is fine */
/* As relay_ws_handler and relay_set_ws(). */
extern const struct ws_handler control_ws_handler;
void control_set_ws(struct control *c, struct ws *ws);
bool control_is_gone(const struct control *c); /* it was there and has left */

/* The size in a window-resize; false when there is none. Clients send numbers as text. */
bool control_window_size(struct json_object *o, uint16_t *ret_width, uint16_t *ret_height);
