/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/explain_field.h"

#include "wire/escape.h"
#include "wire/hex.h"

#include <inttypes.h>
#include <stdio.h>

enum { VALUE_MAX = 512, HEX_SHOWN = 32 };

static void format_bytes(const struct tlv *tlv, char out[VALUE_MAX])
{
    int length = snprintf(out, VALUE_MAX, "bytes");
    for (size_t i = 0; i < tlv->length && i < HEX_SHOWN; i++) {
        length += snprintf(out + length, VALUE_MAX - (size_t)length, " %02x", tlv->value[i]);
    }
    if (tlv->length > HEX_SHOWN) {
        snprintf(out + length, VALUE_MAX - (size_t)length, " ...");
    }
}

static void format_text(const struct tlv *tlv, char out[VALUE_MAX])
{
    char shown[VALUE_MAX - sizeof("\"\"...")];
    struct text text = {(const char *)tlv->value, tlv->length};
    size_t needed = escape_text(text, ESCAPE_LINE, shown, sizeof(shown));
    snprintf(out, VALUE_MAX, "\"%s\"%s", shown, needed >= sizeof(shown) ? "..." : "");
}

static void format_named(unsigned number, const char *name, char out[VALUE_MAX])
{
    snprintf(out, VALUE_MAX, "%u (%s)", number, name != NULL ? name : "not known");
}

static void format_pairs(const struct tlv *tlv, char out[VALUE_MAX])
{
    size_t length = 0;
    out[0] = '\0';
    for (size_t i = 0; i + 1 < tlv->length && length < VALUE_MAX - 1; i += 2) {
        length += (size_t)snprintf(out + length, VALUE_MAX - length, "%s%u.%u", i > 0 ? ", " : "",
                                   tlv->value[i], tlv->value[i + 1]);
    }
}

/* A value whose width is the one of its type. */
static void format_value(const struct field *row, const struct tlv *tlv, char out[VALUE_MAX])
{
    switch (row->type) {
    case FIELD_COMMAND:
        format_named(integer_read_16(tlv->value), command_name(integer_read_16(tlv->value)), out);
        return;
    case FIELD_KIND:
        format_named(integer_read_16(tlv->value), payload_name(integer_read_16(tlv->value)), out);
        return;
    case FIELD_PHASE:
        format_named(integer_read_16(tlv->value), phase_name(integer_read_16(tlv->value)), out);
        return;
    case FIELD_CODE:
        format_named(integer_read_16(tlv->value), error_name(integer_read_16(tlv->value)), out);
        return;
    case FIELD_FLAG:
    case FIELD_U32:
    case FIELD_U64:
        snprintf(out, VALUE_MAX, "%" PRIu64, integer_read(tlv->value, tlv->length));
        return;
    case FIELD_TEXT:
    case FIELD_PRINTABLE:
        format_text(tlv, out);
        return;
    case FIELD_SHA256:
        sha256_format(tlv->value, out);
        return;
    case FIELD_VERSION:
    case FIELD_VERSIONS:
        format_pairs(tlv, out);
        return;
    case FIELD_RELEASE:
        snprintf(out, VALUE_MAX, "%u.%u.%u", integer_read_32(tlv->value),
                 integer_read_32(tlv->value + 4), integer_read_32(tlv->value + 8));
        return;
    }
    format_bytes(tlv, out);
}

void explain_field(const struct explainer *explainer, const struct field *row,
                   const struct tlv *tlv, bool skipped)
{
    char value[VALUE_MAX];
    if (row == NULL) {
        format_bytes(tlv, value);
        explain_say(explainer, "  field %u, not known, so %s (%u bytes): %s", tlv->tag,
                    skipped ? "skipped" : "refused", tlv->length, value);
        return;
    }
    size_t width = field_type_width(row->type);
    if (width != 0 && width != tlv->length) {
        format_bytes(tlv, value);
    } else {
        format_value(row, tlv, value);
    }
    explain_say(explainer, "  field %u %s (%s; %u bytes): %s", tlv->tag, row->name,
                field_type_name(row->type), tlv->length, value);
}
