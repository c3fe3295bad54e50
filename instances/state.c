/* SPDX-License-Identifier: Apache-2.0 */
/* The state of an instance as the API shows it: nothing here waits, every figure is one pread() or already known. */
#include "instances/instance.h"
#include "instances/live.h"
#include "networks/netstate.h"

static void write_memory(const struct live_figures *f, struct json_writer *w)
{
        json_write_key(w, "memory");
        json_write_object_begin(w);
        json_write_key_int(w, "usage", f->memory_bytes);
        json_write_key_int(w, "usage_peak", f->memory_peak_bytes);
        json_write_key_int(w, "swap_usage", f->swap_bytes);
        json_write_key_int(w, "swap_usage_peak", 0);
        json_write_object_end(w);
}

void instance_write_state(struct instance *i, struct json_writer *w)
{
        struct live_figures f;
        int code;
        const char *status = instance_status(i, &code);
        bool runs = instance_is_running(i);
        live_read(i->live, &f);
        json_write_object_begin(w);
        json_write_key_string(w, "status", status);
        json_write_key_int(w, "status_code", code);
        json_write_key(w, "disk");
        json_write_object_begin(w); /* empty: the pools of this release do not count a volume's bytes cheaply */
        json_write_object_end(w);
        write_memory(&f, w);
        json_write_key(w, "network");
        if (runs)
                netstate_write(i->server, i->num_text, w);
        else
                json_write_null(w);
        json_write_key_int(w, "pid", runs ? i->pid : 0);
        json_write_key_int(w, "processes", runs ? f.processes : 0);
        json_write_key(w, "cpu");
        json_write_object_begin(w);
        json_write_key_int(w, "usage", f.cpu_ns);
        json_write_object_end(w);
        json_write_object_end(w);
}
