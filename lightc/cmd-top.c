/* SPDX-License-Identifier: Apache-2.0 */
/* top: what the running instances use, once a second on a terminal, once elsewhere. */
#include "base/alloc.h"
#include "base/time.h"
#include "lightc/client.h"
#include "lightc/output.h"
#include "lightc/table.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#define EVERY_MS 1000

static volatile sig_atomic_t is_interrupted;

static void on_signal(int sig _unused_)
{
        is_interrupted = 1;
}

/* ---- from two looks, the use between them ---- */

static int64_t traffic(struct json_object *state, const char *key)
{
        struct json_object *network = json_get_object(state, "network");
        int64_t sum = 0;
        if (!network)
                return 0;
        json_object_object_foreach(network, nic, o)
                if (!streq(nic, "lo"))
                        sum += json_get_int(json_get_object(o, "counters"), key, 0);
        return sum;
}

static struct json_object *find(struct json_object *list, const char *name)
{
        for (size_t i = 0; list && i < json_object_array_length(list); i++) {
                struct json_object *o = json_object_array_get_idx(list, i);
                if (streq(json_get_string(o, "name", ""), name))
                        return json_get_object(o, "state");
        }
        return NULL;
}

static int64_t cpu_ns(struct json_object *state)
{
        return json_get_int(json_get_object(state, "cpu"), "usage", 0);
}

/* Of one processor: two busy ones are 200. A counter that went back is that of a new start. */
static struct json_object *row(struct json_object *instance, struct json_object *before, int64_t ms)
{
        struct json_object *o = json_object_new_object(), *state = json_get_object(instance, "state");
        int64_t used = before ? MAX(cpu_ns(state) - cpu_ns(before), 0) : 0;
        json_set_string(o, "name", json_get_string(instance, "name", ""));
        json_set_int(o, "cpu_permille", ms > 0 ? used / 1000 / ms : 0);
        json_set_int(o, "memory", json_get_int(json_get_object(state, "memory"), "usage", 0));
        json_set_int(o, "processes", json_get_int(state, "processes", 0));
        json_set_int(o, "received",
                     before && ms > 0 ? MAX(traffic(state, "bytes_received") - traffic(before, "bytes_received"), 0) * 1000 / ms : 0);
        json_set_int(o, "sent",
                     before && ms > 0 ? MAX(traffic(state, "bytes_sent") - traffic(before, "bytes_sent"), 0) * 1000 / ms : 0);
        return o;
}

static int by_use(const void *a, const void *b)
{
        struct json_object *x = *(struct json_object *const *)a, *y = *(struct json_object *const *)b;
        int64_t d = json_get_int(y, "cpu_permille", 0) - json_get_int(x, "cpu_permille", 0);
        if (d == 0)
                d = json_get_int(y, "memory", 0) - json_get_int(x, "memory", 0);
        return d < 0 ? -1 : d > 0;
}

static struct json_object *rows(struct json_object *now, struct json_object *before, int64_t ms)
{
        struct json_object *list = json_object_new_array();
        for (size_t i = 0; i < json_object_array_length(now); i++) {
                struct json_object *o = json_object_array_get_idx(now, i);
                if (!streq(json_get_string(o, "status", ""), "Stopped"))
                        json_object_array_add(list, row(o, find(before, json_get_string(o, "name", "")), ms));
        }
        json_object_array_sort(list, by_use);
        return list;
}

/* ---- shown ---- */

static void cell_permille(struct json_object *item, const struct column *column, struct strbuf *out)
{
        int64_t n = json_get_int(item, column->key, 0);
        strbuf_addf(out, "%lld.%lld%%", (long long)(n / 10), (long long)(n % 10));
}

static void cell_size(struct json_object *item, const struct column *column, struct strbuf *out)
{
        output_size_binary(json_get_int(item, column->key, 0), out);
        if (column->param)
                strbuf_adds(out, column->param);
}

static void cell_number(struct json_object *item, const struct column *column, struct strbuf *out)
{
        strbuf_addf(out, "%lld", (long long)json_get_int(item, column->key, 0));
}

static const struct column columns[] = {
        { .header = "NAME", .key = "name" },
        { .header = "CPU", .key = "cpu_permille", .cell = cell_permille },
        { .header = "MEMORY", .key = "memory", .cell = cell_size },
        { .header = "PROCESSES", .key = "processes", .cell = cell_number },
        { .header = "RECEIVED", .key = "received", .cell = cell_size, .param = "/s" },
        { .header = "SENT", .key = "sent", .cell = cell_size, .param = "/s" },
};

static void draw(struct json_object *list)
{
        _cleanup_table_ struct table t = { 0 };
        _cleanup_strbuf_ struct strbuf text = STRBUF_INIT;
        struct winsize size = { .ws_row = 24 };
        ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
        t.max_width = size.ws_col;
        for (size_t k = 0; k < ARRAY_SIZE(columns); k++)
                table_add_column(&t, columns[k].header);
        size_t room = size.ws_row > 4 ? size.ws_row - 3u : 1, n = json_object_array_length(list);
        for (size_t i = 0; i < MIN(n, room); i++)
                for (size_t k = 0; k < ARRAY_SIZE(columns); k++) {
                        _cleanup_strbuf_ struct strbuf cell = STRBUF_INIT;
                        struct json_object *item = json_object_array_get_idx(list, i);
                        if (columns[k].cell)
                                columns[k].cell(item, &columns[k], &cell);
                        else
                                strbuf_adds(&cell, json_get_string(item, columns[k].key, ""));
                        table_add_cell(&t, strbuf_str(&cell));
                }
        table_draw_compact(&t, &text);
        printf("\033[H\033[J%s%zu running; q ends\n", strbuf_str(&text), n);
        fflush(stdout);
}

/* True when the person wants to leave. */
static bool pause_for_key(void)
{
        struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };
        char key = 0;
        if (poll(&p, isatty(STDIN_FILENO) ? 1 : 0, EVERY_MS) > 0 && read(STDIN_FILENO, &key, 1) != 1)
                return true;
        return is_interrupted || key == 'q' || key == 'Q' || key == 3;
}

static int watch(struct client *c, const char *url, struct error *err)
{
        _cleanup_json_ struct json_object *before = NULL;
        uint64_t then = time_monotonic_ms();
        for (;;) {
                struct json_object *now = NULL;
                int r = client_get(c, url, &now, err);
                if (r < 0)
                        return is_interrupted ? 0 : r;
                uint64_t at = time_monotonic_ms();
                _cleanup_json_ struct json_object *list = rows(now, before, (int64_t)(at - then));
                draw(list);
                json_object_put(before);
                before = now;
                then = at;
                if (pause_for_key())
                        return 0;
        }
}

static int watch_on_terminal(struct client *c, const char *url, struct error *err)
{
        struct termios old, keys;
        struct sigaction action = { .sa_handler = on_signal };
        bool has_keys = tcgetattr(STDIN_FILENO, &old) == 0;
        sigaction(SIGINT, &action, NULL);
        sigaction(SIGTERM, &action, NULL);
        if (has_keys) {
                keys = old;
                keys.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
                tcsetattr(STDIN_FILENO, TCSANOW, &keys);
        }
        int r = watch(c, url, err);
        if (has_keys)
                tcsetattr(STDIN_FILENO, TCSANOW, &old);
        return r;
}

static int show_once(struct client *c, const struct args *a, const char *url, struct error *err)
{
        _cleanup_json_ struct json_object *before = NULL, *now = NULL;
        uint64_t then = time_monotonic_ms();
        int r = client_get(c, url, &before, err);
        if (r >= 0) {
                poll(NULL, 0, EVERY_MS);
                r = client_get(c, url, &now, err);
        }
        if (r < 0)
                return r;
        _cleanup_json_ struct json_object *list = rows(now, before, (int64_t)(time_monotonic_ms() - then));
        return output_list(a, list, columns, ARRAY_SIZE(columns), 0, err);
}

static int run(struct client *c, const struct args *a, struct error *err)
{
        _cleanup_free_ char *url = client_url(c, "recursion=2", "instances", NULL);
        if (args_has(a, "format") || !isatty(STDOUT_FILENO))
                return show_once(c, a, url, err);
        return watch_on_terminal(c, url, err);
}

static const struct option options[] = { OPTION_FORMAT, { 0 } };

const struct command cmd_top = {
        .path = "top",
        .summary = "Show what the running instances use, once a second",
        .args = (const struct arg[]){ { "<remote>:", .is_optional = true }, { 0 } },
        .options = options,
        .run = run,
        .example = "lightc top\nlightc top --format json",
};
