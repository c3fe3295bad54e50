/* SPDX-License-Identifier: Apache-2.0 */
#include "instances/apparmor.h"
#include "base/alloc.h"
#include "base/log.h"
#include "base/path.h"
#include "base/strbuf.h"
#include "server/job.h"

#include <fcntl.h>

struct load {
        void (*done)(void *data);
        void *data;
};

static bool is_loaded;

bool apparmor_is_loaded(void)
{
        return is_loaded;
}

static bool is_enabled(void)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        return path_read_file(AT_FDCWD, "/sys/module/apparmor/parameters/enabled", 16, &b) == 0 &&
               strbuf_str(&b)[0] == 'Y';
}

static void on_loaded(void *data, int r, struct json_object *result _unused_, struct error *err)
{
        struct load *l = data;
        is_loaded = r >= 0;
        if (r < 0)
                log_warning("containers start without an AppArmor profile: %s. %s", error_message(err),
                            err->hint ? err->hint : "");
        l->done(l->data);
        free(l);
}

void apparmor_load(struct server *s, void (*done)(void *data), void *data)
{
        if (!is_enabled()) {
                done(data);
                return;
        }
        struct load *l = xnew(struct load);
        struct job_spec spec = JOB_SPEC_INIT;
        _cleanup_free_ char *dir = xasprintf("%s/apparmor", s->run_dir);
        l->done = done;
        l->data = data;
        spec.program = "lightrun";
        spec.name = "apparmor-load";
        spec.take_args = json_object_new_object();
        json_set_string(spec.take_args, "dir", dir);
        job_start(s, &spec, on_loaded, l);
}
