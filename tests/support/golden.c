/* SPDX-License-Identifier: Apache-2.0 */
#include "support/golden.h"

#include <ctype.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_BYTES_MAX = 1 << 17, LINE_MAX_BYTES = 1024, PATH_BYTES_MAX = 512 };

__attribute__((noreturn)) static void give_up(const char *what, const char *about)
{
    fprintf(stderr, "golden: %s: %s\n", about, what);
    exit(1);
}

void *exact_room(size_t length)
{
    void *room = malloc(length > 0 ? length : 1);
    if (room == NULL) {
        give_up("out of memory", "exact_room");
    }
    return room;
}

uint8_t *exact_copy(const void *bytes, size_t length)
{
    uint8_t *copy = exact_room(length);
    if (length > 0) {
        memcpy(copy, bytes, length);
    }
    return copy;
}

/* Takes one "# key: value" line. */
static void take_comment(struct golden *file, const char *line)
{
    char connection[GOLDEN_NAME_MAX] = "";
    char word[GOLDEN_NAME_MAX] = "";
    if (sscanf(line, "# expect: %95[a-z_], %95s", file->expect, connection) == 2) {
        file->closes = strcmp(connection, "closes") == 0;
    } else if (sscanf(line, "# to: %95s", word) == 1) {
        file->to_guest = strcmp(word, "guest") == 0;
    } else if (sscanf(line, "# state: %95s", word) == 1) {
        file->first = strcmp(word, "first") == 0;
    } else if (sscanf(line, "# error-id: %95s", word) == 1) {
        file->error_id = (uint32_t)strtoul(word, NULL, 16);
    } else if (sscanf(line, "# same-as: %95s", word) == 1) {
        memcpy(file->same_as, word, sizeof word);
    }
}

/* Takes the pairs of digits of one line, up to its comment. */
static size_t take_bytes(const char *line, const char *path, uint8_t *out, size_t room)
{
    size_t length = 0;
    while (*line != '\0' && *line != '#') {
        if (isspace((unsigned char)*line)) {
            line++;
            continue;
        }
        if (!isxdigit((unsigned char)line[0]) || !isxdigit((unsigned char)line[1]) ||
            length == room) {
            give_up("not a pair of hex digits", path);
        }
        char pair[] = {line[0], line[1], '\0'};
        out[length++] = (uint8_t)strtoul(pair, NULL, 16);
        line += 2;
    }
    return length;
}

static void load_file(const char *path, const char *name, struct golden *ret)
{
    static uint8_t bytes[FILE_BYTES_MAX];
    char line[LINE_MAX_BYTES];
    size_t length = 0;
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        give_up("cannot be opened", path);
    }
    *ret = (struct golden){0};
    snprintf(ret->name, sizeof ret->name, "%.*s", (int)(strlen(name) - strlen(".hex")), name);
    while (fgets(line, sizeof line, file) != NULL) {
        take_comment(ret, line);
        length += take_bytes(line, path, bytes + length, sizeof bytes - length);
    }
    (void)fclose(file); /* read only */
    ret->bytes = exact_copy(bytes, length);
    ret->length = length;
}

static int is_hex_file(const struct dirent *entry)
{
    size_t length = strlen(entry->d_name);
    return length > strlen(".hex") && strcmp(entry->d_name + length - strlen(".hex"), ".hex") == 0;
}

struct golden_set golden_load(const char *folder)
{
    char path[PATH_BYTES_MAX];
    struct dirent **entries = NULL;
    snprintf(path, sizeof path, "%s/golden/%s", TESTS_DIRECTORY, folder);
    int count = scandir(path, &entries, is_hex_file, alphasort);
    if (count <= 0) {
        give_up("no .hex file", path);
    }
    struct golden_set set = {calloc((size_t)count, sizeof(struct golden)), (size_t)count};
    if (set.file == NULL) {
        give_up("out of memory", path);
    }
    for (size_t i = 0; i < set.count; i++) {
        const char *name = entries[i]->d_name;
        snprintf(path, sizeof path, "%s/golden/%s/%s", TESTS_DIRECTORY, folder, name);
        load_file(path, name, &set.file[i]);
        free(entries[i]);
    }
    free(entries);
    return set;
}

void golden_free(struct golden_set *set)
{
    for (size_t i = 0; i < set->count; i++) {
        free(set->file[i].bytes);
    }
    free(set->file);
    *set = (struct golden_set){0};
}

const struct golden *golden_get(const struct golden_set *set, const char *name)
{
    for (size_t i = 0; i < set->count; i++) {
        if (strcmp(set->file[i].name, name) == 0) {
            return &set->file[i];
        }
    }
    give_up("there is no such golden file", name);
}
