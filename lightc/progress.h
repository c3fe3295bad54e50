/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One changing line on a terminal's stderr that says what is going on. In a log (stderr is no terminal) nothing at
 * all, or one line per stage with --verbose: carriage returns do not belong into logs. Knows no operation.
 */
#pragma once

#include "base/macros.h"

struct progress {
        bool is_drawn, is_listed;
        bool has_line; /* something is on the terminal's line */
        unsigned turn; /* of the spinner */
        uint64_t started_ms, drawn_ms;
        char stage[64];
};

void progress_init(struct progress *p, bool is_quiet, bool is_verbose);
/* detail: "42% (10MB/s)", or NULL while nothing is known */
void progress_show(struct progress *p, const char *stage, const char *detail);
void progress_bytes(struct progress *p, const char *stage, uint64_t done, uint64_t total); /* total 0: not known */
void progress_clear(struct progress *p); /* takes the line away */
