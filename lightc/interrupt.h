/* SPDX-License-Identifier: Apache-2.0 */
/* Ctrl-C while waiting: counted, so that the first may cancel and the second may leave. Nothing else is known here. */
#pragma once

void interrupt_catch(void);   /* from now on SIGINT counts instead of killing */
void interrupt_release(void); /* and kills again */
unsigned interrupt_count(void);
