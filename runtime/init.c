/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/start-internal.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "runtime/exec-request.h"
#include "runtime/guest-mounts.h"
#include "runtime/inherited.h"
#include "runtime/mount-api.h"
#include "runtime/namespace.h"
#include "runtime/netlink.h"
#include "runtime/privileges.h"
#include "runtime/rootfs.h"

#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define CONSOLE_FDS 3

/*
 * Copying the builder's mounts into a namespace that our user namespace owns locks them: their flags and what
 * they cover are out of the guest's reach. A locked mount cannot become the root, hence the copy of the root
 * over itself.
 */
static int take_root(int *ret_root)
{
        if (unshare(CLONE_NEWNS) < 0)
                return -errno;
        _cleanup_close_ int root = mount_clone(AT_FDCWD, ROOTFS_STAGE, true);
        if (root < 0)
                return root;
        int r = mount_attach_at(root, AT_FDCWD, ROOTFS_STAGE);
        if (r == 0)
                *ret_root = TAKE_FD(root);
        return r;
}

/* Stacked on the same directory, so no place for the old root has to exist; then it goes, with all of the
 * host. */
static int pivot(int root_fd)
{
        if (fchdir(root_fd) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 ||
            chdir("/") < 0)
                return -errno;
        /* Shared inside, as an init expects of its own root; nothing outside is its peer. */
        return mount(NULL, "/", NULL, MS_REC | MS_SHARED, NULL) < 0 ? -errno : 0;
}

/* O_NONBLOCK: an image may hold a pipe under this name. O_TRUNC: else an overlay copies what is then thrown away. */
static int write_file(int root_fd, const struct spec_file *f)
{
        struct stat st;
        int flags = O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY | O_NONBLOCK;
        _cleanup_close_ int fd = path_open_inroot(root_fd, f->path, flags, f->mode);
        if (fd == -ENOENT) {
                _cleanup_close_ int made = mount_target(root_fd, f->path, false); /* with its parents */
                if (made < 0)
                        return made;
                fd = path_open_inroot(root_fd, f->path, flags, f->mode);
        }
        if (fd < 0)
                return fd;
        if (fstat(fd, &st) < 0)
                return -errno;
        if (!S_ISREG(st.st_mode))
                return -EINVAL;
        if (fchmod(fd, f->mode) < 0)
                return -errno;
        return fd_write_all(fd, f->content, strlen(f->content));
}

/* A link counts, wherever it leads: its maker meant something by it. */
static bool is_there(int root_fd, const char *path)
{
        _cleanup_close_ int fd = path_open_inroot(root_fd, path, O_PATH | O_NOFOLLOW, 0);
        return fd >= 0;
}

static int write_files(const struct spec *s, struct error *err)
{
        if (s->n_files == 0)
                return 0;
        _cleanup_close_ int root = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);
        for (size_t i = 0; i < s->n_files; i++) {
                const struct spec_file *f = &s->files[i];
                if (root >= 0 && f->is_create_only && is_there(root, f->path))
                        continue;
                int r = root < 0 ? -errno : write_file(root, f);
                if (r < 0)
                        return error_set_errno(err, r, "Writing \"%s\"", f->path);
        }
        return 0;
}

/* Through a proc of our own, attached nowhere: the one in the tree may be covered by what the guest asked
 * for. */
static int write_sysctls(const struct spec *s, struct error *err)
{
        if (s->n_sysctl == 0)
                return 0;
        _cleanup_close_ int proc = mount_new("proc", 0, NULL);
        for (size_t i = 0; i < s->n_sysctl; i++) {
                _cleanup_free_ char *path = xasprintf("sys/%s", s->sysctl[i].key);
                for (char *p = path; *p; p++)
                        if (*p == '.')
                                *p = '/';
                const char *value = s->sysctl[i].value;
                _cleanup_close_ int fd = proc < 0 ? proc : path_open_beneath(proc, path, O_WRONLY, 0);
                int r = fd < 0 ? fd : write(fd, value, strlen(value)) < 0 ? -errno : 0;
                if (r < 0)
                        return error_set_errno(err, r, "Setting sysctl \"%s\" to \"%s\"", s->sysctl[i].key,
                                               value);
        }
        return 0;
}

static int set_links_up(const struct spec *s, struct error *err)
{
        int r = netlink_set_up("lo");
        for (size_t i = 0; r == 0 && i < s->n_nics; i++)
                r = netlink_set_up(s->nics[i].name);
        return r < 0 ? error_set_errno(err, r, "Setting network interfaces up") : 0;
}

static bool is_set(const struct spec *s, const char *key)
{
        for (size_t i = 0; i < s->n_environment; i++)
                if (streq(s->environment[i].key, key))
                        return true;
        return false;
}

/* PATH: a machine's init has it from the boot disk's scripts, and some (runit's) pass on what they got. */
static const char *const *make_environment(const struct spec *s)
{
        static const struct {
                const char *key, *text;
        } defaults[] = { { "HOME", "HOME=/" }, { "TERM", "TERM=linux" }, { "PATH", EXEC_PATH_DEFAULT } };
        const char **env = xnew_array(const char *, s->n_environment + ARRAY_SIZE(defaults) + 3);
        size_t n = 0;
        env[n++] = "container=lxc";
        if (!str_empty(s->uuid))
                env[n++] = xasprintf("container_uuid=%s", s->uuid);
        for (size_t i = 0; i < ARRAY_SIZE(defaults); i++)
                if (!is_set(s, defaults[i].key))
                        env[n++] = defaults[i].text;
        for (size_t i = 0; i < s->n_environment; i++)
                env[n++] = xasprintf("%s=%s", s->environment[i].key, s->environment[i].value);
        return env;
}

/*
 * Not as controlling terminal: the kernel does not give its first process one either, and a ^C on the console
 * must not be a signal to it.
 */
static int take_console(void)
{
        _cleanup_close_ int fd = open("/dev/console", O_RDWR | O_NOCTTY | O_CLOEXEC);
        if (fd < 0)
                return -errno;
        for (int i = 0; i < CONSOLE_FDS; i++)
                if (dup2(fd, i) < 0)
                        return -errno;
        return setsid() < 0 ? -errno : 0;
}

/* "No such file" is also what a script or a program says whose interpreter is missing. */
static int exec_failed(const struct spec *s, int r, struct error *err)
{
        const char *path = s->init[0];
        if (r == -ENOENT && access(path, F_OK) == 0)
                return error_set(err, ERR_NOT_FOUND,
                                 "Init \"%s\" of instance \"%s\" cannot run: its interpreter is missing",
                                 path, s->name);
        error_set_errno(err, r, "Init \"%s\" of instance \"%s\" cannot run", path, s->name);
        return r == -ENOENT ? error_hint(err, "The image has no such program") : r;
}

static int enter(struct start *s, struct error *err)
{
        _cleanup_close_ int root = -EBADF, console = -EBADF;
        int r = take_root(&root);
        if (r < 0)
                return error_set_errno(err, r, "Taking over the mounts of instance \"%s\"", s->spec->name);
        r = guest_mounts(s->spec, root, &console, err);
        if (r < 0)
                return r;
        r = pivot(root);
        if (r == 0)
                r = report_send(s->init, REPORT_CONSOLE, 0, console);
        return r < 0 ? error_set_errno(err, r, "Changing the root of instance \"%s\"", s->spec->name) : 0;
}

static int configure(struct start *s, struct error *err)
{
        const struct spec *spec = s->spec;
        if (sethostname(spec->hostname, strlen(spec->hostname)) < 0)
                return error_set_errno(err, -errno, "Setting the host name \"%s\"", spec->hostname);
        int r = write_files(spec, err);
        if (r >= 0)
                r = write_sysctls(spec, err);
        if (r >= 0)
                r = report_await(s->init, ORDER_NETWORK);
        return r < 0 ? r : set_links_up(spec, err);
}

static int give_up_privileges(const struct privileges *p, const struct privileges_filter *filter, bool is_32bit)
{
        int r = take_console();
        if (r == 0)
                r = privileges_drop_capabilities(p);
        if (r == 0 && syscall(SYS_close_range, CONSOLE_FDS, ~0u, 1u << 2 /* CLOSE_RANGE_CLOEXEC */) < 0)
                r = -errno;
        if (r == 0)
                r = inherited_reset_inside(is_32bit);
        return r < 0 ? r : privileges_load_filter(filter);
}

static int become_init(struct start *s, struct error *err)
{
        const struct spec *spec = s->spec;
        const struct privileges p = { .is_privileged = spec->is_privileged,
                                      .is_nesting = spec->is_nesting,
                                      .has_seccomp = spec->has_seccomp,
                                      .capabilities_drop = spec->capabilities_drop };
        struct privileges_filter *filter;
        int r = privileges_filter_new(&p, &filter, err);
        if (r >= 0)
                r = report_await(s->init, ORDER_MAPPED);
        if (r >= 0)
                r = namespace_become_root();
        if (r >= 0)
                r = report_await(s->await_rootfs, ORDER_ROOTFS);
        if (r >= 0)
                r = enter(s, err);
        if (r >= 0)
                r = configure(s, err);
        if (r < 0)
                return r;
        const char *const *env = make_environment(spec);
        r = give_up_privileges(&p, filter, spec->is_32bit);
        if (r >= 0)
                r = report_send(s->init, REPORT_READY, 0, -EBADF);
        if (r < 0)
                return error_set_errno(err, r, "Giving up the privileges of instance \"%s\"", spec->name);
        execve(spec->init[0], spec->init, (char *const *)env);
        return exec_failed(spec, -errno, err);
}

void init_main(struct start *s)
{
        _cleanup_error_ struct error err = ERROR_INIT;
        int r = become_init(s, &err);
        /* Somebody else's failure has been told by him. */
        if (r != -ECANCELED)
                report_error(s->init, r, &err);
        _exit(127);
}
