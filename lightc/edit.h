/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Letting a person change a text: from standard input when it is no terminal, in an editor otherwise. Knows files
 * and editors; nothing of what the text is.
 */
#pragma once

#include "base/error.h"
#include "base/json.h"
#include "lightc/client.h"

/* Runs VISUAL, EDITOR or the first of a few common ones on the file and waits. */
int edit_file(const char *path, struct error *err);
/*
 * A text in the editor, in a temporary file whose name ends in `suffix`. submit() gets it when it was changed; what it
 * refuses, with err, is offered to the editor again.
 */
int edit_text(const struct strbuf *before, const char *suffix,
              int (*submit)(const struct strbuf *text, void *data, struct error *err), void *data, struct error *err);
/*
 * The YAML form of o with a comment above, edited; *ret is the result, again without what is no string in
 * `string_maps`. What cannot be read back is offered to the editor again. submit() may refuse, with err: the same.
 */
int edit_object(struct json_object *o, const char *comment, int (*submit)(struct json_object *changed, void *data, struct error *err),
                void *data, struct error *err);
