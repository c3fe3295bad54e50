/* SPDX-License-Identifier: Apache-2.0 */
#include "images/worker/build-finish.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/time.h"
#include "images/worker/job.h"
#include "images/worker/tool.h"

#include <archive.h>
#include <archive_entry.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

static const char network_file[] = "[Match]\n"
                                   "Name=eth*\n"
                                   "\n"
                                   "[Network]\n"
                                   "DHCP=yes\n"
                                   "IPv6AcceptRA=yes\n"
                                   "\n"
                                   "[DHCPv4]\n"
                                   "ClientIdentifier=mac\n";

static const char hosts_template[] = "127.0.1.1\t{{ container.name }}\n"
                                     "127.0.0.1\tlocalhost\n"
                                     "::1\tlocalhost ip6-localhost ip6-loopback\n"
                                     "ff02::1\tip6-allnodes\n"
                                     "ff02::2\tip6-allrouters\n";
static const char hostname_template[] = "{{ container.name }}\n";

static void ignore_line(void *ctx _unused_, const char *line _unused_)
{
}

/* systemctl's offline mode knows the aliases and sockets a unit brings along; run inside the tree it is the
 * tree's own. */
static int systemctl(const char *root, const char *verb, const char *const *units, size_t n_units)
{
        const char *argv[32] = { "/usr/sbin/chroot", root, "/usr/bin/systemctl", "-q", verb };
        size_t n = 5;
        int status = 0;
        for (size_t i = 0; i < n_units; i++)
                argv[n++] = units[i];
        int r = tool_run(argv, -EBADF, ignore_line, NULL, &status);
        return r < 0 ? r : status == 0 ? 0 : -EIO;
}

static int set_units(const char *root)
{
        static const char *const on[] = { "systemd-networkd.service", "systemd-resolved.service" };
        /* What waits for links the host decides about, trims disks that are not ours, or makes all containers
         * wake at once. */
        static const char *const off[] = { "systemd-networkd-wait-online.service",
                                           "systemd-timesyncd.service", "e2scrub_all.timer",
                                           "e2scrub_reap.service", "fstrim.timer" };
        static const char *const masked[] = { "sys-kernel-debug.mount", "sys-kernel-config.mount",
                                              "sys-kernel-tracing.mount", "systemd-modules-load.service",
                                              "systemd-udev-settle.service" };
        int r = systemctl(root, "enable", on, ARRAY_SIZE(on));
        /* One by one: a unit a release does not have is not there to be disabled. */
        for (size_t i = 0; i < ARRAY_SIZE(off); i++)
                (void)systemctl(root, "disable", off + i, 1);
        return r < 0 ? r : systemctl(root, "mask", masked, ARRAY_SIZE(masked));
}

static int write_file(int root_fd, const char *path, const char *text)
{
        _cleanup_close_ int fd =
                path_open_inroot(root_fd, path, O_WRONLY | O_CREAT | O_TRUNC | O_NOCTTY, 0644);
        if (fd < 0)
                return fd;
        return fd_write_all(fd, text, strlen(text));
}

/* Packages ran scripts in this tree: its paths are opened inside it, and links are replaced, not written
 * through. */
static int replace_file(int root_fd, const char *dir, const char *name, const char *text)
{
        _cleanup_close_ int dir_fd = path_open_inroot(root_fd, dir, O_RDONLY | O_DIRECTORY, 0);
        if (dir_fd < 0)
                return dir_fd;
        if (unlinkat(dir_fd, name, 0) < 0 && errno != ENOENT)
                return -errno;
        return text ? write_file(dir_fd, name, text) : 0;
}

static int link_resolver(int root_fd)
{
        _cleanup_close_ int etc = path_open_inroot(root_fd, "etc", O_RDONLY | O_DIRECTORY, 0);
        if (etc < 0)
                return etc;
        if (unlinkat(etc, "resolv.conf", 0) < 0 && errno != ENOENT)
                return -errno;
        return symlinkat("../run/systemd/resolve/stub-resolv.conf", etc, "resolv.conf") < 0 ? -errno : 0;
}

/* An image has no identity: machine-id empty means "make one at first boot". */
static int forget_identity(int root_fd)
{
        int r = replace_file(root_fd, "etc", "machine-id", "");
        if (r == 0)
                r = replace_file(root_fd, "etc", "hostname", "debian\n");
        if (r == 0)
                r = replace_file(root_fd, "var/lib/dbus", "machine-id", NULL);
        return r == -ENOENT ? 0 : r;
}

int build_customise(const char *root, const char *sources, struct error *err)
{
        _cleanup_close_ int root_fd = job_open_dir(root, err);
        if (root_fd < 0)
                return root_fd;
        int r = set_units(root);
        if (r == 0)
                r = write_file(root_fd, "etc/systemd/network/eth.network", network_file);
        if (r == 0)
                r = replace_file(root_fd, "etc/apt", "sources.list", sources);
        /* The build's own apt options are not the user's. */
        if (r == 0)
                r = replace_file(root_fd, "etc/apt/apt.conf.d", "99mmdebstrap", NULL);
        if (r == 0)
                r = forget_identity(root_fd);
        if (r == 0)
                r = link_resolver(root_fd);
        return r < 0 ? error_set_errno(err, r, "Preparing the built system") : 0;
}

static char *metadata_text(const struct build_release *release, const char *variant)
{
        struct utsname host;
        char now[TIME_TEXT_SIZE];
        uname(&host);
        bool is_arm = streq(host.machine, "aarch64");
        time_format_rfc3339(time_now_ns(), now);
        now[10] = '\0'; /* the day */
        return xasprintf("architecture: %s\n"
                         "creation_date: %lld\n"
                         "properties:\n"
                         "  architecture: %s\n"
                         "  description: Debian %s %s (%s)\n"
                         "  name: debian-%s\n"
                         "  os: debian\n"
                         "  release: %s\n"
                         "  version: \"%s\"\n"
                         "  variant: %s\n"
                         "  serial: \"%s\"\n"
                         "templates:\n"
                         "  /etc/hostname:\n"
                         "    when: [create, copy]\n"
                         "    template: hostname.tpl\n"
                         "  /etc/hosts:\n"
                         "    when: [create, copy]\n"
                         "    template: hosts.tpl\n",
                         host.machine, (long long)(time_now_ns() / 1000000000), is_arm ? "arm64" : "amd64",
                         release->version, release->codename, now, release->codename, release->codename,
                         release->version, variant, now);
}

static int add_member(struct archive *a, const char *name, const char *text)
{
        struct archive_entry *e = archive_entry_new();
        size_t n = text ? strlen(text) : 0;
        archive_entry_set_pathname(e, name);
        archive_entry_set_filetype(e, text ? AE_IFREG : AE_IFDIR);
        archive_entry_set_perm(e, text ? 0644 : 0755);
        archive_entry_set_size(e, (la_int64_t)n);
        int r = archive_write_header(a, e) == ARCHIVE_OK ? 0 : -EIO;
        if (r == 0 && n > 0 && archive_write_data(a, text, n) != (la_ssize_t)n)
                r = -EIO;
        archive_entry_free(e);
        return r;
}

static int write_members(struct archive *a, const char *metadata)
{
        int r = add_member(a, "metadata.yaml", metadata);
        if (r == 0)
                r = add_member(a, "templates/", NULL);
        if (r == 0)
                r = add_member(a, "templates/hostname.tpl", hostname_template);
        if (r == 0)
                r = add_member(a, "templates/hosts.tpl", hosts_template);
        return r == 0 && archive_write_close(a) == ARCHIVE_OK ? 0 : -EIO;
}

int build_write_metadata(const char *dir, const struct build_release *release, const char *variant,
                         struct error *err)
{
        _cleanup_free_ char *path = xasprintf("%s/%s", dir, spool_file_names[SPOOL_META]);
        _cleanup_free_ char *metadata = metadata_text(release, variant);
        _cleanup_close_ int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd < 0)
                return error_set_errno(err, -errno, "Writing the image's metadata");
        struct archive *a = archive_write_new();
        archive_write_set_format_ustar(a);
        archive_write_add_filter_gzip(a);
        int r = archive_write_open_fd(a, fd) == ARCHIVE_OK ? write_members(a, metadata) : -EIO;
        archive_write_free(a);
        return r < 0 ? error_set_errno(err, r, "Writing the image's metadata") : 0;
}

static int add_to_digest(const char *dir, int which, EVP_MD_CTX *digest, struct spool_file *file)
{
        _cleanup_free_ char *path = xasprintf("%s/%s", dir, spool_file_names[which]);
        _cleanup_free_ char *buf = xcalloc(1, MiB(1));
        _cleanup_close_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
        ssize_t n = fd < 0 ? -1 : 0;
        while (fd >= 0 && (n = read(fd, buf, MiB(1))) > 0) {
                EVP_DigestUpdate(digest, buf, (size_t)n);
                file->size += (uint64_t)n;
        }
        return n < 0 || fsync(fd) < 0 ? -errno : 0;
}

int build_describe(const char *dir, struct json_object **ret_result, struct error *err)
{
        struct spool_file files[_SPOOL_FILE_MAX] = { 0 };
        EVP_MD_CTX *digest = EVP_MD_CTX_new();
        EVP_DigestInit_ex(digest, EVP_sha256(), NULL);
        int r = 0;
        for (int i = 0; r == 0 && i < _SPOOL_FILE_MAX; i++)
                r = add_to_digest(dir, i, digest, &files[i]);
        if (r == 0)
                *ret_result = spool_describe(digest, files, _SPOOL_FILE_MAX);
        EVP_MD_CTX_free(digest);
        return r < 0 ? error_set_errno(err, r, "Reading the built image") : 0;
}
