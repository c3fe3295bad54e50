/* SPDX-License-Identifier: Apache-2.0 */
#include "lightc/operation.h"
#include "lightc/output.h"
#include "lightc/target.h"

/* --raw: the answer as it came, an error or not, JSON or not. */
static int query_raw(struct client *c, const struct request *req, struct error *err)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        int status = client_begin(c, req, err);
        if (status < 0)
                return status;
        int r = client_read_text(c, &b, err);
        if (r == 0)
                r = output_text(&b);
        return r < 0 ? r : status >= 400 ? STATUS_FAILED : 0;
}

static int run(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_json_ struct json_object *envelope = NULL, *done = NULL;
        const char *data = args_value(a, "data", NULL), *path;
        int r = target_strip(a->words[0], &path, err);
        if (r < 0)
                return r;
        if (path[0] != '/')
                return args_misuse(err, "The path \"%s\" must begin with a slash", path);
        static const char *const headers[] = { "Content-Type", "application/json", NULL };
        struct request req = { .method = args_value(a, "request", "GET"), .url = path, .data = data,
                               .n_data = data ? strlen(data) : 0, .headers = data ? headers : NULL };
        if (args_has(a, "raw"))
                return query_raw(c, &req, err);
        r = client_call(c, &req, &envelope, err);
        if (r < 0)
                return r;
        struct json_object *meta = NULL;
        json_object_object_get_ex(envelope, "metadata", &meta);
        if (args_has(a, "wait") && streq(json_get_string(envelope, "type", ""), "async")) {
                r = operation_wait(c, meta, path, &done, err);
                if (r < 0)
                        return r;
                meta = done;
        }
        if (!meta || (json_object_is_type(meta, json_type_object) && json_object_object_length(meta) == 0 &&
                      !streq(req.method, "GET")))
                return 0;
        return output_json(meta);
}

static const struct option options[] = {
        { .name = "data", .letter = 'd', .value = "json", .help = "Body to send" },
        { .name = "raw", .help = "Print the answer as it came" },
        { .name = "request", .letter = 'X', .value = "method", .help = "GET if nothing is said" },
        { .name = "wait", .help = "Wait for the operation the request begins" },
        { 0 },
};

const struct command cmd_query = {
        .path = "query",
        .summary = "Send a request of your own to the daemon's API",
        .args = (const struct arg[]){ { "[<remote>:]<API path>" }, { 0 } },
        .options = options,
        .run = run,
        .example = "lightc query /1.0/instances?recursion=1\nlightc query -X DELETE --wait /1.0/instances/c1",
};
