/* SPDX-License-Identifier: Apache-2.0 */
/* A table of results as docs/compatibility.md has it. */
#ifndef MATRIX_GRID_H
#define MATRIX_GRID_H

#include "octets.h"

struct grid {
    const char *name; /* stands in the comment above the table of the page */
    unsigned changed; /* cells that are not as expected */
    struct octets text;
};

/* `corner`: the word in the first cell. */
void grid_begin(struct grid *grid, const char *name, const char *corner);
void grid_cell(struct grid *grid, const char *text);
/* For a cell that is not as expected; that was told on stdout. */
void grid_cell_changed(struct grid *grid);
void grid_row(struct grid *grid, const char *name);
/* Behind the cells of the first line. */
void grid_head_end(struct grid *grid, unsigned columns);

/* Prints it, and compares it with the page; a cell that has changed is one that the page does not
 * have. CUnit assertions. */
void grid_check(struct grid *grid);

#endif
