/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A volume that nobody uses, copied as it is on disk: ids, links, nodes, attributes, holes. cp(1) knows all of that and
 * clones extents where the file system can. Both directories are ours alone (0700); what a guest left in them is copied
 * and never followed.
 */
#include "runtime/jobs.h"
#include "base/alloc.h"
#include "base/effect.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#define SAID_MAX KiB(16)

/* Reads what it says to the end, and ends it when the job is cancelled. */
static int listen_to(int pidfd, int out, struct strbuf *said)
{
        bool is_told = false;
        for (;;) {
                char buf[512];
                struct pollfd p = { .fd = out, .events = POLLIN };
                if (worker_is_cancelled() && !is_told) {
                        is_told = true;
                        process_signal(pidfd, SIGTERM);
                }
                if (poll(&p, 1, 100) <= 0)
                        continue;
                ssize_t n = read(out, buf, sizeof buf);
                if (n == 0 || (n < 0 && errno != EINTR))
                        return n < 0 ? -errno : 0;
                if (n > 0 && said->len < SAID_MAX)
                        strbuf_add(said, buf, (size_t)n);
        }
}

static int run_cp(const char *from, const char *to, struct strbuf *said, int *ret_status)
{
        const char *argv[] = { "cp", "-aT", "--reflink=auto", "--", from, to, NULL };
        _cleanup_free_ char *path = NULL;
        _cleanup_close_ int out = -EBADF, out_child = -EBADF, pidfd = -EBADF;
        int r = process_find_tool("cp", &path);
        if (r >= 0)
                r = fd_pipe(&out, &out_child);
        if (r < 0)
                return r;
        struct process_spec spec = { .path = path, .argv = argv, .fds = { -EBADF, out_child, out_child }, .n_fds = 3,
                                     .cgroup_fd = -EBADF };
        r = process_spawn(&spec, NULL, &pidfd);
        fd_reset(&out_child);
        if (r >= 0)
                r = listen_to(pidfd, out, said);
        int waited = pidfd < 0 ? 0 : process_wait(pidfd, ret_status);
        return r < 0 ? r : waited;
}

/* "cp: cannot stat '/…': Input/output error": the reason is its last part, the paths are nobody's business. */
static int explain(const struct strbuf *said, struct error *err)
{
        char *end = said->data ? strchr(said->data, '\n') : NULL;
        if (end)
                *end = '\0';
        const char *colon = said->data ? strrchr(said->data, ':') : NULL;
        const char *why = colon && colon[1] == ' ' ? colon + 2 : "cp failed";
        bool is_full = streq(why, "No space left on device") || streq(why, "Disk quota exceeded");
        return error_set(err, is_full ? ERR_NO_SPACE : ERR_INTERNAL, "Copying the volume: %s", why);
}

static int copy(const char *from, const char *to, struct error *err)
{
        _cleanup_strbuf_ struct strbuf said = STRBUF_INIT;
        int status = 0;
        int r = run_cp(from, to, &said, &status);
        if (worker_is_cancelled())
                return error_set(err, ERR_CANCELLED, "Copying the volume was cancelled");
        if (r < 0)
                return error_set_errno(err, r, "Copying the volume");
        return status == 0 ? 0 : explain(&said, err);
}

/* What is on disk must be there before the commit that names it. */
static int flush(const char *path, struct error *err)
{
        _cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (fd < 0 || syncfs(fd) < 0)
                return error_set_errno(err, -errno, "Writing the copied volume");
        return 0;
}

static void remove_copy(const char *to)
{
        _cleanup_error_ struct error ignored = ERROR_INIT;
        const char *name;
        _cleanup_close_ int parent = job_open_parent(to, &name, &ignored);
        if (parent >= 0)
                path_remove_tree(parent, name);
}

/* {"path","to"}: a volume that was never used is not there, and neither is its copy then. */
int job_volume_copy(struct json_object *args, struct json_object **ret_result _unused_, struct error *err)
{
        const char *from, *to;
        int r = job_get_path(args, "path", &from, err);
        if (r >= 0)
                r = job_get_path(args, "to", &to, err);
        if (r < 0)
                return r;
        if (access(from, F_OK) < 0 && errno == ENOENT)
                return 0;
        if (access(to, F_OK) == 0) /* never into somebody's files, and never removed below as ours */
                return error_set(err, ERR_EXISTS, "Copying the volume: there is one already in its place");
        effect_point(EFFECT_VOLUME_COPY, EFFECT_BEFORE);
        r = copy(from, to, err);
        if (r >= 0)
                r = flush(to, err);
        if (r < 0)
                remove_copy(to);
        effect_point(EFFECT_VOLUME_COPY, EFFECT_AFTER);
        return r;
}
