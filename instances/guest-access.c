/* SPDX-License-Identifier: Apache-2.0 */
#include "instances/guest-access.h"
#include "base/alloc.h"
#include "base/path.h"

#include <fcntl.h>
#include <stdio.h>

int instance_check_running(const struct instance *i, struct error *err)
{
        if (instance_is_running(i) && i->state != INSTANCE_FROZEN)
                return 0;
        error_set(err, ERR_WRONG_STATE, "Instance \"%s\" is %s", i->name,
                  i->state == INSTANCE_FROZEN ? "frozen" : "not running");
        error_hint(err, "lightc start %s", i->name);
        return error_object(err, "instance", i->name);
}

bool instance_runs_privileged(struct instance *i)
{
        char path[64];
        unsigned inside, outside;
        _cleanup_strbuf_ struct strbuf map = STRBUF_INIT;
        snprintf(path, sizeof path, "/proc/%d/uid_map", (int)i->pid);
        if (path_read_file(AT_FDCWD, path, KiB(4), &map) < 0 ||
            sscanf(strbuf_str(&map), "%u %u", &inside, &outside) != 2)
                return instance_is_privileged(i);
        return inside == outside;
}

char *instance_log_dir(const struct instance *i)
{
        return xasprintf("%s/%s_%s", i->server->log_dir, i->project, i->name);
}
