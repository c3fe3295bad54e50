/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The job `apparmor-load` and the way into a profile. The kernel replaces a profile at once and under its processes, so
 * loading may be repeated and cut short. A profile belongs to no daemon but to the host: several daemons use the same, and
 * taking one away would leave another daemon's containers unconfined; so it is no row of the table of effects.
 */
#include "runtime/apparmor.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/process.h"
#include "runtime/apparmor-profile.h"
#include "runtime/jobs.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#define POLICY_DIR "/sys/kernel/security/apparmor"
#define ATTRIBUTES "/proc/self/attr/apparmor"
#define LABEL_MAX 4096
#define OUTPUT_MAX KiB(16)
#define PROFILES "containers"

int apparmor_confine_next(const char *profile)
{
        _cleanup_free_ char *text = xasprintf("exec %s", profile);
        return path_write_value(AT_FDCWD, ATTRIBUTES "/exec", text);
}

/* The number behind a pidfd: it stays the process's own as long as the process is not reaped. */
static int pid_of(int pidfd)
{
        char path[64];
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        snprintf(path, sizeof path, "/proc/self/fdinfo/%d", pidfd);
        int r = path_read_file(AT_FDCWD, path, LABEL_MAX, &b);
        const char *line = r < 0 ? NULL : strstr(strbuf_str(&b), "\nPid:");
        long pid = line ? strtol(line + strlen("\nPid:"), NULL, 10) : -1;
        return r < 0 ? r : pid > 0 ? (int)pid : -ESRCH;
}

/* "name (mode)" or "unconfined" becomes the name, or "". */
static int read_label(const char *path, struct strbuf *ret)
{
        int r = path_read_file(AT_FDCWD, path, LABEL_MAX, ret);
        if (r < 0)
                return r;
        ret->data[strcspn(ret->data, " \n")] = '\0';
        if (streq(ret->data, "unconfined"))
                ret->data[0] = '\0';
        return 0;
}

int apparmor_confine_next_as(int pidfd)
{
        char path[64];
        _cleanup_strbuf_ struct strbuf own = STRBUF_INIT, label = STRBUF_INIT;
        if (access(ATTRIBUTES, F_OK) < 0)
                return 0;
        int r = read_label(ATTRIBUTES "/current", &own);
        if (r == -EINVAL || r == -ENOENT) /* AppArmor is built in and off */
                return 0;
        int pid = r < 0 ? r : pid_of(pidfd);
        if (pid < 0)
                return pid;
        snprintf(path, sizeof path, "/proc/%d/attr/apparmor/current", pid);
        r = read_label(path, &label);
        /* Still there, so it was the init that we read of. */
        if (r < 0 || process_signal(pidfd, 0) < 0)
                return r == -ENOENT || r >= 0 ? -ESRCH : r;
        /* Inside a container of somebody else's, all is in his profile already. */
        return !*strbuf_str(&label) || streq(label.data, strbuf_str(&own)) ? 0 : apparmor_confine_next(label.data);
}

/* Rewritten only when it differs: the parser's cache goes by its time. */
static int write_profiles(int dir_fd)
{
        _cleanup_strbuf_ struct strbuf wanted = STRBUF_INIT, is = STRBUF_INIT;
        apparmor_profiles_write(&wanted);
        if (path_read_file(dir_fd, PROFILES, KiB(64), &is) == 0 && streq(strbuf_str(&is), wanted.data))
                return 0;
        return path_write_atomic(dir_fd, PROFILES, wanted.data, wanted.len, 0600);
}

static int run_parser(const char *path, const char *dir, struct strbuf *output, int *ret_status)
{
        _cleanup_free_ char *cache = xasprintf("%s/cache", dir), *file = xasprintf("%s/" PROFILES, dir);
        const char *const argv[] = { "apparmor_parser", "--replace", "--write-cache", "--cache-loc", cache, file, NULL };
        _cleanup_close_ int out = -EBADF, out_child = -EBADF, pidfd = -EBADF;
        int r = fd_pipe(&out, &out_child);
        if (r < 0)
                return r;
        struct process_spec spec = { .path = path, .argv = argv, .fds = { -EBADF, out_child, out_child }, .n_fds = 3,
                                     .cgroup_fd = -EBADF };
        r = process_spawn(&spec, NULL, &pidfd);
        if (r < 0)
                return r;
        fd_reset(&out_child);
        r = fd_read_to_end(out, output, OUTPUT_MAX);
        int waited = process_wait(pidfd, ret_status);
        return r < 0 && r != -EFBIG ? r : waited;
}

static int load(const char *dir, struct error *err)
{
        _cleanup_free_ char *parser = NULL;
        _cleanup_strbuf_ struct strbuf output = STRBUF_INIT;
        int status = 0;
        if (access(POLICY_DIR "/.replace", W_OK) < 0) {
                error_set(err, ERR_UNSUPPORTED, "AppArmor is on, but \"" POLICY_DIR "\" cannot be written");
                return error_hint(err, "Inside a container that is so; on a host: mount -t securityfs securityfs /sys/kernel/security");
        }
        if (process_find_tool("apparmor_parser", &parser) < 0) {
                error_set(err, ERR_UNSUPPORTED, "AppArmor is on, but apparmor_parser is not installed");
                return error_hint(err, "Install the package \"apparmor\" and restart lightd");
        }
        int r = path_mkdir_all(dir, 0700);
        _cleanup_close_ int dir_fd = r < 0 ? r : open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        r = r < 0 ? r : dir_fd < 0 ? -errno : write_profiles(dir_fd);
        if (r >= 0)
                r = run_parser(parser, dir, &output, &status);
        if (r < 0)
                return error_set_errno(err, r, "Loading the AppArmor profiles in \"%s\"", dir);
        if (status == 0)
                return 0;
        if (output.data)
                output.data[strcspn(output.data, "\n")] = '\0';
        return error_set(err, ERR_UNSUPPORTED, "apparmor_parser refused the profiles in \"%s\": %s", dir, strbuf_str(&output));
}

int job_apparmor_load(struct json_object *args, struct json_object **ret_result _unused_, struct error *err)
{
        const char *dir;
        int r = job_get_path(args, "dir", &dir, err);
        return r < 0 ? r : load(dir, err);
}
