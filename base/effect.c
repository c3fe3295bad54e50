/* SPDX-License-Identifier: Apache-2.0 */
#include "base/effect.h"

#include <signal.h>
#include <stdio.h>
#include <unistd.h>

static const struct {
        const char *name, *leaves, *undo;
} rows[_EFFECT_MAX] = {
#define EFFECT(id, name, leaves, undo) [EFFECT_##id] = { name, leaves, undo },
#include "base/effects.def"
#undef EFFECT
};

static pid_t victim(const char *who)
{
        const char *store = getenv("LIGHTD_STORE_PID");
        if (streq(who, "self"))
                return getpid();
        if (streq(who, "daemon"))
                return getenv("LIGHTD_WORKER") ? getppid() : getpid();
        if (streq(who, "store") && store)
                return (pid_t)strtol(store, NULL, 10);
        return 0;
}

void effect_point(enum effect e, enum effect_when when)
{
        const char *wanted = getenv("LIGHTD_FAILPOINT");
        char here[64];
        if (!wanted)
                return;
        int n = snprintf(here, sizeof here, "%s:%s:", rows[e].name, when == EFFECT_BEFORE ? "before" : "after");
        if (strncmp(wanted, here, (size_t)n) != 0)
                return;
        pid_t pid = victim(wanted + n);
        dprintf(STDERR_FILENO, "failpoint %s\n", wanted); /* the test asks whether it was ever reached */
        if (pid > 1)
                kill(pid, SIGKILL);
        unsetenv("LIGHTD_FAILPOINT"); /* once */
}

const char *effect_name(enum effect e)
{
        return rows[e].name;
}

const char *effect_leaves(enum effect e)
{
        return rows[e].leaves;
}

const char *effect_undo(enum effect e)
{
        return rows[e].undo;
}
