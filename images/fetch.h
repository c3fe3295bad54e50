/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Images of a remote. The first request makes one (minutes), those that come meanwhile wait for the same,
 * later ones find it kept: a cached image without an alias whose update_source says where it is from.
 */
#pragma once

#include "images/image.h"
#include "images/remotes.h"
#include "server/operation.h"

/* r < 0: err says why. Exactly once, never before image_fetch() has returned. */
typedef void (*fetch_done_fn)(void *data, int r, struct object *image, struct error *err);
void image_fetch(struct server *s, const char *project, const struct recipe *recipe, struct operation *op,
                 fetch_done_fn done, void *data);
/* done follows with ERR_CANCELLED; the work ends too when nobody else waits. False: no request with this
 * data. */
bool image_fetch_cancel(struct server *s, void *data);
