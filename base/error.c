/* SPDX-License-Identifier: Apache-2.0 */
#include "base/error.h"
#include "base/alloc.h"
#include "base/strbuf.h"

#include <errno.h>
#include <stdarg.h>
#include <sys/resource.h>

struct code_row {
        const char *reason;
        int err;
        int http;
        const char *words;
};

static const struct code_row rows[_ERR_MAX] = {
#define ERROR_CODE(name, reason, err, http, status, words) [name] = { reason, err, http, words },
#include "base/error-codes.def"
#undef ERROR_CODE
};

/* errnos the kernel gives that mean the same to a person as one of ours */
static const struct {
        int err;
        enum error_code code;
} synonyms[] = {
        { EPERM, ERR_FORBIDDEN },  { EDQUOT, ERR_NO_SPACE },       { ENOTDIR, ERR_BAD_REQUEST },
        { EISDIR, ERR_BAD_REQUEST }, { ENAMETOOLONG, ERR_BAD_REQUEST }, { ELOOP, ERR_BAD_REQUEST },
        { ENOTEMPTY, ERR_IN_USE }, { ENOSYS, ERR_UNSUPPORTED },    { ECONNREFUSED, ERR_UNAVAILABLE },
        { E2BIG, ERR_TOO_LARGE },
};

void error_done(struct error *err)
{
        free(err->message);
        free(err->hint);
        free(err->kind);
        free(err->name);
        *err = ERROR_INIT;
}

void error_move(struct error *to, struct error *from)
{
        if (to) {
                error_done(to);
                *to = *from;
                *from = ERROR_INIT;
        }
}

void error_copy(struct error *to, const struct error *from)
{
        if (!to)
                return;
        struct error copy = { from->code, xstrdup(from->message), xstrdup(from->hint), xstrdup(from->kind),
                              xstrdup(from->name) };
        error_done(to);
        *to = copy;
}

static void set_sentence(struct error *err, enum error_code code, const char *fmt, va_list ap, int errno_words)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        strbuf_addv(&b, fmt, ap);
        if (errno_words)
                strbuf_addf(&b, ": %s", strerror(errno_words));
        error_done(err);
        err->code = code;
        err->message = strbuf_take(&b);
}

int error_set(struct error *err, enum error_code code, const char *fmt, ...)
{
        if (err) {
                va_list ap;
                va_start(ap, fmt);
                set_sentence(err, code, fmt, ap, 0);
                va_end(ap);
        }
        return error_errno(code);
}

/* Wherever it is met, it is this process's own limit: base/limits.h has those of the kernel. */
static void hint_files(struct error *err)
{
        struct rlimit files = { 0 };
        getrlimit(RLIMIT_NOFILE, &files);
        error_hint(err, "lightd and its jobs may have %llu files open: set LimitNOFILE=1048576 in lightd.service "
                        "(systemctl edit lightd), or: ulimit -n 1048576 before lightd", (unsigned long long)files.rlim_cur);
}

int error_set_errno(struct error *err, int r, const char *fmt, ...)
{
        if (err) {
                va_list ap;
                va_start(ap, fmt);
                set_sentence(err, error_code_from_errno(r), fmt, ap, r < 0 ? -r : r);
                va_end(ap);
                if (r == -EMFILE || r == EMFILE)
                        hint_files(err);
        }
        return r < 0 ? r : -r;
}

int error_prefix(struct error *err, const char *fmt, ...)
{
        if (!err)
                return -EIO;
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        va_list ap;
        va_start(ap, fmt);
        strbuf_addv(&b, fmt, ap);
        va_end(ap);
        strbuf_addf(&b, ": %s", error_message(err));
        free(err->message);
        err->message = strbuf_take(&b);
        return error_errno(err->code);
}

int error_hint(struct error *err, const char *fmt, ...)
{
        if (!err)
                return -EIO;
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        va_list ap;
        va_start(ap, fmt);
        strbuf_addv(&b, fmt, ap);
        va_end(ap);
        free(err->hint);
        err->hint = strbuf_take(&b);
        return error_errno(err->code);
}

int error_object(struct error *err, const char *kind, const char *name)
{
        if (!err)
                return -EIO;
        free(err->kind);
        free(err->name);
        err->kind = xstrdup(kind);
        err->name = xstrdup(name);
        return error_errno(err->code);
}

const char *error_message(const struct error *err)
{
        if (err->message)
                return err->message;
        return err->code > ERR_NONE && err->code < _ERR_MAX ? rows[err->code].words : "Unknown error";
}

int error_errno(enum error_code code)
{
        return code > ERR_NONE && code < _ERR_MAX ? -rows[code].err : -EIO;
}

int error_http_status(enum error_code code)
{
        return code > ERR_NONE && code < _ERR_MAX ? rows[code].http : 500;
}

const char *error_reason(enum error_code code)
{
        return code > ERR_NONE && code < _ERR_MAX ? rows[code].reason : "internal";
}

enum error_code error_code_from_errno(int r)
{
        int e = r < 0 ? -r : r;
        for (enum error_code c = ERR_NONE + 1; c < _ERR_MAX; c++)
                if (rows[c].err == e)
                        return c;
        for (size_t i = 0; i < ARRAY_SIZE(synonyms); i++)
                if (synonyms[i].err == e)
                        return synonyms[i].code;
        return ERR_INTERNAL;
}

enum error_code error_code_from_reason(const char *reason)
{
        for (enum error_code c = ERR_NONE + 1; c < _ERR_MAX; c++)
                if (streq(rows[c].reason, reason))
                        return c;
        return ERR_INTERNAL;
}

enum error_code error_code_from_http(int status)
{
        for (enum error_code c = ERR_NONE + 1; c < _ERR_MAX; c++)
                if (rows[c].http == status)
                        return c;
        return ERR_INTERNAL;
}
