/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When an image was last used. Known at once, stored a minute later and for all images in one commit: a
 * launch waits for no disk on account of it. What a crash loses is a minute of this.
 */
#pragma once

#include "images/images.h"

extern const struct object_kind image_use_kind;

void image_use_register(struct server *s);
void image_note_use(struct server *s, const struct object *image);
int64_t image_last_used(struct server *s, const struct object *image); /* nanoseconds since 1970; 0: never */
