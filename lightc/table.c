/* SPDX-License-Identifier: Apache-2.0 */
#include "lightc/table.h"
#include "base/alloc.h"

#include <ctype.h>

void table_done(struct table *t)
{
        for (size_t i = 0; i < t->n_rows * t->n_columns; i++)
                free(t->cells[i]);
        free(t->cells);
        free(t->headers);
        *t = (struct table){ 0 };
}

void table_add_column(struct table *t, const char *header)
{
        t->headers = xreallocarray(t->headers, t->n_columns + 1, sizeof(*t->headers));
        t->headers[t->n_columns++] = header;
}

static size_t n_cells(const struct table *t)
{
        size_t n = 0;
        if (t->n_rows == 0)
                return 0;
        for (n = (t->n_rows - 1) * t->n_columns; n < t->n_rows * t->n_columns && t->cells[n]; n++)
                ;
        return n;
}

void table_add_cell(struct table *t, const char *text)
{
        size_t n = n_cells(t);
        if (n == t->n_rows * t->n_columns) {
                t->cells = xreallocarray(t->cells, n + t->n_columns, sizeof(*t->cells));
                memset(t->cells + n, 0, t->n_columns * sizeof(*t->cells));
                t->n_rows++;
        }
        /* Guests and images choose some of these texts: their escape sequences are not for this terminal. */
        _cleanup_strbuf_ struct strbuf b = STRBUF_INIT;
        if (text)
                strbuf_add_printable(&b, text, strlen(text), "\n");
        t->cells[n] = xstrdup(strbuf_str(&b));
}

static unsigned decode(const char *s, size_t n, size_t *ret_len)
{
        unsigned char c = (unsigned char)s[0];
        size_t len = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        unsigned v = len == 1 ? c : c & (0x7fu >> len);
        len = MIN(len, n);
        for (size_t i = 1; i < len; i++)
                v = v << 6 | ((unsigned char)s[i] & 0x3f);
        *ret_len = len;
        return v;
}

/* The C library's wcwidth() needs a locale loaded first, which costs more than everything else lightc does. */
static size_t width_of(unsigned c)
{
        if ((c >= 0x300 && c < 0x370) || c == 0x200b || c == 0x200d || (c >= 0xfe00 && c <= 0xfe0f))
                return 0;
        return (c >= 0x1100 && c <= 0x115f) || (c >= 0x2e80 && c <= 0xa4cf) || (c >= 0xac00 && c <= 0xd7a3) ||
                       (c >= 0xf900 && c <= 0xfaff) || (c >= 0xfe30 && c <= 0xfe6f) || (c >= 0xff00 && c <= 0xff60) ||
                       (c >= 0x1f300 && c <= 0x1faff) || (c >= 0x20000 && c <= 0x3fffd)
                       ? 2
                       : 1;
}

size_t text_width(const char *s, size_t n)
{
        size_t width = 0, len;
        for (size_t i = 0; i < n; i += len)
                width += width_of(decode(s + i, n - i, &len));
        return width;
}

size_t text_fit(const char *s, size_t n, size_t width)
{
        size_t used = 0, len, i;
        for (i = 0; i < n; i += len) {
                used += width_of(decode(s + i, n - i, &len));
                if (used > width)
                        break;
        }
        return i;
}

static const char *line_of(const char *cell, size_t line, size_t *ret_len)
{
        for (; line > 0; line--) {
                cell += strcspn(cell, "\n");
                if (*cell == '\0')
                        break;
                cell++;
        }
        *ret_len = strcspn(cell, "\n");
        return cell;
}

static size_t count_lines(const char *cell)
{
        size_t n = 1;
        for (; *cell; cell++)
                n += *cell == '\n';
        return n;
}

static size_t cell_width(const char *cell)
{
        size_t width = 0, n;
        for (size_t i = 0, lines = count_lines(cell); i < lines; i++) {
                const char *line = line_of(cell, i, &n);
                width = MAX(width, text_width(line, n));
        }
        return width;
}

int text_compare_natural(const char *a, const char *b)
{
        while (*a && *b) {
                if (isdigit((unsigned char)*a) && isdigit((unsigned char)*b)) {
                        a += strspn(a, "0");
                        b += strspn(b, "0");
                        size_t n = strspn(a, "0123456789"), m = strspn(b, "0123456789");
                        int d = n != m ? (n < m ? -1 : 1) : memcmp(a, b, n);
                        if (d)
                                return d;
                        a += n;
                        b += m;
                        continue;
                }
                if (*a != *b)
                        return (unsigned char)*a < (unsigned char)*b ? -1 : 1;
                a++, b++;
        }
        return (*a != 0) - (*b != 0);
}

static int compare_rows(const void *pa, const void *pb, void *data)
{
        const struct table *t = data;
        char *const *a = pa, *const *b = pb;
        for (size_t i = 0; i < t->n_columns; i++) {
                if (streq(a[i], b[i]))
                        continue;
                if (str_empty(a[i]) || str_empty(b[i]))
                        return str_empty(a[i]) ? 1 : -1;
                return text_compare_natural(a[i], b[i]);
        }
        return 0;
}

void table_sort(struct table *t)
{
        if (t->n_rows > 1)
                qsort_r(t->cells, t->n_rows, t->n_columns * sizeof(*t->cells), compare_rows, t);
}

struct drawing {
        const struct table *table;
        struct strbuf *out;
        size_t *widths;
        const char *edge, *separator; /* "|" and "|", or " " and "" */
};

/* Takes from the widest column, one by one, until the drawing fits or every column is as short as its header. */
static void shrink(const struct table *t, size_t *widths, size_t lines_width)
{
        size_t total = lines_width;
        for (size_t i = 0; i < t->n_columns; i++)
                total += widths[i];
        while (t->max_width && total > t->max_width) {
                size_t widest = t->n_columns;
                for (size_t i = 0; i < t->n_columns; i++)
                        if (widths[i] > MAX(strlen(t->headers[i]), 3) &&
                            (widest == t->n_columns || widths[i] > widths[widest]))
                                widest = i;
                if (widest == t->n_columns)
                        return;
                widths[widest]--;
                total--;
        }
}

static size_t *measure(const struct table *t, size_t lines_width)
{
        size_t *widths = xnew_array(size_t, t->n_columns + 1);
        for (size_t i = 0; i < t->n_columns; i++)
                widths[i] = text_width(t->headers[i], strlen(t->headers[i]));
        for (size_t i = 0; i < t->n_rows * t->n_columns; i++)
                widths[i % t->n_columns] = MAX(widths[i % t->n_columns], cell_width(t->cells[i]));
        shrink(t, widths, lines_width);
        return widths;
}

static void draw_rule(const struct drawing *d)
{
        for (size_t i = 0; i < d->table->n_columns; i++) {
                strbuf_addc(d->out, '+');
                for (size_t k = 0; k < d->widths[i] + 2; k++)
                        strbuf_addc(d->out, '-');
        }
        strbuf_adds(d->out, "+\n");
}

static void draw_headers(const struct drawing *d)
{
        strbuf_adds(d->out, d->edge);
        for (size_t i = 0; i < d->table->n_columns; i++) {
                const char *h = d->table->headers[i];
                size_t room = d->widths[i] - text_width(h, strlen(h)), left = room / 2;
                strbuf_addf(d->out, "%s %*s%s%*s ", i ? d->separator : "", (int)left, "", h, (int)(room - left), "");
        }
        strbuf_adds(d->out, d->edge);
        strbuf_addc(d->out, '\n');
}

static void draw_cell(const struct drawing *d, size_t column, const char *cell, size_t line)
{
        size_t n = 0, width = d->widths[column];
        const char *text = line < count_lines(cell) ? line_of(cell, line, &n) : "";
        size_t used = text_width(text, n);
        bool is_cut = used > width;
        const char *colour = n && d->table->colour ? d->table->colour(d->table->headers[column], cell) : NULL;
        if (is_cut) {
                n = text_fit(text, n, width - 1);
                used = text_width(text, n) + 1;
        }
        if (colour)
                strbuf_addf(d->out, "\033[%sm", colour);
        strbuf_add(d->out, text, n);
        if (is_cut)
                strbuf_adds(d->out, "…");
        if (colour)
                strbuf_adds(d->out, "\033[0m");
        strbuf_addf(d->out, "%*s", (int)(width - used), "");
}

static void draw_row(const struct drawing *d, char *const *cells)
{
        size_t lines = 1;
        for (size_t i = 0; i < d->table->n_columns; i++)
                lines = MAX(lines, count_lines(cells[i]));
        for (size_t line = 0; line < lines; line++) {
                strbuf_adds(d->out, d->edge);
                for (size_t i = 0; i < d->table->n_columns; i++) {
                        strbuf_addf(d->out, "%s ", i ? d->separator : "");
                        draw_cell(d, i, cells[i], line);
                        strbuf_addc(d->out, ' ');
                }
                strbuf_adds(d->out, d->edge);
                strbuf_addc(d->out, '\n');
        }
}

void table_draw(const struct table *t, struct strbuf *out)
{
        _cleanup_free_ size_t *widths = measure(t, 3 * t->n_columns + 1);
        struct drawing d = { .table = t, .out = out, .widths = widths, .edge = "|", .separator = "|" };
        draw_rule(&d);
        draw_headers(&d);
        draw_rule(&d);
        for (size_t i = 0; i < t->n_rows; i++) {
                draw_row(&d, t->cells + i * t->n_columns);
                draw_rule(&d);
        }
}

void table_draw_compact(const struct table *t, struct strbuf *out)
{
        _cleanup_free_ size_t *widths = measure(t, 2 * t->n_columns + 2);
        struct drawing d = { .table = t, .out = out, .widths = widths, .edge = " ", .separator = "" };
        draw_headers(&d);
        for (size_t i = 0; i < t->n_rows; i++)
                draw_row(&d, t->cells + i * t->n_columns);
}

static void write_csv_field(struct strbuf *out, const char *text)
{
        if (!strpbrk(text, ",\"\r\n") && text[0] != ' ') {
                strbuf_adds(out, text);
                return;
        }
        strbuf_addc(out, '"');
        for (; *text; text++) {
                if (*text == '"')
                        strbuf_addc(out, '"');
                strbuf_addc(out, *text);
        }
        strbuf_addc(out, '"');
}

static void write_csv_row(const struct table *t, char *const *cells, struct strbuf *out)
{
        for (size_t i = 0; i < t->n_columns; i++) {
                if (i)
                        strbuf_addc(out, ',');
                write_csv_field(out, cells[i]);
        }
        strbuf_addc(out, '\n');
}

void table_write_csv(const struct table *t, bool has_header, struct strbuf *out)
{
        if (has_header)
                write_csv_row(t, (char *const *)t->headers, out);
        for (size_t i = 0; i < t->n_rows; i++)
                write_csv_row(t, t->cells + i * t->n_columns, out);
}
