/* SPDX-License-Identifier: Apache-2.0 */
#include "instances/files.h"
#include "base/alloc.h"
#include "base/names.h"
#include "base/units.h"

#include <stdio.h>
#include <time.h>

#define ID_MAX UINT32_C(0xfffffffe)

int file_path_of_request(struct request *req, char **ret, struct error *err)
{
        const char *path = request_query(req, "path");
        if (str_empty(path))
                return error_set(err, ERR_BAD_REQUEST, "The query parameter \"path\" is missing");
        _cleanup_free_ char *absolute = *path == '/' ? xstrdup(path) : xasprintf("/%s", path);
        int r = name_check_path(absolute, err);
        if (r >= 0)
                *ret = TAKE_PTR(absolute);
        return r;
}

int file_parse_mode(const char *text, int *ret, struct error *err)
{
        char *end = NULL;
        *ret = -1;
        if (str_empty(text))
                return 0;
        bool is_octal = *text == '0';
        const char *digits = str_starts(text, "0o") ? text + 2 : text;
        long mode = *digits >= '0' && *digits <= '9' ? strtol(digits, &end, is_octal ? 8 : 10) : -1;
        if (!end || *end || mode < 0 || mode > 07777)
                return error_set(err, ERR_BAD_REQUEST, "X-LXD-mode: \"%s\" is not a mode like 0644", text);
        *ret = (int)mode;
        return 0;
}

static const char *header_of(struct request *req, const char *name)
{
        char lower[32];
        size_t n = strlen(name);
        assert(n < sizeof lower);
        for (size_t i = 0; i <= n; i++)
                lower[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] - 'A' + 'a') : name[i];
        return request_header(req, lower);
}

/* -1, as some clients send it, means the same as no header. */
static int add_id(struct request *req, const char *header, const char *key, struct json_object *into,
                  struct error *err)
{
        uint64_t id;
        const char *text = header_of(req, header);
        if (str_empty(text) || streq(text, "-1"))
                return 0;
        if (units_parse_uint(text, ID_MAX, &id) < 0)
                return error_set(err, ERR_BAD_REQUEST, "%s: \"%s\" is not a number from 0 to %u", header,
                                 text, ID_MAX);
        json_set_int(into, key, (int64_t)id);
        return 0;
}

static int add_word(struct request *req, const char *header, const char *key, const char *const *allowed,
                    struct json_object *into, struct error *err)
{
        const char *text = header_of(req, header);
        if (str_empty(text))
                text = allowed[0];
        for (; *allowed; allowed++)
                if (streq(text, *allowed)) {
                        json_set_string(into, key, text);
                        return 0;
                }
        return error_set(err, ERR_BAD_REQUEST, "%s: \"%s\" is not known", header, text);
}

int file_put_args(struct request *req, struct json_object *into, struct error *err)
{
        static const char *const types[] = { "file", "directory", "symlink", NULL };
        static const char *const writes[] = { "overwrite", "append", NULL };
        int mode;
        int r = add_id(req, "X-LXD-uid", "uid", into, err);
        if (r >= 0)
                r = add_id(req, "X-LXD-gid", "gid", into, err);
        if (r >= 0)
                r = file_parse_mode(request_header(req, "x-lxd-mode"), &mode, err);
        if (r >= 0)
                r = add_word(req, "X-LXD-type", "type", types, into, err);
        if (r >= 0)
                r = add_word(req, "X-LXD-write", "write", writes, into, err);
        if (r >= 0 && mode >= 0)
                json_set_int(into, "mode", mode);
        return r;
}

/* HTTP's way of writing a time, and Go's, which is what LXD's own header has. */
static void reply_modified(struct request *req, int64_t seconds)
{
        char text[64];
        struct tm tm;
        time_t t = (time_t)seconds;
        if (gmtime_r(&t, &tm) && strftime(text, sizeof text, "%a, %d %b %Y %H:%M:%S GMT", &tm))
                reply_header(req, "Last-Modified", text);
        if (gmtime_r(&t, &tm) && strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S +0000 UTC", &tm))
                reply_header(req, "X-LXD-modified", text);
}

void file_reply_headers(struct request *req, struct json_object *result)
{
        char number[32];
        snprintf(number, sizeof number, "%lld", (long long)json_get_int(result, "uid", 0));
        reply_header(req, "X-LXD-uid", number);
        snprintf(number, sizeof number, "%lld", (long long)json_get_int(result, "gid", 0));
        reply_header(req, "X-LXD-gid", number);
        snprintf(number, sizeof number, "%04o", (unsigned)json_get_int(result, "mode", 0) & 07777);
        reply_header(req, "X-LXD-mode", number);
        reply_header(req, "X-LXD-type", json_get_string(result, "type", "file"));
        if (json_has(result, "modified"))
                reply_modified(req, json_get_int(result, "modified", 0));
}
