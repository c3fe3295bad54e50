/* SPDX-License-Identifier: Apache-2.0 */
/* lightd activateifneeded: at the host's start, wakes the daemon through its socket if there is something to start. */
#include "lightd/activate.h"
#include "lightd/commands.h"
#include "lightd/daemon.h"
#include "lightd/places.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "instances/instances.h"
#include "server/object.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

/* Seen by the directory's lock: to connect would itself wake the daemon. */
static bool is_running(const char *dir)
{
        _cleanup_free_ char *path = xasprintf("%s/lock", dir);
        _cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
        return fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0;
}

/* 1 or 0; reads the database of a daemon that is not there. */
static int is_needed(const char *dir, struct error *err)
{
        struct server *s = server_new(uv_default_loop(), dir);
        daemon_register(s);
        int r = object_store_open(s, err);
        if (r >= 0)
                r = instances_want_daemon(s);
        object_store_close(s);
        server_free(s);
        return r;
}

int command_activate(int argc, char **argv _unused_)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        const char *dir = places_dir();
        _cleanup_free_ char *database = xasprintf("%s/database", dir);
        if (argc > 1) {
                fputs("Usage: lightd activateifneeded\n", stderr);
                return 2;
        }
        if (access(database, F_OK) < 0 || is_running(dir))
                return 0;
        int r = is_needed(dir, &err);
        if (r > 0)
                r = daemon_call("GET", "/1.0", NULL, NULL, &err);
        return r < 0 ? command_failed(&err) : 0;
}
