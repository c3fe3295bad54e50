/* SPDX-License-Identifier: Apache-2.0 */
#include "lightc/output.h"
#include "base/alloc.h"
#include "base/fd.h"
#include "base/time.h"
#include "lightc/table.h"
#include "api/yaml.h"

#include <ctype.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

enum format { FORMAT_TABLE, FORMAT_COMPACT, FORMAT_CSV, FORMAT_CSV_HEADER, FORMAT_JSON, FORMAT_YAML, _FORMAT_MAX };

static const char *const format_names[] = { "table", "compact", "csv", "csv,header", "json", "yaml" };

static int parse_format(const struct args *a, enum format *ret, struct error *err)
{
        const char *text = args_value(a, "format", "table");
        for (size_t i = 0; i < _FORMAT_MAX; i++)
                if (streq(text, format_names[i])) {
                        *ret = (enum format)i;
                        return 0;
                }
        return args_misuse(err, "Unknown format \"%s\": it is one of table, compact, csv, csv,header, json, yaml", text);
}

bool output_wants_objects(const struct args *a)
{
        enum format f;
        return parse_format(a, &f, NULL) == 0 && (f == FORMAT_JSON || f == FORMAT_YAML);
}

int output_text(const struct strbuf *b)
{
        fflush(stdout);
        return fd_write_all(STDOUT_FILENO, strbuf_str(b), b->len);
}

int output_printable(const struct strbuf *b)
{
        _cleanup_strbuf_ struct strbuf safe = STRBUF_INIT;
        strbuf_add_printable(&safe, strbuf_str(b), b->len, "\n\t");
        return output_text(&safe);
}

/* Bytes of "ESC [ digits m", the one harmless command, at s; 0: there is none. */
static size_t colour_length(const char *s, size_t n)
{
        size_t i = 2;
        if (n < 3 || s[0] != '\033' || s[1] != '[')
                return 0;
        while (i < n && (isdigit((unsigned char)s[i]) || s[i] == ';'))
                i++;
        return i < n && s[i] == 'm' ? i + 1 : 0;
}

static size_t kept_length(const char *s, size_t n)
{
        return n > 1 && s[0] == '\r' && s[1] == '\n' ? 2 : colour_length(s, n);
}

void output_add_console(struct strbuf *to, const char *s, size_t n)
{
        size_t from = 0, i = 0;
        while (i < n) {
                size_t kept = kept_length(s + i, n - i);
                if (kept) {
                        strbuf_add_printable(to, s + from, i - from, "\n\t");
                        strbuf_add(to, s + i, kept);
                        from = i + kept;
                }
                i += MAX(kept, (size_t)1);
        }
        strbuf_add_printable(to, s + from, n - from, "\n\t");
}

int output_console(const struct strbuf *b)
{
        _cleanup_strbuf_ struct strbuf safe = STRBUF_INIT;
        if (!isatty(STDOUT_FILENO))
                return output_text(b);
        output_add_console(&safe, strbuf_str(b), b->len);
        return output_text(&safe);
}

/* A value is its bytes to a program, but never a command to a terminal. */
void output_line(const char *fmt, ...)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        va_list ap;
        va_start(ap, fmt);
        strbuf_addv(&b, fmt, ap);
        va_end(ap);
        strbuf_addc(&b, '\n');
        (void)(isatty(STDOUT_FILENO) ? output_printable(&b) : output_text(&b));
}

static void show_sentence(const char *prefix, const char *text)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        strbuf_add_printable(&b, text, strlen(text), "\n");
        fprintf(stderr, "%s%s\n", prefix, strbuf_str(&b));
}

bool output_names(const char *sentence, const char *word)
{
        const char *colon = strchr(word, ':'), *name = colon ? colon + 1 : word;
        _cleanup_free_ char *quoted = xasprintf("\"%.*s\"", (int)strcspn(name, "/"), name);
        return strstr(sentence, quoted);
}

void output_error(const char *about, const struct error *err)
{
        bool is_named = !about || output_names(error_message(err), about);
        _cleanup_free_ char *prefix = is_named ? xstrdup("Error: ") : xasprintf("Error: %s: ", about);
        show_sentence(prefix, error_message(err));
        if (err->hint)
                show_sentence("Hint: ", err->hint);
}

int output_yaml(struct json_object *o, struct error *err)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        int r = yaml_write(o, &b, err);
        return r < 0 ? r : output_text(&b);
}

static int compare_keys(const void *a, const void *b)
{
        return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static void add_indent(struct strbuf *b, unsigned depth)
{
        strbuf_addc(b, '\n');
        while (depth-- > 0)
                strbuf_addc(b, '\t');
}

static void add_json(struct strbuf *b, struct json_object *o, unsigned depth);

static void add_json_object(struct strbuf *b, struct json_object *o, unsigned depth)
{
        size_t n = 0;
        _cleanup_free_ const char **keys = xnew_array(const char *, (size_t)json_object_object_length(o) + 1);
        struct json_writer w = JSON_WRITER(b);
        json_object_object_foreach(o, key, value) {
                (void)value;
                keys[n++] = key;
        }
        qsort(keys, n, sizeof(*keys), compare_keys);
        strbuf_addc(b, '{');
        for (size_t i = 0; i < n; i++) {
                if (i)
                        strbuf_addc(b, ',');
                add_indent(b, depth + 1);
                w.needs_comma = false;
                json_write_string(&w, keys[i]);
                strbuf_adds(b, ": ");
                add_json(b, json_object_object_get(o, keys[i]), depth + 1);
        }
        if (n)
                add_indent(b, depth);
        strbuf_addc(b, '}');
}

static void add_json_array(struct strbuf *b, struct json_object *o, unsigned depth)
{
        size_t n = json_object_array_length(o);
        strbuf_addc(b, '[');
        for (size_t i = 0; i < n; i++) {
                if (i)
                        strbuf_addc(b, ',');
                add_indent(b, depth + 1);
                add_json(b, json_object_array_get_idx(o, i), depth + 1);
        }
        if (n)
                add_indent(b, depth);
        strbuf_addc(b, ']');
}

static void add_json(struct strbuf *b, struct json_object *o, unsigned depth)
{
        struct json_writer w = JSON_WRITER(b);
        if (json_object_is_type(o, json_type_object))
                add_json_object(b, o, depth);
        else if (json_object_is_type(o, json_type_array))
                add_json_array(b, o, depth);
        else
                json_write_tree(&w, o);
}

int output_json(struct json_object *o)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        add_json(&b, o, 0);
        strbuf_addc(&b, '\n');
        return output_text(&b);
}

static const char *state_colour(const char *header, const char *cell)
{
        static const struct {
                const char *state, *colour;
        } colours[] = { { "RUNNING", "32" }, { "STOPPED", "2" }, { "ERROR", "31" },   { "FROZEN", "36" },
                        { "SUCCESS", "32" }, { "FAILURE", "31" }, { "CREATED", "32" }, { "ERRORED", "31" } };
        if (!streq(header, "STATE") && !streq(header, "STATUS"))
                return NULL;
        for (size_t i = 0; i < ARRAY_SIZE(colours); i++)
                if (streq(cell, colours[i].state))
                        return colours[i].colour;
        return NULL;
}

static bool wants_colour(const struct args *a)
{
        const char *when = args_value(a, "color", "auto");
        if (!streq(when, "auto"))
                return streq(when, "always");
        return isatty(STDOUT_FILENO) && str_empty(getenv("NO_COLOR")) && !streq(getenv("TERM"), "dumb");
}

static size_t terminal_width(void)
{
        struct winsize ws;
        if (!isatty(STDOUT_FILENO) || ioctl(STDOUT_FILENO, TIOCGWINSZ, &ws) < 0)
                return 0;
        return ws.ws_col;
}

static void cell_member(struct json_object *item, const struct column *column, struct strbuf *out)
{
        struct json_object *v = NULL;
        if (json_object_object_get_ex(item, column->key, &v) && v)
                strbuf_adds(out, json_object_get_string(v));
}

void cell_upper(struct json_object *item, const struct column *column, struct strbuf *out)
{
        for (const char *p = json_get_string(item, column->key, ""); *p; p++)
                strbuf_addc(out, (char)toupper((unsigned char)*p));
}

void cell_used_by(struct json_object *item, const struct column *column _unused_, struct strbuf *out)
{
        struct json_object *list = json_get_array(item, "used_by");
        strbuf_addf(out, "%zu", list ? json_object_array_length(list) : 0);
}

void cell_time(struct json_object *item, const struct column *column, struct strbuf *out)
{
        output_time(json_get_string(item, column->key, ""), out);
}

static void fill_table(struct table *t, struct json_object *items, const struct column *columns, size_t n_columns)
{
        _cleanup_strbuf_ struct strbuf cell = STRBUF_INIT;
        for (size_t i = 0; i < n_columns; i++)
                table_add_column(t, columns[i].header);
        for (size_t k = 0; items && k < json_object_array_length(items); k++)
                for (size_t i = 0; i < n_columns; i++) {
                        strbuf_clear(&cell);
                        (columns[i].cell ? columns[i].cell : cell_member)(json_object_array_get_idx(items, k),
                                                                          &columns[i], &cell);
                        if (columns[i].max_width > 0 && cell.len) {
                                cell.len = text_fit(cell.data, cell.len, (size_t)columns[i].max_width);
                                cell.data[cell.len] = '\0';
                        }
                        table_add_cell(t, strbuf_str(&cell));
                }
}

static int print_objects(struct json_object *items, enum format format, struct error *err)
{
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        if (format == FORMAT_YAML)
                return output_yaml(items, err);
        strbuf_adds(&b, items ? json_text(items) : "[]");
        strbuf_addc(&b, '\n');
        return output_text(&b);
}

int output_list(const struct args *a, struct json_object *items, const struct column *columns, size_t n_columns,
                unsigned flags, struct error *err)
{
        _cleanup_table_ struct table t = { 0 };
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        enum format format;
        int r = parse_format(a, &format, err);
        if (r)
                return r;
        if (format == FORMAT_JSON || format == FORMAT_YAML)
                return print_objects(items, format, err);
        fill_table(&t, items, columns, n_columns);
        if (flags & OUTPUT_SORT)
                table_sort(&t);
        if (format == FORMAT_CSV || format == FORMAT_CSV_HEADER) {
                table_write_csv(&t, format == FORMAT_CSV_HEADER, &b);
                return output_text(&b);
        }
        t.max_width = terminal_width();
        t.colour = wants_colour(a) ? state_colour : NULL;
        if (format == FORMAT_TABLE)
                table_draw(&t, &b);
        else
                table_draw_compact(&t, &b);
        return output_text(&b);
}

static const struct column *find_letter(const struct column *all, char letter)
{
        for (; all->header; all++)
                if (all->letter == letter)
                        return all;
        return NULL;
}

int output_pick_columns(const struct column *all, const char *letters, struct column **ret, size_t *ret_n,
                        struct error *err)
{
        _cleanup_free_ struct column *picked = xnew_array(struct column, strlen(letters) + 1);
        size_t n = 0;
        for (const char *p = letters; *p; p++) {
                const struct column *c = find_letter(all, *p);
                if (*p == ',')
                        continue;
                if (!c)
                        return args_misuse(err, "Unknown column \"%c\" in \"%s\"", *p, letters);
                picked[n++] = *c;
        }
        if (n == 0)
                return args_misuse(err, "\"%s\" names no column", letters);
        *ret = TAKE_PTR(picked);
        *ret_n = n;
        return 0;
}

void output_time(const char *rfc3339, struct strbuf *out)
{
        struct tm tm;
        char text[64];
        int64_t ns;
        if (time_parse_rfc3339(rfc3339, &ns) < 0 || ns <= 0)
                return;
        time_t s = (time_t)(ns / 1000000000);
        if (localtime_r(&s, &tm) && strftime(text, sizeof(text), "%Y/%m/%d %H:%M %Z", &tm))
                strbuf_adds(out, text);
}

static void add_size(int64_t bytes, double step, const char *const *units, struct strbuf *out)
{
        double v = (double)bytes;
        size_t u = 0;
        while (v >= step && u < 6) {
                v /= step;
                u++;
        }
        strbuf_addf(out, u ? "%.2f%s" : "%.0f%s", v, units[u]);
}

void output_size_binary(int64_t bytes, struct strbuf *out)
{
        static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
        add_size(bytes, 1024, units, out);
}

void output_size_decimal(int64_t bytes, struct strbuf *out)
{
        static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
        add_size(bytes, 1000, units, out);
}
