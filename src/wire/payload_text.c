/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/payload_text.h"

#include "wire/number.h"
#include "wire/text.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

/* A line that grows; `length` also counts what did not fit. */
struct line {
    char *out;
    size_t size;
    size_t length;
};

/* Where the next part goes, and its room: at least the byte of the NUL. */
static char *line_end(const struct line *line, size_t *room)
{
    size_t used = line->length < line->size ? line->length : line->size - 1;
    *room = line->size - used;
    return line->out + used;
}

PRINTF_LIKE(2, 3) static void line_add(struct line *line, const char *format, ...)
{
    size_t room = 0;
    char *at = line_end(line, &room);
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(at, room, format, arguments);
    va_end(arguments);
    line->length += length > 0 ? (size_t)length : 0;
}

static void line_add_escaped(struct line *line, struct text text)
{
    size_t room = 0;
    char *at = line_end(line, &room);
    line->length += escape_text(text, ESCAPE_LINE, at, room);
}

static void line_add_named(struct line *line, const char *name, unsigned number)
{
    if (name != NULL) {
        line_add(line, "%s", name);
    } else {
        line_add(line, "%u", number);
    }
}

static void line_add_release(struct line *line, const struct release_version *version)
{
    line_add(line, "%" PRIu32 ".%" PRIu32 ".%" PRIu32, version->major, version->minor,
             version->patch);
}

static void line_add_status(struct line *line, const struct upgrade_status *status)
{
    char sha256[SHA256_HEX + 1] = "-";
    if (status->has_sha256) {
        sha256_format(status->sha256, sha256);
    }
    line_add_named(line, phase_name(status->phase), status->phase);
    line_add(line, ", %" PRIu64 "/%" PRIu64 ", %s, ", status->done, status->total, sha256);
    line_add_named(line, error_name(status->result), status->result);
    if (status->detail.length > 0) {
        line_add(line, ", ");
        line_add_escaped(line, status->detail);
    }
}

static void line_add_content(struct line *line, const struct answer *response)
{
    switch (response->kind) {
    case PAYLOAD_HOSTOS_VSOCK_VERSION:
        line_add_release(line, &response->vsock_version);
        break;
    case PAYLOAD_HOSTOS_VERSION:
        line_add_escaped(line, response->hostos_version);
        break;
    case PAYLOAD_UPGRADE_STATUS:
        line_add_status(line, &response->status);
        break;
    default:
        break;
    }
}

size_t payload_text(const struct answer *response, char *out, size_t size)
{
    struct line line = {.out = out, .size = size};
    line_add_named(&line, payload_name(response->kind), response->kind);
    if (response->kind != PAYLOAD_NONE) {
        line_add(&line, "(");
        line_add_content(&line, response);
        line_add(&line, ")");
    }
    return line.length;
}

size_t payload_value(const struct answer *response, char *out, size_t size)
{
    struct line line = {.out = out, .size = size};
    line_add(&line, "%s", "");
    if (response->kind == PAYLOAD_UPGRADE_STATUS) {
        line_add_named(&line, phase_name(response->status.phase), response->status.phase);
    } else {
        line_add_content(&line, response);
    }
    return line.length;
}
