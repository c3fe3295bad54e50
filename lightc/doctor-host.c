/* SPDX-License-Identifier: Apache-2.0 */
/* The programs a host needs, and its clock. */
#include "lightc/doctor.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/process.h"

#include <ctype.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/timex.h>
#include <time.h>
#include <unistd.h>

/* ---- programs ---- */

static bool find_program(struct finding *f, enum verdict without, const char *program, const char *package, const char *why)
{
        _cleanup_free_ char *path = NULL;
        if (process_find_tool(program, &path) >= 0) {
                finding_set(f, VERDICT_OK, "%s", path);
                return true;
        }
        finding_set(f, without, "%s is not installed: %s", program, why);
        finding_fix(f, "apt-get install %s", package);
        return false;
}

/* Its exit status; out may be NULL. */
static int run_tool(const char *program, const char *const *argv, struct strbuf *out)
{
        _cleanup_free_ char *path = NULL;
        _cleanup_close_ int pidfd = -EBADF, from = -EBADF, to = -EBADF;
        int status = -1, r = out ? fd_pipe(&from, &to) : 0;
        if (r >= 0)
                r = process_find_tool(program, &path);
        struct process_spec spec = { .path = path, .argv = argv, .fds = { -EBADF, to, to }, .n_fds = 3, .cgroup_fd = -EBADF };
        if (r >= 0)
                r = process_spawn(&spec, NULL, &pidfd);
        fd_reset(&to);
        if (r >= 0 && out)
                fd_read_to_end(from, out, KiB(64));
        fd_reset(&from);
        if (r >= 0)
                r = process_wait(pidfd, &status);
        return r < 0 ? r : status;
}

/* The number after the last '.' or digit they share decides: "1.0.10" is newer than "1.0.6". */
static int compare_versions(const char *a, const char *b)
{
        while (isdigit((unsigned char)*a) || isdigit((unsigned char)*b)) {
                char *after_a, *after_b;
                long n = strtol(a, &after_a, 10), m = strtol(b, &after_b, 10);
                if (n != m)
                        return n < m ? -1 : 1;
                a = after_a + (*after_a == '.');
                b = after_b + (*after_b == '.');
        }
        return 0;
}

/* The first word of the text that begins as a number does, with or without "v". */
void doctor_judge_version(struct finding *f, const char *text, const char *oldest)
{
        const char *p = text;
        while (*p && !(isdigit((unsigned char)*p) && (p == text || p[-1] == ' ' || p[-1] == 'v')))
                p++;
        int n = (int)strspn(p, "0123456789.");
        if (!n) {
                finding_set(f, VERDICT_WARN, "it does not say its version");
                finding_fix(f, "apt-get install --reinstall the package it is from");
        } else if (compare_versions(p, oldest) < 0) {
                finding_set(f, VERDICT_WARN, "version %.*s is older than %s, the oldest that is tried", n, p, oldest);
                finding_fix(f, "apt-get update && apt-get upgrade; Debian 12 has it");
        } else {
                strbuf_addf(&f->found, "%sversion %.*s", f->found.len ? ", " : "", n, p);
        }
}

static void look_version(struct finding *f, const char *const *argv, const char *oldest)
{
        _cleanup_strbuf_ struct strbuf out = STRBUF_INIT;
        run_tool(argv[0], argv, &out);
        doctor_judge_version(f, strbuf_str(&out), oldest);
}

static void look_nft(const struct doctor *d, struct finding *f)
{
        static const char *const argv[] = { "nft", "list", "tables", NULL };
        static const char *const version[] = { "nft", "--version", NULL };
        if (!find_program(f, VERDICT_FAIL, "nft", "nftables", "managed networks need it"))
                return;
        look_version(f, version, "1.0.6");
        if (!d->is_root)
                return;
        if (run_tool("nft", argv, NULL) != 0) {
                finding_set(f, VERDICT_FAIL, "nft is there, and this kernel refuses it");
                finding_fix(f, "modprobe nf_tables nft_chain_nat nft_masq");
        }
}

static void look_dnsmasq(const struct doctor *d _unused_, struct finding *f)
{
        static const char *const argv[] = { "dnsmasq", "--version", NULL };
        if (find_program(f, VERDICT_FAIL, "dnsmasq", "dnsmasq-base", "managed networks get their addresses and names from it"))
                look_version(f, argv, "2.89");
}

static void look_mmdebstrap(const struct doctor *d _unused_, struct finding *f)
{
        static const char *const argv[] = { "mmdebstrap", "--version", NULL };
        if (find_program(f, VERDICT_WARN, "mmdebstrap", "mmdebstrap", "\"debian:12\" cannot be built, only imported images work"))
                look_version(f, argv, "1.3.5");
}

static void look_squashfs_tools(const struct doctor *d _unused_, struct finding *f)
{
        static const char *const argv[] = { "unsquashfs", "-version", NULL };
        if (find_program(f, VERDICT_FAIL, "unsquashfs", "squashfs-tools", "squashfs images cannot be unpacked") &&
            find_program(f, VERDICT_WARN, "mksquashfs", "squashfs-tools", "images cannot be built"))
                look_version(f, argv, "4.5.1");
}

#define LXCFS "/var/lib/lxcfs"

static int read_meminfo(void *data)
{
        const char *text = doctor_read(data, LXCFS "/proc/meminfo");
        return strstr(text, "MemTotal:") ? 0 : EIO;
}

/* What it serves is read, by a child that may be given up: a file server that hangs keeps its readers. */
void doctor_look_lxcfs(const struct doctor *d, struct finding *f)
{
        struct doctor reader = *d;
        if (!doctor_exists(d, LXCFS "/proc")) {
                finding_set(f, VERDICT_WARN, "it is not running: \"free\" inside shows the host's memory");
                finding_fix(f, "apt-get install lxcfs; systemctl enable --now lxcfs");
                return;
        }
        int e = doctor_try_bounded(read_meminfo, &reader, 2000);
        if (e == 0) {
                finding_set(f, VERDICT_OK, "it serves " LXCFS);
                return;
        }
        finding_set(f, VERDICT_WARN, e == ETIMEDOUT ? "it hangs: nothing can be read from " LXCFS
                                                    : "it is mounted at " LXCFS " and serves nothing");
        finding_fix(f, "systemctl restart lxcfs");
}

static int make_bridge(void *data _unused_)
{
        static const char *const argv[] = { "ip", "link", "add", "lightdoctor0", "type", "bridge", NULL };
        if (unshare(CLONE_NEWNET) < 0)
                return errno;
        return run_tool("ip", argv, NULL) == 0 ? 0 : EOPNOTSUPP;
}

static void look_bridge(const struct doctor *d, struct finding *f)
{
        _cleanup_free_ char *ip = NULL;
        if (!d->is_root || process_find_tool("ip", &ip) < 0) {
                finding_set(f, VERDICT_OK, "only root can try it, with iproute2");
        } else if (doctor_try(make_bridge, NULL) != 0) {
                finding_set(f, VERDICT_FAIL, "this kernel makes no bridge");
                finding_fix(f, "modprobe bridge veth");
        } else {
                finding_set(f, VERDICT_OK, "one can be made; it takes 1,023 containers");
        }
}

/* ---- the time ---- */

void doctor_judge_clock(struct finding *f, time_t now, bool is_synchronised)
{
        char text[64];
        struct tm tm;
        strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", gmtime_r(&now, &tm));
        if (tm.tm_year + 1900 < 2024)
                finding_set(f, VERDICT_FAIL, "it is %s: certificates and mirrors will be refused", text);
        else if (!is_synchronised)
                finding_set(f, VERDICT_WARN, "%s, by nobody's clock but this machine's", text);
        else
                finding_set(f, VERDICT_OK, "%s, synchronised", text);
        if (f->verdict != VERDICT_OK)
                finding_fix(f, "timedatectl set-ntp true (or: apt-get install systemd-timesyncd)");
}

static void look_clock(const struct doctor *d _unused_, struct finding *f)
{
        struct timex t = { 0 };
        int state = adjtimex(&t);
        doctor_judge_clock(f, time(NULL), state >= 0 && state != TIME_ERROR && !(t.status & STA_UNSYNC));
}

const struct check doctor_host_checks[] = {
        { .name = "bridge", .means = "networks of containers", .look = look_bridge },
        { .name = "nft", .means = "their way out", .look = look_nft },
        { .name = "dnsmasq", .means = "their addresses and names", .look = look_dnsmasq },
        { .name = "lxcfs", .means = "limits that \"free\" and \"nproc\" show", .look = doctor_look_lxcfs },
        { .name = "squashfs-tools", .means = "packing and unpacking images", .look = look_squashfs_tools },
        { .name = "mmdebstrap", .means = "building Debian images", .look = look_mmdebstrap },
        { .name = "clock", .means = "what certificates are checked by", .look = look_clock },
        { 0 },
};
