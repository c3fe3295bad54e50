/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon: whether it answers, whether this user may ask, through which group, and what it may open. */
#include "lightc/doctor.h"
#include "base/alloc.h"

#include <stdio.h>

#define FILES_EACH 10 /* the daemon's descriptors for a running container, at most */

/* Whether somebody who may not ask at all can tell that it runs: the socket is all there is to see. */
static void look_daemon(const struct doctor *d, struct finding *f)
{
        if (d->server) {
                const char *version = json_get_string(json_get_object(d->server, "environment"), "lightvisor_version", "");
                finding_set(f, VERDICT_OK, "it answers at %s%s%s", d->socket_path, *version ? ", version " : "", version);
        } else if (d->server_error.code == ERR_FORBIDDEN) {
                finding_set(f, VERDICT_OK, "its socket is there; whether it answers only those it lets in can tell");
        } else {
                finding_set(f, VERDICT_FAIL, "%s", error_message(&d->server_error));
                finding_fix(f, "%s", d->server_error.hint ? d->server_error.hint : "systemctl status lightd");
        }
}

static void look_permission(const struct doctor *d, struct finding *f)
{
        if (d->server_error.code == ERR_FORBIDDEN) {
                finding_set(f, VERDICT_FAIL, "%s", error_message(&d->server_error));
                finding_fix(f, "%s", d->server_error.hint ? d->server_error.hint : "try again as root");
        } else if (d->is_root) {
                finding_set(f, VERDICT_OK, "root may do everything");
        } else if (!d->socket.exists) {
                finding_set(f, VERDICT_OK, "there is no socket to be kept out of");
        } else {
                finding_set(f, VERDICT_OK, "\"%s\" may use the socket", d->socket.me);
        }
}

static void look_group(const struct doctor *d, struct finding *f)
{
        const struct socket_facts *s = &d->socket;
        if (!s->exists) {
                finding_set(f, VERDICT_OK, "without a socket there is none to ask for");
        } else if (s->gid == 0 || !(s->mode & 0020)) {
                finding_set(f, VERDICT_OK, "the socket is root's alone");
        } else if (!*s->group) {
                finding_set(f, VERDICT_WARN, "the socket's group %u has no name: nobody can be put into it", (unsigned)s->gid);
                finding_fix(f, "groupadd --system lightd; systemctl restart lightd.socket lightd");
        } else if (d->is_root || s->is_in_session) {
                finding_set(f, VERDICT_OK, "members of \"%s\" may use the socket%s", s->group, d->is_root ? "" : ", as you do");
        } else if (s->is_named_member) {
                finding_set(f, VERDICT_WARN, "you are in \"%s\", but this session began before that", s->group);
                finding_fix(f, "log in again, or: newgrp %s", s->group);
        } else {
                finding_set(f, VERDICT_WARN, "you are not in \"%s\", whose members may use the socket", s->group);
                finding_fix(f, "usermod -aG %s %s (as root), and log in again", s->group, s->me);
        }
}

static void look_daemon_files(const struct doctor *d, struct finding *f)
{
        char path[64];
        long long pid = json_get_int(json_get_object(d->server, "environment"), "server_pid", 0);
        snprintf(path, sizeof path, "/proc/%lld/limits", pid);
        const char *text = pid > 0 ? doctor_read(d, path) : "", *row = strstr(text, "Max open files");
        unsigned long long n = 0;
        if (!row || sscanf(row, "Max open files %llu", &n) != 1) {
                bool is_unlimited = row && strstr(row, "Max open files            unlimited") == row;
                finding_set(f, VERDICT_OK, is_unlimited ? "as many as it likes" : d->server ? "only root can see it" : "the daemon does not answer");
        } else if (n >= 10240) {
                finding_set(f, VERDICT_OK, "%llu files: room for some %llu containers", n, n / FILES_EACH);
        } else {
                finding_set(f, VERDICT_WARN, "%llu files: room for some %llu containers, then none starts", n, n / FILES_EACH);
                finding_fix(f, "LimitNOFILE=1048576 in lightd.service (systemctl edit lightd), or: ulimit -n 1048576 before lightd");
        }
}

const struct check doctor_daemon_checks[] = {
        { .name = "daemon", .means = "lightd itself", .look = look_daemon },
        { .name = "permission", .means = "whether you may ask it", .look = look_permission },
        { .name = "group", .means = "who else may", .look = look_group },
        { .name = "daemon-files", .means = "descriptors of lightd", .look = look_daemon_files },
        { 0 },
};
