/* SPDX-License-Identifier: Apache-2.0 */
#include "lightd/idmap.h"
#include "base/fd.h"
#include "base/path.h"
#include "base/strbuf.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <unistd.h>

#define CLAIMS_DIR "/run/lightd/id-places"
#define PLACES 30 /* from 1; the last of the 32 ends with ids that mean "none" */

static uint64_t place_base(unsigned place)
{
        return (uint64_t)place << SERVER_IDMAP_PLACE_BITS;
}

/* Whether a line "name:first:count" of /etc/subuid or /etc/subgid has ids of the place. */
static bool line_overlaps(const char *line, unsigned place, bool is_root_included)
{
        const char *colon = strchr(line, ':');
        unsigned long long first, n;
        if (!colon || sscanf(colon, ":%llu:%llu", &first, &n) != 2)
                return false;
        if (!is_root_included && (str_starts(line, "root:") || str_starts(line, "0:")))
                return false;
        return first < place_base(place + 1) && first + n > place_base(place);
}

static bool file_overlaps(const char *path, unsigned place, bool is_root_included)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        if (path_read_file(AT_FDCWD, path, MiB(1), &b) < 0)
                return false;
        for (char *rest = b.data, *line; (line = strsep(&rest, "\n"));)
                if (line_overlaps(line, place, is_root_included))
                        return true;
        return false;
}

static bool is_given_to_others(unsigned place, bool is_root_included)
{
        return file_overlaps("/etc/subuid", place, is_root_included) ||
               file_overlaps("/etc/subgid", place, is_root_included);
}

/* The did in the claim of a place; "" when there is none, or its daemon is not known any more. */
static void read_owner(int dir, unsigned place, char owner[static 8])
{
        char name[16], run_dir[64];
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        snprintf(name, sizeof name, "%u", place);
        owner[0] = '\0';
        if (path_read_file(dir, name, 7, &b) < 0)
                return;
        snprintf(run_dir, sizeof run_dir, "/run/lightd/%s", strbuf_str(&b));
        if (b.len && access(run_dir, F_OK) == 0)
                snprintf(owner, 8, "%s", b.data);
}

static int write_owner(int dir, unsigned place, const char *did)
{
        char name[16];
        snprintf(name, sizeof name, "%u", place);
        return path_write_atomic(dir, name, did, strlen(did), 0600);
}

static unsigned find_own(int dir, const char *did)
{
        char owner[8];
        for (unsigned place = 1; place <= PLACES; place++) {
                read_owner(dir, place, owner);
                if (streq(owner, did))
                        return place;
        }
        return 0;
}

/* Ranges that /etc/subuid gives to root are for container managers: ours may use them when nothing else is free. */
static unsigned find_free(int dir, bool is_root_included)
{
        char owner[8];
        for (unsigned place = PLACES; place >= 1; place--) {
                read_owner(dir, place, owner);
                if (!owner[0] && !is_given_to_others(place, is_root_included))
                        return place;
        }
        return 0;
}

int idmap_claim(struct server *s, struct error *err)
{
        int r = path_mkdir_all(CLAIMS_DIR, 0700);
        if (r < 0)
                return error_set_errno(err, r, "Making the directory \"%s\"", CLAIMS_DIR);
        _cleanup_close_ int dir = open(CLAIMS_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
        if (dir < 0 || flock(dir, LOCK_EX) < 0) /* two daemons may start at once */
                return error_set_errno(err, -errno, "Locking \"%s\"", CLAIMS_DIR);
        unsigned place = find_own(dir, s->did);
        if (!place)
                place = find_free(dir, true);
        if (!place)
                place = find_free(dir, false);
        if (!place) {
                error_set(err, ERR_NO_SPACE, "All %d ranges of user ids are taken by other daemons or by /etc/subuid", PLACES);
                return error_hint(err, "\"ls %s\" shows the daemons; shorten the ranges in /etc/subuid and /etc/subgid", CLAIMS_DIR);
        }
        r = write_owner(dir, place, s->did);
        if (r < 0)
                return error_set_errno(err, r, "Claiming a range of user ids in \"%s\"", CLAIMS_DIR);
        s->idmap_base = (uint32_t)place_base(place);
        return 0;
}
