/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What mmdebstrap and apt say, turned into a stage with a percentage and, when they fail, into one sentence.
 * Pure: lines in, words out.
 */
#pragma once

#include "base/error.h"

enum build_stage {
        BUILD_RESOLVE,
        BUILD_DOWNLOAD,
        BUILD_UNPACK,
        BUILD_CONFIGURE,
        BUILD_SQUASH,
        _BUILD_STAGE_MAX
};
const char *build_stage_name(enum build_stage stage);

struct build_watch {
        enum build_stage stage;
        unsigned n_packages; /* of all apt runs so far */
        unsigned n_fetched;
        unsigned n_configured;
        enum error_code code; /* the most telling complaint so far, ERR_NONE: none */
        char *complaint;      /* owned; apt's own line */
};

void build_watch_done(struct build_watch *w);
void build_watch_line(struct build_watch *w, const char *line);
int build_watch_percent(const struct build_watch *w); /* of the stage */
/* The sentence for a build that failed; the negative errno of its code. */
int build_watch_failed(const struct build_watch *w, const char *image, struct error *err);
