/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rows of text cells, drawn as a boxed grid, as bare columns or as comma-separated values. Knows nothing of what
 * the cells mean. Cells may have several lines. Widths count terminal columns, not bytes.
 */
#pragma once

#include "base/strbuf.h"

struct table {
        const char **headers; /* borrowed strings */
        size_t n_columns;
        char **cells; /* owned, n_rows * n_columns */
        size_t n_rows;
        size_t max_width; /* terminal columns the drawing may take; 0: any */
        /* The colour (an SGR number as text, "32") of a cell, or NULL; a NULL function: none. */
        const char *(*colour)(const char *header, const char *cell);
};

void table_done(struct table *t);
#define _cleanup_table_ _cleanup_(table_done)

void table_add_column(struct table *t, const char *header); /* before the first row */
void table_add_cell(struct table *t, const char *text);     /* row by row, left to right */
/* By the cells from left to right, digits by their value, empty cells last. */
void table_sort(struct table *t);

void table_draw(const struct table *t, struct strbuf *out);         /* box, a rule between rows */
void table_draw_compact(const struct table *t, struct strbuf *out); /* no lines */
void table_write_csv(const struct table *t, bool has_header, struct strbuf *out);

size_t text_width(const char *s, size_t n); /* terminal columns */
size_t text_fit(const char *s, size_t n, size_t width); /* bytes of whole characters that fit into so many columns */
int text_compare_natural(const char *a, const char *b);
