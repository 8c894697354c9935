/* SPDX-License-Identifier: Apache-2.0 */
#include "compat/explain.h"

#include "compat/explain_json.h"
#include "compat/explain_tlv_0.h"
#include "compat/explain_tlv_1.h"
#include "wire/escape.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

enum { SHOWN_BYTES = 32, SHOWN_MAX = 4 * SHOWN_BYTES + 1 };

void explain_say(const struct explainer *explainer, const char *format, ...)
{
    char line[EXPLAIN_LINE_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(line, sizeof(line), format, arguments);
    va_end(arguments);
    explainer->line(explainer->context, line);
}

enum explained explain_cut(const struct explainer *explainer, uint64_t offset, size_t length,
                           const char *what)
{
    explain_say(explainer, "offset %" PRIu64 ": the bytes end inside a %s: only %zu are there",
                offset, what, length);
    return EXPLAINED_LOST;
}

/* As in the table of dialects, who knows its own by later bytes comes first. */
static const struct {
    bool (*claims)(const uint8_t *bytes, size_t length);
    enum explained (*explain)(const struct explainer *explainer, uint64_t offset,
                              const uint8_t *bytes, size_t length, bool eof, size_t *taken);
} rows[] = {
    {explain_tlv_0_claims, explain_tlv_0},
    {explain_tlv_1_claims, explain_tlv_1},
    {explain_json_claims, explain_json},
};

enum explained explain_frame(const struct explainer *explainer, uint64_t offset,
                             const uint8_t *bytes, size_t length, bool eof, size_t *taken)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (rows[i].claims(bytes, length)) {
            return rows[i].explain(explainer, offset, bytes, length, eof, taken);
        }
    }
    char shown[SHOWN_MAX];
    struct text begin = {(const char *)bytes, length < SHOWN_BYTES ? length : SHOWN_BYTES};
    escape_text(begin, ESCAPE_LINE, shown, sizeof(shown));
    explain_say(explainer, "offset %" PRIu64 ": no frame of a dialect that is known: \"%s\"%s",
                offset, shown, length > SHOWN_BYTES ? "..." : "");
    return EXPLAINED_LOST;
}
