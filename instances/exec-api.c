/* SPDX-License-Identifier: Apache-2.0 */
/* POST /1.0/instances/{name}/exec */
#include "instances/exec.h"

static int read_post(struct request *req, struct instance *i, struct instance_exec_post *p, struct error *err)
{
        int r = request_decode(req, &instance_exec_post_type, TYPE_REPLACE, p, err);
        if (r >= 0)
                r = exec_check(p, err);
        return r < 0 ? r : instance_check_running(i, err);
}

static void post_exec(struct request *req)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct instance_exec_post p = { 0 };
        struct instance *i = instance_of_request(req);
        if (!i)
                return;
        if (read_post(req, i, &p, &err) < 0)
                reply_error(req, &err);
        else
                exec_begin(req, i, &p);
        type_done(&instance_exec_post_type, &p);
}

const struct route instance_exec_routes[] = {
        { METHOD_POST, "/1.0/instances/{name}/exec", post_exec, PERM_EDIT, ROUTE_PROJECT | ROUTE_BODY,
          "Run a command in a running instance." },
        { 0 },
};
