/* SPDX-License-Identifier: Apache-2.0 */
#include "host/step/lines.h"

static bool blank(const struct lines *lines)
{
    for (size_t i = 0; i < lines->length; i++) {
        if (lines->bytes[i] != ' ' && lines->bytes[i] != '\t') {
            return false;
        }
    }
    return true;
}

void lines_init(struct lines *lines, step_text_function *on_text, void *context)
{
    lines->length = 0;
    lines->returned = false;
    lines->on_text = on_text;
    lines->context = context;
}

void lines_end(struct lines *lines)
{
    if (!blank(lines)) {
        lines->on_text(lines->context, (struct text){lines->bytes, lines->length});
    }
    lines->length = 0;
    lines->returned = false;
}

static void put(struct lines *lines, char byte)
{
    if (lines->returned) {
        lines->length = 0;
        lines->returned = false;
    }
    if (lines->length < sizeof(lines->bytes)) {
        lines->bytes[lines->length++] = byte;
    }
}

void lines_feed(struct lines *lines, const char *bytes, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        if (bytes[i] == '\n') {
            lines_end(lines);
        } else if (bytes[i] == '\r') {
            lines->returned = true;
        } else {
            put(lines, bytes[i]);
        }
    }
}
