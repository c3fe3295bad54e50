/* SPDX-License-Identifier: Apache-2.0 */
#include "instances/stop-ways.h"
#include "base/macros.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static const struct stop_way ways[] = {
        /* systemd's */
        { .text = "SIGRTMIN+3", .signal = 34 + 3 },
        { .text = "SIGUSR2", .programs = { "busybox", "toybox" }, .signal = SIGUSR2 },
        /* sysvinit, upstart: to them SIGPWR means that the power fails */
        { .text = "\"shutdown -h now\"", .programs = { "init" }, .command = { "shutdown", "-h", "now" } },
        /* openrc-init, runit, and what was made for containers */
        { .text = "SIGPWR", .signal = SIGPWR },
        { .text = "\"shutdown -h now\"", .command = { "shutdown", "-h", "now" } },
        { .text = "\"poweroff\"", .command = { "poweroff" } },
        { .text = "\"halt\"", .command = { "halt" } },
};

/* A mask of /proc/<pid>/status ("SigBlk:"): bit n-1 is signal n. */
static uint64_t signal_mask(const char *status, const char *which)
{
        const char *line = strstr(status, which);
        return line ? strtoull(line + strlen(which), NULL, 16) : 0;
}

/*
 * A blocked signal is one that is read from a descriptor. Who blocks all there are (SIGALRM, which no init waits for, is
 * the witness) reads none of them so: openrc-init does that for its children's sake.
 */
uint64_t stop_init_listens(const char *status)
{
        uint64_t blocked = signal_mask(status, "SigBlk:"), caught = signal_mask(status, "SigCgt:");
        return caught | (blocked & SIGNAL_BIT(SIGALRM) ? 0 : blocked);
}

static bool is_named(const struct stop_init *init, const char *const *programs)
{
        for (; *programs; programs++)
                if (streq(init->program, *programs))
                        return true;
        return false;
}

/* busybox sleeps in sigwait(), where the kernel shows nothing as blocked: that it handles anything says that it is up. */
static bool fits(const struct stop_way *w, const struct stop_init *init)
{
        if (w->programs[0])
                return is_named(init, w->programs) && (!w->signal || init->listening);
        return !w->signal || (init->listening & SIGNAL_BIT(w->signal));
}

const struct stop_way *stop_way_next(const struct stop_init *init, bool signals_only, size_t *way)
{
        for (; *way < ARRAY_SIZE(ways); (*way)++)
                if (fits(&ways[*way], init) && (ways[*way].signal || !signals_only))
                        return &ways[*way];
        return NULL;
}
