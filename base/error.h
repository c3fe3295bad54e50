/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An error a person can read: a code the program acts on, one sentence, and a next step.
 *
 * Low layers return -errno and say nothing. The layer that knows the user's name for the thing takes a
 * `struct error *err` (which may be NULL) and sets it; it returns the negative errno of the code, so that a
 * failure is one line:  return error_set(err, ERR_NOT_FOUND, "Profile \"%s\" not found", name);
 * Rules for the sentence: the object in double quotes, what failed, why; no full stop, no errno number.
 */
#pragma once

#include "base/macros.h"

enum error_code {
        ERR_NONE = 0,
#define ERROR_CODE(name, reason, err, http, status, words) name,
#include "base/error-codes.def"
#undef ERROR_CODE
        _ERR_MAX,
};

struct error {
        enum error_code code;
        char *message; /* owned; the sentence */
        char *hint;    /* owned or NULL; what to do next */
        char *kind;    /* owned or NULL; which kind of object ("instance") */
        char *name;    /* owned or NULL; which one */
};

#define ERROR_INIT ((struct error){ 0 })
#define _cleanup_error_ _cleanup_(error_done)

void error_done(struct error *err);
void error_move(struct error *to, struct error *from);
void error_copy(struct error *to, const struct error *from); /* to may be NULL */

/* Sets code and sentence (an earlier content is replaced) and returns -errno of the code. err may be NULL. */
int error_set(struct error *err, enum error_code code, const char *fmt, ...) _printf_(3, 4);
/* The same with the words of an errno appended: "<sentence>: No space left on device". The code follows the errno; EMFILE has a hint. */
int error_set_errno(struct error *err, int r, const char *fmt, ...) _printf_(3, 4);
/* Puts "<prefix>: " before the sentence; returns the same negative errno as the code. */
int error_prefix(struct error *err, const char *fmt, ...) _printf_(2, 3);
int error_hint(struct error *err, const char *fmt, ...) _printf_(2, 3);
int error_object(struct error *err, const char *kind, const char *name);

const char *error_message(const struct error *err); /* never NULL */
int error_errno(enum error_code code);              /* negative */
int error_http_status(enum error_code code);
const char *error_reason(enum error_code code);
enum error_code error_code_from_errno(int r); /* r < 0 or > 0; unknown becomes ERR_INTERNAL */
enum error_code error_code_from_reason(const char *reason);
enum error_code error_code_from_http(int status);
