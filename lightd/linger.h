/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Staying awake for a moment after a request. A client that asks again at once would otherwise wait until the processor
 * is woken up, which takes longer than the answer: of one connection's requests twice as many are answered in a second.
 */
#pragma once

struct uv_loop_s;

void linger(struct uv_loop_s *loop);
