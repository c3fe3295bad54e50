/* SPDX-License-Identifier: Apache-2.0 */
/* lightc --dump: the command table as JSON, for the reference, the manual page (tools/make-reference) and tests. */
#pragma once

void dump_commands(void);
