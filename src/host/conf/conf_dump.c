/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "host/conf/conf_read.h"
#include "host/conf/conf_value.h"

/* Writes "key = item", without the blanks when only so the line is short enough to be read. */
static size_t begin_line(const struct conf_key *key, const char *item, FILE *out)
{
    bool wide = strlen(key->name) + strlen(" = ") + strlen(item) <= CONF_LINE_MAX;
    const char *separator = item[0] == '\0' ? " =" : wide ? " = " : "=";
    return (size_t)fprintf(out, "%s%s%s", key->name, separator, item);
}

/* A list goes on in another line with the same key before a line would be too long to be read. */
static void dump_key(const struct conf_key *key, const struct conf *conf, FILE *out)
{
    size_t count = conf_value_count(key, conf);
    char item[CONF_ITEM_MAX] = "";
    if (count > 0) {
        conf_value_item(key, conf, 0, item);
    }
    size_t length = begin_line(key, item, out);
    for (size_t i = 1; i < count; i++) {
        conf_value_item(key, conf, i, item);
        if (length + 1 + strlen(item) <= CONF_LINE_MAX) {
            length += (size_t)fprintf(out, " %s", item);
        } else {
            fputc('\n', out);
            length = begin_line(key, item, out);
        }
    }
    fputc('\n', out);
}

int conf_dump(const struct conf *conf, FILE *out)
{
    const char *section = "";
    for (size_t i = 0; i < conf_keys_count; i++) {
        const struct conf_key *key = &conf_keys[i];
        if (strcmp(section, key->section) != 0) {
            fprintf(out, "%s[%s]\n", i == 0 ? "" : "\n", key->section);
            section = key->section;
        }
        dump_key(key, conf, out);
    }
    if (fflush(out) != 0) {
        return -errno;
    }
    return ferror(out) ? -EIO : 0; /* an earlier write failed, and its errno is gone */
}
