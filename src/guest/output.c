/* SPDX-License-Identifier: Apache-2.0 */
#include "guest/output.h"

#include "compat/json_text.h"
#include "wire/payload_text.h"

#include <errno.h>
#include <stdlib.h>

/* A line by one of the writers of wire/payload_text.h. */
static char *line_of(const struct answer *response,
                     size_t (*write_line)(const struct answer *, char *, size_t))
{
    char probe[1];
    size_t length = write_line(response, probe, sizeof(probe));
    char *line = malloc(length + 1);
    if (line != NULL) {
        (void)write_line(response, line, length + 1);
    }
    return line;
}

static char *form(const struct answer *response, enum output_format format)
{
    char *json = NULL;
    switch (format) {
    case OUTPUT_JSON:
        return json_text(response, &json) < 0 ? NULL : json;
    case OUTPUT_VALUE:
        return line_of(response, payload_value);
    case OUTPUT_PAYLOAD:
        break;
    }
    return line_of(response, payload_text);
}

int output_format(const struct answer *response, enum output_format format, char **ret)
{
    char *line = form(response, format);
    size_t length = line != NULL ? strlen(line) : 0;
    char *ended = realloc(line, length + sizeof("\n"));
    if (line == NULL || ended == NULL) {
        free(ended != NULL ? ended : line);
        return -ENOMEM;
    }
    /* The value form of NoPayload is nothing, not an empty line. */
    stpcpy(ended + length, length > 0 ? "\n" : "");
    *ret = ended;
    return 0;
}
