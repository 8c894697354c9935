/* SPDX-License-Identifier: Apache-2.0 */
#include "host/step/tail.h"

#include <stdio.h>
#include <string.h>

#include "wire/escape.h"

void tail_init(struct tail *tail)
{
    tail->count = 0;
}

void tail_add(struct tail *tail, struct text line)
{
    size_t slot = tail->count++ % TAIL_LINES;
    tail->length[slot] = line.length < TAIL_MAX ? line.length : TAIL_MAX;
    if (line.length > 0) {
        memcpy(tail->bytes[slot], line.bytes, tail->length[slot]);
    }
}

/* Puts a line before what `out` holds, if there is room for all of it. */
static bool put_before(const char *line, char out[TAIL_MAX + 1])
{
    char joined[TAIL_MAX + 1];
    int length = snprintf(joined, sizeof(joined), "%s | %s", line, out);
    if (length < 0 || length > TAIL_MAX) {
        return false;
    }
    memcpy(out, joined, (size_t)length + 1);
    return true;
}

void tail_join(const struct tail *tail, char out[TAIL_MAX + 1])
{
    char line[TAIL_MAX + 1];
    bool fits = true;
    out[0] = '\0';
    for (size_t age = 0; fits && age < TAIL_LINES && age < tail->count; age++) {
        size_t slot = (tail->count - 1 - age) % TAIL_LINES;
        struct text raw = {tail->bytes[slot], tail->length[slot]};
        if (age == 0) {
            (void)escape_text(raw, ESCAPE_LINE, out, TAIL_MAX + 1); /* cut, if it must be */
        } else {
            fits = escape_text(raw, ESCAPE_LINE, line, sizeof(line)) <= TAIL_MAX &&
                   put_before(line, out);
        }
    }
}
