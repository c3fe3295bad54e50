/* SPDX-License-Identifier: Apache-2.0 */
/* The room: where the daemon keeps its state, and each storage pool. */
#include "lightc/doctor.h"

#include <stdio.h>
#include <sys/statvfs.h>

void doctor_judge_room(struct finding *f, double free_bytes, bool has_inodes, unsigned long long free_inodes)
{
        double gib = free_bytes / (double)GiB(1);
        if (gib < 0.5 || (has_inodes && free_inodes < 10000))
                finding_set(f, VERDICT_FAIL, "%.1f GiB and %llu files are free", gib, free_inodes);
        else if (gib < 3 || (has_inodes && free_inodes < 100000))
                finding_set(f, VERDICT_WARN, "%.1f GiB and %llu files are free: an image and its containers may not fit", gib, free_inodes);
        else if (has_inodes)
                finding_set(f, VERDICT_OK, "%.1f GiB and %llu files are free", gib, free_inodes);
        else
                finding_set(f, VERDICT_OK, "%.1f GiB are free", gib);
}

static void look_disk(const struct doctor *d, struct finding *f)
{
        struct statvfs st;
        snprintf(f->subject, sizeof f->subject, "%s", d->state_dir);
        if (statvfs(d->state_dir, &st) < 0) {
                finding_set(f, VERDICT_WARN, "it cannot be looked at: %s", strerror(errno));
                finding_fix(f, "ls -ld %s", d->state_dir);
                return;
        }
        doctor_judge_room(f, (double)st.f_bavail * (double)st.f_frsize, st.f_files > 0, st.f_favail);
        if (f->verdict != VERDICT_OK)
                finding_fix(f, "lightc image list, lightc image delete …; or move %s to a larger disk", d->state_dir);
}

static bool look_pool(const struct doctor *d, size_t k, struct finding *f)
{
        if (!d->pools || k >= json_object_array_length(d->pools))
                return false;
        struct json_object *pool = json_object_array_get_idx(d->pools, k), *resources = json_get_object(pool, "resources");
        struct json_object *space = json_get_object(resources, "space"), *inodes = json_get_object(resources, "inodes");
        int64_t total = json_get_int(inodes, "total", 0);
        snprintf(f->subject, sizeof f->subject, "%s", json_get_string(pool, "name", ""));
        if (!space) {
                finding_set(f, VERDICT_WARN, "its room cannot be asked for");
                finding_fix(f, "lightc storage info %s", f->subject);
                return true;
        }
        doctor_judge_room(f, (double)(json_get_int(space, "total", 0) - json_get_int(space, "used", 0)), total > 0,
                          (unsigned long long)(total - json_get_int(inodes, "used", 0)));
        if (f->verdict != VERDICT_OK)
                finding_fix(f, "lightc delete what is not needed, or make a pool elsewhere: lightc storage create");
        return true;
}

const struct check doctor_room_checks[] = {
        { .name = "disk", .means = "room for the daemon's state", .look = look_disk },
        { .name = "pool", .means = "room for images and containers", .look_each = look_pool },
        { 0 },
};
