/* SPDX-License-Identifier: Apache-2.0 */
#include "grid.h"

#include "support/check.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const char page[] = PROJECT_DIRECTORY "/docs/compatibility.md";

void grid_begin(struct grid *grid, const char *name, const char *corner)
{
    grid->name = name;
    grid->changed = 0;
    octets_clear(&grid->text);
    octets_add_text(&grid->text, "| ");
    octets_add_text(&grid->text, corner);
    octets_add_text(&grid->text, " |");
}

void grid_cell(struct grid *grid, const char *text)
{
    octets_add_text(&grid->text, " ");
    octets_add_text(&grid->text, text);
    octets_add_text(&grid->text, " |");
}

void grid_cell_changed(struct grid *grid)
{
    grid->changed++;
    grid_cell(grid, "CHANGED");
}

void grid_row(struct grid *grid, const char *name)
{
    octets_add_text(&grid->text, "\n|");
    grid_cell(grid, name);
}

void grid_head_end(struct grid *grid, unsigned columns)
{
    octets_add_text(&grid->text, "\n|---|");
    for (unsigned i = 0; i < columns; i++) {
        octets_add_text(&grid->text, "---|");
    }
}

void grid_check(struct grid *grid)
{
    struct octets expected = {.length = 0};
    struct octets document = {.length = 0};
    octets_add_text(&expected, "<!-- table: ");
    octets_add_text(&expected, grid->name);
    octets_add_text(&expected, " -->\n\n");
    octets_add(&expected, grid->text.bytes, grid->text.length);
    octets_add_text(&expected, "\n\n");
    printf("\n\n%.*s\n\n  ", (int)grid->text.length, (const char *)grid->text.bytes);

    FILE *file = fopen(page, "r");
    REQUIRE_NOT_NULL(file);
    char line[1024];
    while (fgets(line, sizeof line, file) != NULL) {
        octets_add_text(&document, line);
    }
    fclose(file);
    bool found = memmem(document.bytes, document.length, expected.bytes, expected.length) != NULL;
    if (!found) {
        printf("\n    %s holds another table of %s than the one above\n  ", page, grid->name);
    }
    CHECK_TRUE(found);
    CHECK_EQUAL(grid->changed, 0);
}
