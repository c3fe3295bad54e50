/* SPDX-License-Identifier: Apache-2.0 */
#include "lightc/client.h"
#include "api/uri.h"
#include "base/alloc.h"
#include "base/time.h"
#include "lightc/debug.h"

#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <stdio.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static char *find_socket(void)
{
        const char *path;
        if ((path = getenv("LIGHTD_SOCKET")) && *path)
                return xstrdup(path);
        if ((path = getenv("LIGHTD_DIR")) && *path)
                return xasprintf("%s/unix.socket", path);
        if ((path = getenv("LXD_SOCKET")) && *path)
                return xstrdup(path);
        if ((path = getenv("LXD_DIR")) && *path)
                return xasprintf("%s/unix.socket", path);
        return xstrdup("/var/lib/lightd/unix.socket");
}

void client_init(struct client *c)
{
        const char *project = getenv("LIGHTC_PROJECT");
        *c = (struct client){ .fd = -EBADF, .socket_path = find_socket() };
        c->project = str_empty(project) ? NULL : project;
}

void client_disconnect(struct client *c)
{
        if (c->fd >= 0)
                http_parser_done(&c->parser);
        fd_reset(&c->fd);
        c->n_pos = 0;
}

void client_done(struct client *c)
{
        client_disconnect(c);
        json_object_put(c->server);
        free(c->input);
        free(c->etag);
        free(c->socket_path);
        *c = (struct client){ .fd = -EBADF };
}

/* Why a socket that exists says EACCES: not in its group at all, or put there after this session began. */
static int refuse_permission(const struct client *c, struct error *err)
{
        struct stat st;
        struct passwd *me = getpwuid(geteuid());
        errno = 0;
        struct group *g = stat(c->socket_path, &st) == 0 ? getgrgid(st.st_gid) : NULL;
        bool is_behind_dir = !g && errno == EACCES;
        int r = error_set(err, ERR_FORBIDDEN, "You are not allowed to use the daemon's socket \"%s\"", c->socket_path);
        if (is_behind_dir) { /* the directory: a state directory of one's own with mode 0700 */
                error_hint(err, "its directory lets only its owner in: try again as root, or LIGHTD_SOCKET names another socket");
                return r;
        }
        if (!g || g->gr_gid == 0) {
                error_hint(err, "only root may use it: try again as root");
                return r;
        }
        for (char **m = g->gr_mem; me && *m; m++)
                if (streq(*m, me->pw_name)) {
                        error_hint(err, "you are in the group \"%s\", but this session began before that: log in again",
                                   g->gr_name);
                        return r;
                }
        error_hint(err, "join the group \"%s\" (as root: usermod -aG %s %s) and log in again", g->gr_name, g->gr_name,
                   me ? me->pw_name : "<user>");
        return r;
}

int client_connect(const struct client *c, struct error *err)
{
        int fd = fd_unix_connect(c->socket_path, SOCK_STREAM), r;
        if (fd >= 0)
                return fd;
        if (fd == -EACCES || fd == -EPERM)
                return refuse_permission(c, err);
        if (fd == -ENOENT || fd == -ENOTDIR)
                r = error_set(err, ERR_UNAVAILABLE, "The daemon is not running: there is no socket \"%s\"",
                              c->socket_path);
        else if (fd == -ECONNREFUSED)
                r = error_set(err, ERR_UNAVAILABLE, "The daemon is not running: nobody answers at \"%s\"",
                              c->socket_path);
        else
                return error_set_errno(err, fd, "Cannot reach the daemon at \"%s\"", c->socket_path);
        error_hint(err, "start it with \"systemctl start lightd\"; LIGHTD_SOCKET names another socket");
        return r;
}

/* "/1.0/…" */
char *client_url(const struct client *c, const char *query, ...)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        const char *segment;
        va_list ap;
        strbuf_adds(&b, "/1.0");
        va_start(ap, query);
        while ((segment = va_arg(ap, const char *))) {
                strbuf_addc(&b, '/');
                uri_encode(&b, segment);
        }
        va_end(ap);
        return client_url_of(c, strbuf_str(&b), query);
}

char *client_url_of(const struct client *c, const char *path, const char *query)
{
        char *url = query ? xasprintf("%s?%s", path, query) : xstrdup(path);
        if (c->project)
                client_url_add(&url, "project", c->project);
        return url;
}

void client_url_add(char **url, const char *key, const char *value)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        strbuf_adds(&b, *url);
        strbuf_addc(&b, strchr(*url, '?') ? '&' : '?');
        strbuf_adds(&b, key);
        strbuf_addc(&b, '=');
        uri_encode(&b, value);
        free(*url);
        *url = strbuf_take(&b);
}

static int open_connection(struct client *c, struct error *err)
{
        if (c->fd >= 0)
                return 0;
        int fd = client_connect(c, err);
        if (fd < 0)
                return fd;
        c->fd = fd;
        c->n_pos = 0;
        if (!c->input)
                c->input = xmalloc(CLIENT_IO_SIZE);
        http_parser_init_response(&c->parser, false);
        return 0;
}

static int lost(struct client *c, int r, struct error *err)
{
        client_disconnect(c);
        if (r == -ECANCELED)
                return error_set(err, ERR_CANCELLED, "Interrupted");
        if (r == -EPIPE || r == -ECONNRESET || r == -ENODATA) {
                r = error_set(err, ERR_UNAVAILABLE, "The daemon closed the connection");
                error_hint(err, "it may be restarting: try again in a moment");
                return r;
        }
        return error_set_errno(err, r, "The connection to the daemon failed");
}

/* Waits for the answer's next bytes, ticking. 0, -ECANCELED when the tick says so, or -errno. */
static int wait_readable(struct client *c)
{
        for (;;) {
                struct pollfd p = { .fd = c->fd, .events = POLLIN };
                int n = poll(&p, 1, c->tick ? c->tick->interval_ms : -1);
                if (n > 0)
                        return 0;
                if (n < 0 && errno != EINTR)
                        return -errno;
                if (c->tick && c->tick->fn(c->tick->data) < 0)
                        return -ECANCELED;
        }
}

static int fill(struct client *c)
{
        int r = c->tick ? wait_readable(c) : 0;
        if (r < 0)
                return r;
        for (;;) {
                ssize_t n = read(c->fd, c->input, CLIENT_IO_SIZE);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                c->pos = c->input;
                c->n_pos = (size_t)n;
                return n > 0;
        }
}

/* The next event that is not HTTP_MORE, or -errno. */
static int next_event(struct client *c)
{
        for (;;) {
                enum http_event e = http_parser_next(&c->parser, &c->pos, &c->n_pos);
                if (e != HTTP_MORE)
                        return (int)e;
                int r = fill(c);
                if (r < 0)
                        return r;
                if (r == 0) {
                        e = http_parser_close(&c->parser);
                        return e == HTTP_END ? (int)e : -ENODATA;
                }
        }
}

static bool has_early_answer(const struct client *c)
{
        struct pollfd p = { .fd = c->fd, .events = POLLIN };
        return poll(&p, 1, 0) > 0;
}

static void report_sent(const struct request *req, uint64_t total)
{
        if (req->sent)
                req->sent(req->sent_data, total);
}

/* 1: the server answered before it had everything. The kernel moves the bytes; they never come here. */
static int send_file(struct client *c, const struct request *req)
{
        uint64_t total = 0, length = (uint64_t)req->length;
        while (total < length) {
                ssize_t n = sendfile(c->fd, req->fd, NULL, MIN(length - total, CLIENT_IO_SIZE));
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0)
                        return -EIO; /* it became shorter while we read it: the body cannot be completed */
                total += (uint64_t)n;
                report_sent(req, total);
                if (total < length && has_early_answer(c))
                        return 1;
        }
        return 0;
}

static int send_chunks(struct client *c, const struct request *req)
{
        _cleanup_free_ char *buf = xmalloc(CLIENT_IO_SIZE);
        uint64_t total = 0;
        for (;;) {
                _cleanup_strbuf_ struct strbuf frame = STRBUF_INIT;
                ssize_t n = read(req->fd, buf, CLIENT_IO_SIZE);
                if (n < 0 && errno == EINTR)
                        continue;
                if (n < 0)
                        return -errno;
                if (n == 0) {
                        http_write_last_chunk(&frame);
                        return fd_write_all(c->fd, frame.data, frame.len);
                }
                http_write_chunk_begin(&frame, (size_t)n);
                int r = fd_write_all(c->fd, frame.data, frame.len);
                strbuf_clear(&frame);
                http_write_chunk_end(&frame);
                if (r == 0)
                        r = fd_write_all(c->fd, buf, (size_t)n);
                if (r == 0)
                        r = fd_write_all(c->fd, frame.data, frame.len);
                if (r < 0)
                        return r;
                report_sent(req, total += (uint64_t)n);
                if (has_early_answer(c))
                        return 1;
        }
}

static void write_head(const struct request *req, size_t n_body, struct strbuf *out)
{
        http_write_request(out, req->method, req->url, "lightd");
        http_write_header(out, "User-Agent", "lightc/" LIGHTVISOR_VERSION);
        for (const char *const *h = req->headers; h && *h; h += 2)
                http_write_header(out, h[0], h[1]);
        if (req->json)
                http_write_header(out, "Content-Type", "application/json");
        if (req->is_upload && req->length < 0)
                http_write_chunked(out);
        else if (req->is_upload || n_body || !streq(req->method, "GET"))
                http_write_length(out, req->is_upload ? (uint64_t)req->length : n_body);
        http_write_end(out);
}

static void show_request(const struct client *c, const struct request *req, const char *body, size_t n)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        if (!c->is_debug)
                return;
        strbuf_addf(&b, "> %s ", req->method);
        debug_add_url(&b, req->url);
        strbuf_addc(&b, '\n');
        if (n) {
                debug_add_body(&b, body, n);
                strbuf_addc(&b, '\n');
        }
        fputs(strbuf_str(&b), stderr);
}

static void show_status(const struct client *c, const struct request *req, int status, uint64_t ms)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        if (!c->is_debug)
                return;
        strbuf_addf(&b, "< %d %s ", status, req->method);
        debug_add_url(&b, req->url);
        fprintf(stderr, "%s (%llu ms)\n", strbuf_str(&b), (unsigned long long)ms);
}

static void show_answer(const struct client *c, const struct strbuf *text)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        if (!c->is_debug || !text->len)
                return;
        debug_add_body(&b, text->data, text->len);
        fprintf(stderr, "%s\n", strbuf_str(&b));
}

static int send_request(struct client *c, const struct request *req)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        const char *body = req->json ? json_text(req->json) : req->data;
        size_t n_body = req->json ? strlen(body) : req->n_data;
        write_head(req, n_body, &b);
        strbuf_add(&b, body, n_body);
        show_request(c, req, body, n_body);
        int r = fd_write_all(c->fd, b.data, b.len);
        if (r < 0 || !req->is_upload)
                return r;
        return req->length < 0 ? send_chunks(c, req) : send_file(c, req);
}

static int read_head(struct client *c)
{
        int e = next_event(c);
        if (e == HTTP_HEAD)
                return c->parser.head.status;
        return e < 0 ? e : -EBADMSG;
}

int client_begin(struct client *c, const struct request *req, struct error *err)
{
        uint64_t started = time_monotonic_ms();
        int r = open_connection(c, err);
        if (r < 0)
                return r;
        int sent = send_request(c, req);
        if (sent < 0 && sent != -EPIPE && sent != -ECONNRESET)
                return lost(c, sent, err);
        /* A server that refuses an upload answers and closes: its answer says more than our EPIPE. */
        r = read_head(c);
        if (r < 0)
                return lost(c, r, err);
        if (sent != 0)
                c->parser.head.is_keep_alive = false;
        free(c->etag);
        c->etag = xstrdup(http_header(&c->parser, "etag"));
        show_status(c, req, r, time_monotonic_ms() - started);
        return r;
}

static void end_answer(struct client *c)
{
        if (!c->parser.head.is_keep_alive)
                fd_reset(&c->fd), http_parser_done(&c->parser);
}

int client_read_body(struct client *c, int (*sink)(void *data, const char *bytes, size_t n), void *data,
                     struct error *err)
{
        for (;;) {
                int e = next_event(c);
                if (e < 0)
                        return lost(c, e, err);
                if (e == HTTP_BAD)
                        return lost(c, -EBADMSG, err);
                if (e == HTTP_END)
                        break;
                int r = sink(data, c->parser.body, c->parser.body_len);
                if (r < 0) {
                        client_disconnect(c);
                        return r;
                }
        }
        end_answer(c);
        return 0;
}

static int add_text(void *data, const char *bytes, size_t n)
{
        struct strbuf *b = data;
        strbuf_add(b, bytes, n);
        return b->is_over ? -EFBIG : 0;
}

int client_read_text(struct client *c, struct strbuf *out, struct error *err)
{
        out->max = CLIENT_ANSWER_MAX;
        int r = client_read_body(c, add_text, out, err);
        if (r == -EFBIG && out->is_over)
                return error_set(err, ERR_TOO_LARGE, "The daemon's answer is larger than 256 MiB");
        if (r == 0)
                show_answer(c, out);
        return r;
}

const char *client_header(const struct client *c, const char *name)
{
        return http_header(&c->parser, name);
}

static int read_envelope(struct client *c, struct json_object **ret, struct error *err)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        int r = client_read_text(c, &b, err);
        if (r < 0)
                return r;
        r = json_parse_max(strbuf_str(&b), b.len, CLIENT_ANSWER_MAX, ret, err);
        if (r < 0)
                return error_prefix(err, "The daemon's answer cannot be read");
        return 0;
}

/* What the envelope says, with its hint; the code comes from its reason or, from an LXD, its number. */
static int take_error(struct json_object *envelope, int status, struct error *err)
{
        struct json_object *meta = json_get_object(envelope, "metadata");
        const char *reason = json_get_string(meta, "reason", NULL);
        const char *sentence = json_get_string(envelope, "error", NULL), *hint = json_get_string(meta, "hint", NULL);
        enum error_code code = reason ? error_code_from_reason(reason) : ERR_NONE;
        if (code == ERR_NONE)
                code = error_code_from_http(status);
        if (code == ERR_NONE)
                code = ERR_INTERNAL;
        int r = str_empty(sentence) ? error_set(err, code, "The daemon answered with status %d", status)
                                    : error_set(err, code, "%s", sentence);
        if (!str_empty(hint))
                error_hint(err, "%s", hint);
        return r;
}

int client_read_error(struct client *c, int status, struct error *err)
{
        _cleanup_json_ struct json_object *envelope = NULL;
        int r = read_envelope(c, &envelope, err);
        return r < 0 ? r : take_error(envelope, status, err);
}

int client_call(struct client *c, const struct request *req, struct json_object **ret, struct error *err)
{
        _cleanup_json_ struct json_object *envelope = NULL;
        int status = client_begin(c, req, err);
        if (status < 0)
                return status;
        int r = read_envelope(c, &envelope, err);
        if (r < 0)
                return r;
        if (status >= 400 || streq(json_get_string(envelope, "type", ""), "error"))
                return take_error(envelope, status, err);
        if (ret)
                *ret = TAKE_PTR(envelope);
        return 0;
}

int client_get(struct client *c, const char *url, struct json_object **ret, struct error *err)
{
        _cleanup_json_ struct json_object *envelope = NULL;
        struct request req = { .method = "GET", .url = url };
        struct json_object *meta = NULL;
        int r = client_call(c, &req, &envelope, err);
        if (r < 0)
                return r;
        if (envelope && json_object_object_get_ex(envelope, "metadata", &meta))
                *ret = json_object_get(meta);
        else
                *ret = NULL;
        return 0;
}

int client_put(struct client *c, const char *method, const char *url, struct json_object *body, const char *etag,
               struct error *err)
{
        const char *const headers[] = { etag ? "If-Match" : NULL, etag, NULL };
        struct request req = { .method = method, .url = url, .json = body, .headers = headers };
        return client_call(c, &req, NULL, err);
}

int client_server(struct client *c, struct json_object **ret, struct error *err)
{
        if (!c->server) {
                _cleanup_free_ char *url = client_url(c, NULL, NULL);
                int r = client_get(c, url, &c->server, err);
                if (r < 0)
                        return r;
        }
        *ret = c->server;
        return 0;
}

bool client_has_extension(struct client *c, const char *name)
{
        struct json_object *server = NULL;
        if (client_server(c, &server, NULL) < 0)
                return false;
        struct json_object *list = json_get_array(server, "api_extensions");
        for (size_t i = 0; list && i < json_object_array_length(list); i++)
                if (streq(json_object_get_string(json_object_array_get_idx(list, i)), name))
                        return true;
        return false;
}
