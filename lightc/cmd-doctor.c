/* SPDX-License-Identifier: Apache-2.0 */
#include "lightc/doctor.h"
#include "lightc/output.h"

static const char *const verdicts[] = { [VERDICT_OK] = "ok", [VERDICT_WARN] = "warn", [VERDICT_FAIL] = "fail" };

static void add(struct json_object *list, const struct check *check, struct finding *f)
{
        struct json_object *o = json_object_new_object();
        json_set_string(o, "status", verdicts[f->verdict]);
        json_set_string(o, "check", check->name);
        json_set_string(o, "subject", f->subject);
        json_set_string(o, "means", check->means);
        json_set_string(o, "found", strbuf_str(&f->found));
        json_set_string(o, "fix", strbuf_str(&f->fix));
        json_object_array_add(list, o);
        finding_done(f);
}

static void examine(const struct doctor *d, const struct check *rows, struct json_object *list)
{
        for (; rows->name; rows++) {
                if (rows->look) {
                        struct finding f = { 0 };
                        rows->look(d, &f);
                        add(list, rows, &f);
                        continue;
                }
                for (size_t k = 0;; k++) {
                        struct finding f = { 0 };
                        if (!rows->look_each(d, k, &f))
                                break;
                        add(list, rows, &f);
                }
        }
}

static size_t count(struct json_object *list, enum verdict verdict)
{
        size_t n = 0;
        for (size_t i = 0; i < json_object_array_length(list); i++)
                n += streq(json_get_string(json_object_array_get_idx(list, i), "status", ""), verdicts[verdict]);
        return n;
}

static void show(struct json_object *list)
{
        for (size_t i = 0; i < json_object_array_length(list); i++) {
                struct json_object *o = json_object_array_get_idx(list, i);
                const char *fix = json_get_string(o, "fix", ""), *subject = json_get_string(o, "subject", "");
                output_line("%-4s  %-14s %s%s%s", json_get_string(o, "status", ""), json_get_string(o, "check", ""), subject,
                            *subject ? ": " : "", json_get_string(o, "found", ""));
                if (*fix)
                        output_line("      %-14s   to mend it: %s", "", fix);
        }
        output_line("%zu ok, %zu to look at, %zu failed", count(list, VERDICT_OK), count(list, VERDICT_WARN),
                    count(list, VERDICT_FAIL));
}

static int run(struct client *c, const struct args *a, struct error *err)
{
        static const struct check *const tables[] = { doctor_kernel_checks, doctor_limit_checks,  doctor_host_checks,
                                                      doctor_room_checks,   doctor_mirror_checks, doctor_daemon_checks };
        static const struct column columns[] = {
                { .header = "STATUS", .key = "status", .cell = cell_upper },
                { .header = "CHECK", .key = "check" },
                { .header = "SUBJECT", .key = "subject" },
                { .header = "FOUND", .key = "found" },
                { .header = "FIX", .key = "fix" },
        };
        _cleanup_json_ struct json_object *list = json_object_new_array();
        struct doctor d;
        int r = 0;
        doctor_init(&d, c);
        for (size_t i = 0; i < ARRAY_SIZE(tables); i++)
                examine(&d, tables[i], list);
        doctor_done(&d);
        if (args_has(a, "format"))
                r = output_list(a, list, columns, ARRAY_SIZE(columns), 0, err);
        else
                show(list);
        return r ? r : count(list, VERDICT_FAIL) ? STATUS_FAILED : STATUS_OK;
}

static const struct option options[] = { OPTION_FORMAT, { 0 } };

const struct command cmd_doctor = {
        .path = "doctor",
        .summary = "Look whether this host has what containers need",
        .options = options,
        .run = run,
        .example = "lightc doctor\nsudo lightc doctor --format json",
};
