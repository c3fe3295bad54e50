/* SPDX-License-Identifier: Apache-2.0 */
/* The short commands; `init` and `activateifneeded` have files of their own. */
#include "lightd/commands.h"
#include "lightd/activate.h"
#include "lightd/init.h"
#include "lightd/places.h"
#include "base/alloc.h"
#include "base/time.h"
#include "base/units.h"

#include <getopt.h>
#include <poll.h>
#include <stdio.h>

#define POLL_MS 20

/* -t N, --timeout N in seconds; 0 means no limit. */
static int parse_timeout(int argc, char **argv, uint64_t *ret_seconds, bool *ret_force)
{
        static const struct option options[] = { { "timeout", required_argument, NULL, 't' },
                                                 { "force", no_argument, NULL, 'f' },
                                                 { 0 } };
        int c;
        while ((c = getopt_long(argc, argv, "t:f", options, NULL)) != -1) {
                if (c == 'f' && ret_force)
                        *ret_force = true;
                else if (c != 't' || units_parse_uint(optarg, 86400, ret_seconds) < 0)
                        return -EINVAL;
        }
        return optind < argc ? -EINVAL : 0;
}

static int waitready(int argc, char **argv)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        uint64_t seconds = 0;
        if (parse_timeout(argc, argv, &seconds, NULL) < 0) {
                fprintf(stderr, "Usage: lightd waitready [--timeout SECONDS]\n");
                return 2;
        }
        uint64_t end = seconds ? time_monotonic_ms() + seconds * 1000 : UINT64_MAX;
        while (daemon_call("GET", "/internal/ready", NULL, NULL, &err) < 0) {
                if (time_monotonic_ms() >= end) {
                        error_prefix(&err, "Not ready after %llu s", (unsigned long long)seconds);
                        return command_failed(&err);
                }
                poll(NULL, 0, POLL_MS);
        }
        return 0;
}

static int shutdown_all(int argc, char **argv)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        uint64_t seconds = 60;
        bool is_force = false;
        if (parse_timeout(argc, argv, &seconds, &is_force) < 0) {
                fprintf(stderr, "Usage: lightd shutdown [--timeout SECONDS] [--force]\n");
                return 2;
        }
        _cleanup_free_ char *path = xasprintf("/internal/shutdown?timeout=%llu", is_force ? 0ull : (unsigned long long)seconds);
        if (daemon_call("PUT", path, NULL, NULL, &err) < 0)
                return command_failed(&err);
        /* The answer comes when the containers have stopped; the daemon is gone when its directory's lock is free. */
        int lock;
        while (places_lock(places_dir(), &lock, &err) == -EBUSY)
                poll(NULL, 0, POLL_MS);
        return 0;
}

static int version(int argc _unused_, char **argv _unused_)
{
        puts(LIGHTVISOR_VERSION);
        return 0;
}

const struct lightd_command lightd_commands[] = {
        { "activateifneeded", "wake the daemon through its socket if an instance is to be started", command_activate },
        { "init", "set up storage and network: asks, or --auto, --minimal, --preseed, --dump", command_init },
        { "shutdown", "stop all containers, then the daemon; the next start starts them again", shutdown_all },
        { "version", "print the version", version },
        { "waitready", "wait until the daemon has started", waitready },
        { 0 },
};
