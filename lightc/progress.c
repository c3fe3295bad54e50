/* SPDX-License-Identifier: Apache-2.0 */
#include "lightc/progress.h"
#include "base/strbuf.h"
#include "base/time.h"
#include "base/units.h"

#include <stdio.h>
#include <unistd.h>

#define DRAW_EVERY_MS 80
#define DRAW_AFTER_MS 100 /* what is done by then needs no progress */

void progress_init(struct progress *p, bool is_quiet, bool is_verbose)
{
        const char *term = getenv("TERM");
        *p = (struct progress){ .started_ms = time_monotonic_ms() };
        if (is_quiet)
                return;
        p->is_drawn = isatty(STDERR_FILENO) && !streq(term, "dumb");
        p->is_listed = !p->is_drawn && is_verbose;
}

static void list_stage(struct progress *p, const char *stage)
{
        if (strncmp(p->stage, stage, sizeof(p->stage) - 1) == 0)
                return;
        _cleanup_strbuf_ struct strbuf safe = STRBUF_INIT;
        snprintf(p->stage, sizeof(p->stage), "%s", stage);
        strbuf_add_printable(&safe, stage, strlen(stage), "");
        fprintf(stderr, "%s\n", strbuf_str(&safe));
}

void progress_show(struct progress *p, const char *stage, const char *detail)
{
        static const char spinner[] = "|/-\\";
        if (p->is_listed)
                list_stage(p, stage);
        if (!p->is_drawn)
                return;
        uint64_t now = time_monotonic_ms();
        if (p->has_line ? now - p->drawn_ms < DRAW_EVERY_MS : now - p->started_ms < DRAW_AFTER_MS)
                return;
        p->drawn_ms = now;
        p->has_line = true;
        /* A file's name is the guest's choice. */
        _cleanup_strbuf_ struct strbuf safe = STRBUF_INIT;
        strbuf_add_printable(&safe, stage, strlen(stage), "");
        fprintf(stderr, "\r\033[K%s%s%s %c", strbuf_str(&safe), detail ? ": " : "", detail ? detail : "", spinner[p->turn++ % 4]);
        fflush(stderr);
}

void progress_bytes(struct progress *p, const char *stage, uint64_t done, uint64_t total)
{
        char amount[32], speed[32], detail[96];
        if (!p->is_drawn && !p->is_listed)
                return;
        uint64_t ms = MAX(time_monotonic_ms() - p->started_ms, 1u);
        units_format_size(done, amount);
        units_format_size(done * 1000 / ms, speed);
        if (total)
                snprintf(detail, sizeof(detail), "%u%% of %s (%s/s)", (unsigned)(done * 100 / total),
                         units_format_size(total, (char[32]){ 0 }), speed);
        else
                snprintf(detail, sizeof(detail), "%s (%s/s)", amount, speed);
        progress_show(p, stage, detail);
}

void progress_clear(struct progress *p)
{
        if (p->has_line) {
                fputs("\r\033[K", stderr);
                fflush(stderr);
        }
        p->has_line = false;
}
