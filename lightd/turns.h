/* SPDX-License-Identifier: Apache-2.0 */
/* Says in the debug log which turns of the loop were long. Knows nothing of what ran in them. */
#pragma once

struct uv_loop_s;

void turns_watch(struct uv_loop_s *loop);
