/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/start-internal.h"
#include "base/alloc.h"
#include "base/effect.h"
#include "base/fd.h"
#include "base/limits.h"
#include "base/path.h"
#include "base/process.h"
#include "base/time.h"
#include "runtime/jobs.h"
#include "runtime/monitor.h"
#include "runtime/namespace.h"
#include "runtime/netlink.h"
#include "runtime/rootfs.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#define KILL_TIMEOUT_MS 5000

/* What has come of the start so far, for the next step and for undoing. */
struct progress {
        struct start *s;
        struct monitor *m;
        pid_t builder;
        bool is_ready;  /* init said that exec is next */
        bool has_ended; /* init's socket is closed: by exec when ready, by death otherwise */
};

/* Device numbers are looked up once, on the host: the policy and the node must not disagree. */
static int resolve_devices(struct spec *spec, struct error *err)
{
        struct stat st;
        for (size_t i = 0; i < spec->n_devices; i++) {
                struct spec_device *d = &spec->devices[i];
                if (d->has_number)
                        continue;
                int r = stat(d->source, &st) < 0 ? -errno : 0;
                if (r == 0 && (d->is_block ? !S_ISBLK(st.st_mode) : !S_ISCHR(st.st_mode)))
                        r = -ENODEV;
                if (r < 0 && !d->is_optional)
                        return error_set_errno(err, r, "Adding the device \"%s\"", d->source);
                d->has_number = r == 0;
                d->major = r == 0 ? major(st.st_rdev) : 0;
                d->minor = r == 0 ? minor(st.st_rdev) : 0;
        }
        return 0;
}

static int make_groups(const struct cgroups *c, const struct spec *spec, struct error *err)
{
        effect_point(EFFECT_CGROUP_CREATE, EFFECT_BEFORE);
        int r = cgroups_allow_devices(c, spec->cgroup, spec->devices, spec->n_devices, err);
        if (r >= 0)
                r = cgroups_create(c, spec->cgroup, &spec->limits, spec->idmap.base, err);
        effect_point(EFFECT_CGROUP_CREATE, EFFECT_AFTER);
        return r;
}

static int make_volume(const struct spec *spec, struct error *err)
{
        effect_point(EFFECT_VOLUME_CREATE, EFFECT_BEFORE);
        int r = rootfs_prepare(&spec->rootfs, err);
        effect_point(EFFECT_VOLUME_CREATE, EFFECT_AFTER);
        return r;
}

static int listen_socket(struct monitor *m, const struct spec *spec, struct error *err)
{
        _cleanup_free_ char *path = xasprintf("%s/" MONITOR_SOCKET, spec->run_dir);
        effect_point(EFFECT_MONITOR_SOCKET, EFFECT_BEFORE);
        unlinkat(m->run_dir_fd, MONITOR_SOCKET, 0);
        unlinkat(m->run_dir_fd, MONITOR_EXIT_FILE, 0);
        m->listen_fd = fd_unix_listen(path, SOCK_SEQPACKET, 0600);
        effect_point(EFFECT_MONITOR_SOCKET, EFFECT_AFTER);
        return m->listen_fd < 0 ? error_set_errno(err, m->listen_fd, "Listening on \"%s\"", path) : 0;
}

static int open_run_dir(struct monitor *m, const struct spec *spec, struct error *err)
{
        int r = path_mkdir_all(spec->run_dir, 0700);
        if (r < 0)
                return error_set_errno(err, r, "Making \"%s\"", spec->run_dir);
        m->run_dir_fd = open(spec->run_dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (m->run_dir_fd < 0)
                return error_set_errno(err, -errno, "Opening \"%s\"", spec->run_dir);
        return listen_socket(m, spec, err);
}

static int launch_builder(struct progress *p, struct error *err)
{
        struct start *s = p->s;
        int a[2], b[2], c[2], r = report_pair(a);
        if (r == 0)
                r = report_pair(b);
        if (r == 0)
                r = report_pair(c);
        if (r < 0)
                return limit_error(err, r, LIMIT_OPEN, "Making socket pairs");
        s->to_builder = a[0], s->builder = a[1];
        s->to_init = b[0], s->init = b[1];
        s->rootfs = c[0], s->await_rootfs = c[1];
        effect_point(EFFECT_INIT_START, EFFECT_BEFORE);
        p->builder = fork();
        if (p->builder < 0)
                return limit_error(err, -errno, LIMIT_PROCESS, "Starting instance \"%s\"", s->spec->name);
        if (p->builder == 0)
                builder_main(s);
        fd_reset(&s->builder);
        fd_reset(&s->init);
        fd_reset(&s->rootfs);
        fd_reset(&s->await_rootfs);
        return 0;
}

static int make_interfaces(const struct spec *spec, pid_t pid, struct error *err)
{
        char path[64];
        if (spec->n_nics == 0)
                return 0;
        snprintf(path, sizeof path, "/proc/%d/ns/net", (int)pid);
        _cleanup_close_ int netns = open(path, O_RDONLY | O_CLOEXEC);
        int r = netns < 0 ? error_set_errno(err, -errno, "Opening the network of instance \"%s\"", spec->name)
                          : 0;
        for (size_t i = 0; r >= 0 && i < spec->n_nics; i++) {
                effect_point(EFFECT_NIC_CREATE, EFFECT_BEFORE);
                r = netlink_create_veth(&spec->nics[i], netns, err);
                effect_point(EFFECT_NIC_CREATE, EFFECT_AFTER);
        }
        return r;
}

/* Order matters for speed: the root file system waits for the maps, nobody waits for the interfaces until the
 * end. */
static int on_cloned(struct progress *p, const struct report *report, struct error *err)
{
        const struct spec *spec = p->s->spec;
        p->m->pid = report->pid;
        p->m->pidfd = report->fd;
        int r = spec->is_privileged ? 0 : namespace_write_maps(report->pid, &spec->idmap);
        if (r < 0)
                return error_set_errno(err, r, "Mapping the ids of instance \"%s\"", spec->name);
        r = report_send(p->s->to_builder, ORDER_MAPPED, 0, -EBADF);
        if (r == 0)
                r = report_send(p->s->to_init, ORDER_MAPPED, 0, -EBADF);
        if (r == 0)
                r = make_interfaces(spec, report->pid, err);
        if (r == 0)
                r = report_send(p->s->to_init, ORDER_NETWORK, 0, -EBADF);
        /* The one who does not listen any more has said why, or is dead: both are found by the caller. */
        return r == -EPIPE || r == -ECONNRESET ? 0 : r;
}

static int on_report(struct progress *p, int sock, struct error *err)
{
        struct report report;
        int r = report_receive(sock, &report, err);
        if (r < 0)
                return r;
        if (r == 0) {
                p->has_ended = p->has_ended || sock == p->s->to_init;
                return 0;
        }
        switch (report.kind) {
        case REPORT_CLONED:
                return on_cloned(p, &report, err);
        case REPORT_CONSOLE:
                return console_init(&p->m->console, report.fd, p->s->spec->console_log);
        case REPORT_READY:
                p->is_ready = true;
                return 0;
        default:
                return -EPROTO;
        }
}

/* Init leaves silently when the builder fails, whose words may still wait in its socket. */
static int drain_builder(struct progress *p, struct error *err)
{
        struct report report;
        int r;
        while ((r = report_receive(p->s->to_builder, &report, err)) > 0)
                if (report.kind == REPORT_CLONED) {
                        p->m->pid = report.pid;
                        p->m->pidfd = report.fd;
                }
        return r;
}

/* The builder's end is an answer too: without init it is a failure nobody has put into words. */
static int await_exec(struct progress *p, struct error *err)
{
        const char *name = p->s->spec->name;
        bool builder_open = true;
        while (!p->has_ended) {
                struct pollfd fds[] = { { .fd = builder_open ? p->s->to_builder : -1, .events = POLLIN },
                                        { .fd = p->s->to_init, .events = POLLIN } };
                if (worker_is_cancelled())
                        return error_set(err, ERR_CANCELLED, "Start of instance \"%s\" was cancelled", name);
                if (poll(fds, ARRAY_SIZE(fds), -1) < 0)
                        continue;
                for (size_t i = 0; i < ARRAY_SIZE(fds); i++) {
                        int r = fds[i].revents ? on_report(p, fds[i].fd, err) : 0;
                        if (r < 0)
                                return r;
                }
                if (fds[0].revents & POLLHUP)
                        builder_open = false;
        }
        int r = p->is_ready ? 0 : drain_builder(p, err);
        if (r < 0)
                return r;
        if (!p->is_ready)
                return error_set(err, ERR_INTERNAL, "Instance \"%s\" was killed while it started", name);
        effect_point(EFFECT_INIT_START, EFFECT_AFTER);
        return 0;
}

static void reap_builder(struct progress *p)
{
        if (p->builder > 0)
                while (waitpid(p->builder, NULL, 0) < 0 && errno == EINTR)
                        ;
}

/* The daemon's teardown does all this once more: a start may die at any line above. */
static void undo(struct progress *p)
{
        const struct spec *spec = p->s->spec;
        if (p->builder > 0)
                kill(p->builder, SIGKILL);
        reap_builder(p);
        (void)!cgroups_kill(p->s->cgroups, spec->cgroup, "/payload", KILL_TIMEOUT_MS);
        if (p->m->pid > 0)
                waitpid(p->m->pid, NULL, 0);
        for (size_t i = 0; i < spec->n_nics; i++)
                (void)!netlink_delete_link(spec->nics[i].host_name);
        for (size_t i = 0; i < p->s->cgroups->n_v1; i++)
                (void)!cgroups_remove_at(p->s->cgroups->v1_fds[i], spec->cgroup);
        if (p->m->run_dir_fd >= 0)
                unlinkat(p->m->run_dir_fd, MONITOR_SOCKET, 0);
}

static int start_container(struct progress *p, struct error *err)
{
        const struct spec *spec = p->s->spec;
        int r = open_run_dir(p->m, spec, err);
        if (r >= 0)
                r = make_volume(spec, err);
        if (r >= 0)
                r = make_groups(p->s->cgroups, spec, err);
        if (r >= 0)
                r = launch_builder(p, err);
        if (r >= 0)
                r = await_exec(p, err);
        if (r < 0) {
                undo(p);
                return err->code == ERR_NONE ? error_set_errno(err, r, "Starting instance \"%s\"", spec->name)
                                             : r;
        }
        reap_builder(p);
        return 0;
}

static void answer_started(const struct monitor *m)
{
        _cleanup_json_ struct json_object *result = json_object_new_object();
        json_set_int(result, "pid", m->pid);
        worker_answer_result(result);
        close(WORKER_FD_ANSWER);
}

static int run(struct spec *spec, struct monitor *m, struct error *err)
{
        _cleanup_cgroups_ struct cgroups cgroups = CGROUPS_INIT;
        struct start s = { .spec = spec, .cgroups = &cgroups, .to_builder = -EBADF, .to_init = -EBADF };
        struct progress p = { .s = &s, .m = m };
        int r = cgroups_open(&cgroups, err);
        if (r >= 0)
                r = resolve_devices(spec, err);
        if (r >= 0)
                r = start_container(&p, err);
        fd_close(s.to_builder);
        fd_close(s.to_init);
        return r;
}

int job_start(struct json_object *args, struct json_object **ret_result _unused_, struct error *err)
{
        struct monitor m = {
                .pidfd = -EBADF, .run_dir_fd = -EBADF, .listen_fd = -EBADF, .console = CONSOLE_INIT
        };
        struct spec spec = SPEC_INIT;
        int r = spec_parse(args, &spec, err);
        if (r < 0)
                return r;
        /* No process of a guest may read us or what we share with its init before exec. */
        prctl(PR_SET_DUMPABLE, 0);
        fd_set_cloexec(WORKER_FD_ANSWER, true);
        r = run(&spec, &m, err);
        m.name = TAKE_PTR(spec.name);
        m.project = TAKE_PTR(spec.project);
        m.num = spec.num;
        m.started_at_ns = time_now_ns();
        spec_done(&spec);
        if (r >= 0) {
                answer_started(&m);
                r = monitor_run(&m);
        }
        monitor_done(&m);
        return r;
}
