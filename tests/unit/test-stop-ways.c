/* SPDX-License-Identifier: Apache-2.0 */
/* links: instances */
#include "tests/lib/test.h"
#include "base/strbuf.h"
#include "instances/stop-ways.h"

#include <signal.h>

/* The masks of /proc/1/status, as these systems showed them once they were up. */
#define STATUS(blocked, caught) "Name:\tinit\nSigPnd:\t0\nSigBlk:\t" blocked "\nSigIgn:\t0\nSigCgt:\t" caught "\n"
#define DEAF STATUS("0000000000000000", "0000000000000000")

TEST(what_an_init_listens_to_is_read_from_its_status)
{
        /* systemd reads its signals from a descriptor. */
        ASSERT_TRUE(stop_init_listens(STATUS("7be3c0fe28014a03", "00000001000004ec")) & SIGNAL_BIT(34 + 3));
        /* Who blocks everything waits for nothing of it, but for what it has handlers for. */
        ASSERT_TRUE(stop_init_listens(STATUS("ffffffffffffffff", "0000000000010001")) == 0x10001);
        ASSERT_TRUE(stop_init_listens(DEAF) == 0);
        /* A file that was cut short, or is none. */
        ASSERT_TRUE(stop_init_listens("") == 0);
        ASSERT_TRUE(stop_init_listens("SigBlk:") == 0);
        ASSERT_TRUE(stop_init_listens("SigCgt:\tnothing") == 0);
}

/* All ways in their order, as "a, b, c". */
static void ways_of(const struct stop_init *init, bool signals_only, struct strbuf *out)
{
        const struct stop_way *w;
        for (size_t n = 0; (w = stop_way_next(init, signals_only, &n)); n++)
                strbuf_addf(out, "%s%s", out->len ? ", " : "", w->text);
}

TEST(every_init_is_asked_in_the_way_it_understands)
{
#define COMMANDS "\"shutdown -h now\", \"poweroff\", \"halt\""
        static const struct {
                const char *program, *status, *want, *signals;
        } rows[] = {
                { "systemd", STATUS("7be3c0fe28014a03", "00000001000004ec"), "SIGRTMIN+3, SIGPWR, " COMMANDS, "SIGRTMIN+3, SIGPWR" },
                { "busybox", STATUS("0000000000000000", "0000000000000002"), "SIGUSR2, " COMMANDS, "SIGUSR2" },
                { "toybox", STATUS("0000000000000000", "0000000000000002"), "SIGUSR2, " COMMANDS, "SIGUSR2" },
                /* sysvinit catches SIGPWR (bit 29) and takes it for a power failure: its command first */
                { "init", STATUS("0000000000000000", "0000000020002005"), "\"shutdown -h now\", SIGPWR, " COMMANDS, "SIGPWR" },
                { "openrc-init", STATUS("ffffffffffffffff", "0000000020000000"), "SIGPWR, " COMMANDS, "SIGPWR" },
                { "runit", STATUS("0000000000000000", "0000000000000000"), COMMANDS, "" },
                /* busybox that is not up yet, and what cannot be looked at */
                { "busybox", DEAF, COMMANDS, "" },
                { "", "", COMMANDS, "" },
        };
        for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
                _cleanup_strbuf_ struct strbuf all = STRBUF_INIT, signals = STRBUF_INIT;
                struct stop_init init = { .program = rows[i].program, .listening = stop_init_listens(rows[i].status) };
                ways_of(&init, false, &all);
                ways_of(&init, true, &signals);
                ASSERT_STR(strbuf_str(&all), rows[i].want);
                ASSERT_STR(strbuf_str(&signals), rows[i].signals);
        }
}

