/* SPDX-License-Identifier: Apache-2.0 */
#include "lightc/interrupt.h"

#include <signal.h>
#include <stddef.h>

static volatile sig_atomic_t count;

static void on_signal(int sig)
{
        (void)sig;
        count++;
}

void interrupt_catch(void)
{
        struct sigaction sa = { .sa_handler = on_signal }; /* no SA_RESTART: poll() must come back */
        sigaction(SIGINT, &sa, NULL);
}

void interrupt_release(void)
{
        struct sigaction sa = { .sa_handler = SIG_DFL };
        sigaction(SIGINT, &sa, NULL);
}

unsigned interrupt_count(void)
{
        return (unsigned)count;
}
