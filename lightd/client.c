/* SPDX-License-Identifier: Apache-2.0 */
/* The daemon's own commands as its client: one request per connection, which is all they need. */
#include "lightd/commands.h"
#include "lightd/places.h"
#include "api/http.h"
#include "base/alloc.h"
#include "base/fd.h"

#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MAX MiB(16)

static int connect_daemon(struct error *err)
{
        _cleanup_free_ char *path = xasprintf("%s/unix.socket", places_dir());
        int fd = fd_unix_connect(path, SOCK_STREAM);
        if (fd >= 0)
                return fd;
        if (fd == -EACCES || fd == -EPERM) {
                error_set(err, ERR_FORBIDDEN, "You are not allowed to use the daemon's socket \"%s\"", path);
                error_hint(err, "Run it as root, or join the socket's group: usermod -aG lightd $USER");
        } else if (fd == -ENOENT || fd == -ENOTDIR || fd == -ECONNREFUSED) {
                error_set(err, ERR_UNAVAILABLE, "The daemon is not running: %s \"%s\"",
                          fd == -ECONNREFUSED ? "nobody answers at" : "there is no socket", path);
                error_hint(err, "Start it: systemctl start lightd (or: lightd --debug)");
        } else {
                error_set_errno(err, fd, "Cannot reach the daemon at \"%s\"", path);
        }
        return fd;
}

static int send_request(int fd, const struct daemon_request *q)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        const char *text = q->body ? json_text(q->body) : "";
        http_write_request(&b, q->method, q->path, "lightd");
        http_write_header(&b, "Content-Type", "application/json");
        if (q->if_match)
                http_write_header(&b, "If-Match", q->if_match);
        http_write_length(&b, strlen(text));
        http_write_end(&b);
        strbuf_adds(&b, text);
        return fd_write_all(fd, b.data, b.len);
}

static int read_answer(int fd, struct strbuf *body, char **ret_etag)
{
        struct http_parser p;
        char buffer[16384];
        enum http_event e = HTTP_MORE;
        http_parser_init_response(&p, false);
        while (e != HTTP_END && e != HTTP_BAD && body->len < ANSWER_MAX) {
                ssize_t k = read(fd, buffer, sizeof buffer);
                if (k <= 0)
                        break;
                const char *data = buffer;
                size_t n = (size_t)k;
                while ((e = http_parser_next(&p, &data, &n)) != HTTP_MORE && e != HTTP_END && e != HTTP_BAD)
                        if (e == HTTP_BODY)
                                strbuf_add(body, p.body, p.body_len);
        }
        if (e == HTTP_END && ret_etag)
                *ret_etag = xstrdup(http_header(&p, "etag"));
        http_parser_done(&p);
        return e == HTTP_END ? 0 : -EPROTO;
}

static int exchange(const struct daemon_request *q, struct json_object **ret, char **ret_etag, struct error *err)
{
        _cleanup_strbuf_ struct strbuf answer = STRBUF_INIT;
        _cleanup_close_ int fd = connect_daemon(err);
        if (fd < 0)
                return fd;
        int r = send_request(fd, q);
        if (r >= 0)
                r = read_answer(fd, &answer, ret_etag);
        if (r < 0)
                return error_set_errno(err, r, "%s %s: the daemon ended the connection", q->method, q->path);
        return json_parse(strbuf_str(&answer), answer.len, ret, err);
}

static int from_error_answer(struct json_object *answer, struct error *err)
{
        struct json_object *m = json_get_object(answer, "metadata");
        const char *hint = json_get_string(m, "hint", "");
        enum error_code code = error_code_from_reason(json_get_string(m, "reason", "internal"));
        error_set(err, code, "%s", json_get_string(answer, "error", "no reason given"));
        if (!str_empty(hint))
                error_hint(err, "%s", hint);
        return error_errno(code);
}

static int wait_for(const char *operation, struct error *err)
{
        _cleanup_json_ struct json_object *answer = NULL;
        _cleanup_free_ char *path = xasprintf("%s/wait", operation);
        int r = exchange(&(struct daemon_request){ .method = "GET", .path = path }, &answer, NULL, err);
        if (r < 0)
                return r;
        struct json_object *op = json_get_object(answer, "metadata");
        if (json_get_int(op, "status_code", 0) == 200)
                return 0;
        return error_set(err, ERR_INTERNAL, "%s", json_get_string(op, "err", "the operation failed"));
}

int daemon_call(const char *method, const char *path, struct json_object *body, struct json_object **ret_metadata,
                struct error *err)
{
        return daemon_ask(&(struct daemon_request){ .method = method, .path = path, .body = body }, ret_metadata, NULL, err);
}

int daemon_ask(const struct daemon_request *q, struct json_object **ret_metadata, char **ret_etag, struct error *err)
{
        _cleanup_json_ struct json_object *answer = NULL;
        _cleanup_free_ char *etag = NULL;
        int r = exchange(q, &answer, &etag, err);
        if (r < 0)
                return r;
        const char *type = json_get_string(answer, "type", "");
        if (streq(type, "error"))
                return from_error_answer(answer, err);
        if (streq(type, "async"))
                return wait_for(json_get_string(answer, "operation", ""), err);
        struct json_object *m = NULL;
        json_object_object_get_ex(answer, "metadata", &m);
        if (ret_metadata)
                *ret_metadata = json_object_get(m);
        if (ret_etag)
                *ret_etag = TAKE_PTR(etag);
        return 0;
}

int command_failed(const struct error *err)
{
        fprintf(stderr, "Error: %s\n", error_message(err));
        if (err->hint)
                fprintf(stderr, "%s\n", err->hint);
        return 1;
}
