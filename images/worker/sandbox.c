/* SPDX-License-Identifier: Apache-2.0 */
#include "images/worker/sandbox.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/process.h"
#include "base/worker.h"
#include "images/worker/sandbox-internal.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

const struct sandbox_ids sandbox_ids_nobody = { 65534, 1 };

struct sandbox {
        const struct sandbox_spec *spec;
        struct memory_group group;
        struct sandbox_mounts mounts;
        int userns_fd;
        int answer_fd; /* the parent's end of the child's answers */
        int pidfd;
        struct strbuf text; /* of the answers, the unfinished line */
        struct json_object *answer;
};

static void sandbox_done(struct sandbox *s)
{
        sandbox_mounts_done(&s->mounts);
        fd_close(s->userns_fd);
        fd_close(s->answer_fd);
        fd_close(s->pidfd);
        memory_group_remove(&s->group);
        strbuf_done(&s->text);
        json_object_put(s->answer);
}

int sandbox_get_ids(struct json_object *args, struct sandbox_ids *ret_ids, struct error *err)
{
        struct json_object *ids = json_get_object(args, "ids");
        int64_t base = json_get_int(ids, "base", 0), size = json_get_int(ids, "size", 0);
        if (base <= 0 || size < 65536 || base + size > UINT32_MAX)
                return error_set(err, ERR_BAD_REQUEST,
                                 "The job's id range %lld+%lld is not one of at least 65536 ids above 0",
                                 (long long)base, (long long)size);
        *ret_ids = (struct sandbox_ids){ (uint32_t)base, (uint32_t)size };
        return 0;
}

static bool is_kept(const struct sandbox_spec *spec, int fd)
{
        for (size_t i = 0; i < spec->n_fds; i++)
                if (spec->fds[i] == fd)
                        return true;
        return fd == STDERR_FILENO || fd == WORKER_FD_ANSWER;
}

/* 0 and 1 are never left free: the next pipe would become somebody's standard output. */
static void keep_only(const struct sandbox_spec *spec, int null_fd)
{
        for (int fd = 0; fd <= STDOUT_FILENO; fd++)
                if (!is_kept(spec, fd))
                        dup2(null_fd, fd);
        for (int fd = STDERR_FILENO; fd < 1024; fd++)
                if (!is_kept(spec, fd))
                        close(fd);
        syscall(SYS_close_range, 1024u, ~0u, 0);
}

static _noreturn_ void helper_main(struct sandbox *s, int answer_fd)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        struct json_object *result = NULL;
        const char *step = "";
        int null_fd = open("/dev/null", O_RDWR | O_CLOEXEC);
        signal(SIGTERM, SIG_DFL);
        prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
        if (null_fd < 0 || dup2(answer_fd, WORKER_FD_ANSWER) < 0)
                _exit(1);
        int r = sandbox_enter(s->spec, &s->mounts, s->userns_fd, &s->group, &step);
        if (r < 0) {
                error_set_errno(&err, r, "%s: %s for the sandbox", s->spec->what, step);
        } else {
                keep_only(s->spec, null_fd);
                r = s->spec->run(s->spec->data, &result, &err);
        }
        if (r < 0 && err.code == ERR_NONE)
                error_set_errno(&err, r, "%s", s->spec->what);
        if (r < 0)
                worker_answer_error(&err);
        else
                worker_answer_result(result);
        _exit(0);
}

static int prepare(struct sandbox *s, struct error *err)
{
        const struct sandbox_spec *spec = s->spec;
        uint64_t memory_max = sandbox_memory_max(spec);
        int r;
        if (spec->cgroup && (r = memory_group_create(&s->group, spec->cgroup, memory_max)) < 0)
                return error_set_errno(err, r, "%s: making the memory cgroup \"%s\"", spec->what,
                                       spec->cgroup);
        s->userns_fd = userns_create(&spec->ids);
        if (s->userns_fd < 0)
                return error_set_errno(err, s->userns_fd, "%s: making a user namespace", spec->what);
        r = sandbox_mounts_prepare(spec, s->userns_fd, &s->mounts);
        if (r == -EINVAL)
                return error_set(err, ERR_UNSUPPORTED,
                                 "%s: the file system of the pool or the image store cannot be id-mapped",
                                 spec->what);
        return r < 0 ? error_set_errno(err, r, "%s: id-mapping its directory", spec->what) : 0;
}

static int start(struct sandbox *s)
{
        /* A build downloads packages: it alone keeps the host's network. */
        uint64_t network = s->spec->root == SANDBOX_ROOT_BUILD ? 0 : CLONE_NEWNET;
        struct clone_args args = { .flags = CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS |
                                            CLONE_PIDFD | network,
                                   .pidfd = (uint64_t)(uintptr_t)&s->pidfd,
                                   .exit_signal = SIGCHLD };
        if (s->group.born_in_fd >= 0) {
                args.flags |= CLONE_INTO_CGROUP;
                args.cgroup = (uint64_t)s->group.born_in_fd;
        }
        _cleanup_close_ int to_child = -EBADF;
        int r = fd_pipe(&s->answer_fd, &to_child);
        if (r < 0)
                return r;
        long pid = syscall(SYS_clone3, &args, sizeof args);
        if (pid < 0)
                return -errno;
        if (pid == 0)
                helper_main(s, to_child);
        return 0;
}

/* The stages a child may name; the text it sends is not repeated. */
static const char *known_stage(const char *stage)
{
        static const char *const stages[] = { "receive",  "inspect",   "unpack", "resolve",
                                              "download", "configure", "squash" };
        for (size_t i = 0; i < ARRAY_SIZE(stages); i++)
                if (streq(stage, stages[i]))
                        return stages[i];
        return NULL;
}

static void relay_progress(struct json_object *progress)
{
        const char *stage = known_stage(json_get_string(progress, "stage", NULL));
        int64_t percent = json_get_int(progress, "percent", -1), bytes = json_get_int(progress, "bytes", -1);
        if (stage && bytes >= 0)
                worker_progress_bytes(stage, (uint64_t)bytes, 0);
        else if (stage)
                worker_progress(stage, (int)MAX(MIN(percent, 100), -1));
}

static void take_line(struct sandbox *s, const char *line, size_t n)
{
        struct json_object *o = NULL;
        if (json_parse(line, n, &o, NULL) < 0)
                return;
        struct json_object *progress = json_get_object(o, "progress");
        if (progress)
                relay_progress(progress);
        if (progress || s->answer)
                json_object_put(o);
        else
                s->answer = o;
}

static int read_answers(struct sandbox *s)
{
        char *room = strbuf_reserve(&s->text, KiB(64));
        if (!room)
                return -EMSGSIZE;
        ssize_t n = read(s->answer_fd, room, KiB(64));
        if (n <= 0)
                return n < 0 ? -errno : 0;
        s->text.len += (size_t)n;
        char *end;
        while ((end = memchr(s->text.data, '\n', s->text.len))) {
                size_t len = (size_t)(end - s->text.data);
                take_line(s, s->text.data, len);
                strbuf_consume(&s->text, len + 1);
        }
        return 1;
}

/* Until the child's last word. SIGTERM is let in only while waiting, so that none falls between look and
 * sleep. */
static int relay(struct sandbox *s)
{
        sigset_t term, old;
        int r = 1;
        sigemptyset(&term);
        sigaddset(&term, SIGTERM);
        sigprocmask(SIG_BLOCK, &term, &old);
        sigdelset(&old, SIGTERM);
        while (r > 0) {
                struct pollfd p = { .fd = s->answer_fd, .events = POLLIN };
                if (worker_is_cancelled())
                        r = -ECANCELED;
                else if (ppoll(&p, 1, NULL, &old) > 0)
                        r = read_answers(s);
        }
        sigprocmask(SIG_SETMASK, &old, NULL);
        return r;
}

static int died(const struct sandbox *s, int status, struct error *err)
{
        uint64_t max = sandbox_memory_max(s->spec);
        /* base/alloc aborts when there is none. */
        if (memory_group_was_killed(&s->group) || status == 128 + SIGABRT)
                return error_set(err, ERR_TOO_LARGE, "%s: it needs more than %llu MiB of memory",
                                 s->spec->what, (unsigned long long)(max >> 20));
        if (status == 128 + SIGXCPU || status == 128 + SIGKILL)
                return error_set(err, ERR_TOO_LARGE, "%s: it was stopped for taking too long", s->spec->what);
        return error_set(err, ERR_INTERNAL, "%s: the reader ended with status %d and no answer",
                         s->spec->what, status);
}

static int judge(struct sandbox *s, int status, struct json_object **ret_result, struct error *err)
{
        struct json_object *error = json_get_object(s->answer, "error"), *result = NULL;
        if (error) {
                error_set(err, error_code_from_reason(json_get_string(error, "reason", "internal")), "%s",
                          json_get_string(error, "message", s->spec->what));
                const char *hint = json_get_string(error, "hint", NULL);
                return hint ? error_hint(err, "%s", hint) : error_errno(err->code);
        }
        result = json_get_object(s->answer, "result");
        if (!result || status != 0)
                return died(s, status, err);
        *ret_result = json_object_get(result);
        return 0;
}

int sandbox_run(const struct sandbox_spec *spec, struct json_object **ret_result, struct error *err)
{
        _cleanup_(sandbox_done) struct sandbox s = { .spec = spec,
                                                     .group = MEMORY_GROUP_INIT,
                                                     .mounts = SANDBOX_MOUNTS_INIT,
                                                     .userns_fd = -EBADF,
                                                     .answer_fd = -EBADF,
                                                     .pidfd = -EBADF,
                                                     .text = STRBUF_INIT_MAX(JSON_TEXT_MAX) };
        int status = 0, r = prepare(&s, err);
        if (r < 0)
                return r;
        if ((r = start(&s)) < 0)
                return error_set_errno(err, r, "%s: making the sandbox", spec->what);
        int relayed = relay(&s);
        /* One that has said its last word and stays is not waited for. */
        if (relayed < 0 || poll(&(struct pollfd){ .fd = s.pidfd, .events = POLLIN }, 1, 5000) <= 0)
                process_signal(s.pidfd, SIGKILL);
        r = process_wait(s.pidfd, &status);
        if (relayed == -ECANCELED)
                return error_set(err, ERR_CANCELLED, "%s: cancelled", spec->what);
        if (relayed < 0 || r < 0)
                return error_set_errno(err, relayed < 0 ? relayed : r, "%s: the reader's answer", spec->what);
        return judge(&s, status, ret_result, err);
}
