/* SPDX-License-Identifier: Apache-2.0 */
#include "host/conf/conf_files.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "host/conf/conf_read.h"

/* Hidden files are left out: editors keep their copies in them. */
static int is_drop_in(const struct dirent *entry)
{
    static const char suffix[] = ".conf";
    size_t length = strlen(entry->d_name);
    size_t tail = sizeof(suffix) - 1;
    return entry->d_name[0] != '.' && length > tail &&
           strcmp(entry->d_name + length - tail, suffix) == 0;
}

static int by_name(const struct dirent **left, const struct dirent **right)
{
    return strcmp((*left)->d_name, (*right)->d_name);
}

/* Takes a path of its own, which may be NULL when there was no memory for it. */
static int add(struct conf_strings *files, char *path)
{
    if (path == NULL) {
        return -ENOMEM;
    }
    files->items[files->count++] = path;
    return 0;
}

static char *join(const char *folder, const char *name)
{
    char *path;
    return asprintf(&path, "%s/%s", folder, name) < 0 ? NULL : path;
}

static int fill(const char *path, const char *folder, struct dirent **entries, size_t count,
                struct conf_strings *files)
{
    files->items = calloc(count + 2, sizeof(*files->items));
    if (files->items == NULL) {
        return -ENOMEM;
    }
    int result = add(files, strdup(path));
    for (size_t i = 0; i < count && result == 0; i++) {
        result = add(files, join(folder, entries[i]->d_name));
    }
    return result;
}

static void free_entries(struct dirent **entries, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        free(entries[i]);
    }
    free(entries);
}

static int find(const char *path, const char *folder, struct conf_strings *ret,
                char problem[CONF_PROBLEM_MAX])
{
    struct dirent **entries = NULL;
    struct conf_strings files = {0};
    int found = scandir(folder, &entries, is_drop_in, by_name);
    if (found < 0 && errno != ENOENT) {
        int error = errno;
        struct conf_place place = {.path = folder};
        conf_problem(&place, problem, "cannot be listed: %s", strerror(error));
        return -error;
    }
    size_t count = found < 0 ? 0 : (size_t)found;
    int result = fill(path, folder, entries, count, &files);
    free_entries(entries, count);
    if (result != 0) {
        conf_files_done(&files);
        return result;
    }
    *ret = files;
    return 0;
}

int conf_files_find(const char *path, struct conf_strings *ret, char problem[CONF_PROBLEM_MAX])
{
    char *folder;
    int result = -ENOMEM;
    snprintf(problem, CONF_PROBLEM_MAX, "out of memory");
    if (asprintf(&folder, "%s.d", path) >= 0) {
        result = find(path, folder, ret, problem);
        free(folder);
    }
    return result;
}

void conf_files_done(struct conf_strings *files)
{
    for (size_t i = 0; i < files->count; i++) {
        free(files->items[i]);
    }
    free(files->items);
    *files = (struct conf_strings){0};
}
