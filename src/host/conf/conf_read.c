/* SPDX-License-Identifier: Apache-2.0 */
#include "host/conf/conf_read.h"

#include "wire/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Hidden files are left out: editors keep their copies in them. */
static int is_drop_in(const struct dirent *entry)
{
    static const char suffix[] = ".conf";
    size_t length = strlen(entry->d_name);
    size_t tail = sizeof suffix - 1;
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
    files->items = calloc(count + 2, sizeof *files->items);
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

struct reading {
    FILE *file;
    struct conf_place place;
    const struct conf_sink *sink;
    char *problem;
    int result; /* the first failure; nothing is read after it */
};

void conf_problem(const struct conf_place *place, char problem[CONF_PROBLEM_MAX],
                  const char *format, ...)
{
    char path[256];
    char text[CONF_PROBLEM_MAX];
    va_list arguments;
    (void)escape_text(text_of(place->path), ESCAPE_LINE, path, sizeof path);
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (place->line == 0) {
        snprintf(problem, CONF_PROBLEM_MAX, "%s: %.700s", path, text);
    } else {
        snprintf(problem, CONF_PROBLEM_MAX, "%s:%u: %.700s", path, place->line, text);
    }
}

/* --- one line, as bytes --- */

/* Reads up to a newline. Returns the length, or -errno: -EFBIG longer than `max`, -EILSEQ a byte
 * that no text holds (in *odd), -EIO, -ENODATA at the end of the file. */
static int read_line(FILE *file, char *out, int max, unsigned *odd)
{
    int length = 0;
    int byte;
    while ((byte = getc(file)) != EOF && byte != '\n') {
        bool text = byte >= ' ' || byte == '\t' || byte == '\r';
        if (length == max || !text || byte == 0x7f) {
            *odd = (unsigned)byte;
            return length == max ? -EFBIG : -EILSEQ;
        }
        out[length++] = (char)byte;
    }
    if (ferror(file)) {
        return -EIO;
    }
    out[length] = '\0';
    return byte == EOF && length == 0 ? -ENODATA : length;
}

/* --- one line, as the library will understand it --- */

static const char line_shapes[] = "a line is [section], key = value, or a comment after # or ;";

static bool is_comment_or_blank(const char *text)
{
    text += strspn(text, " \t\r");
    return *text == '\0' || *text == ';' || *text == '#';
}

static const char *section_objection(const char *line)
{
    const char *end = strchr(line, ']');
    const char *rest = end != NULL ? end + 1 : "";
    size_t blanks = strspn(rest, " \t\r");
    bool clean = rest[blanks] == '\0' || (blanks > 0 && rest[blanks] == ';');
    return end != NULL && clean ? NULL : "a section is [name], and only a comment follows it";
}

/* NULL, or what is wrong with the shape of a line. */
static const char *objection(const char *line)
{
    if (is_comment_or_blank(line)) {
        return NULL;
    }
    if (line[0] == ' ' || line[0] == '\t') {
        return "the line begins with a blank; keys and sections begin at its start";
    }
    if (strncmp(line, "\xef\xbb\xbf", 3) == 0) {
        return "the line begins with a byte order mark, which is not allowed";
    }
    if (line[0] == '[') {
        return section_objection(line);
    }
    const char *separator = strpbrk(line, "=:");
    return separator != NULL && *separator == '=' ? NULL : line_shapes;
}

static int tell_section(struct reading *reading, const char *line)
{
    char name[CONF_LINE_MAX + 1];
    size_t length = strcspn(line + 1, "]");
    memcpy(name, line + 1, length);
    name[length] = '\0';
    return reading->sink->section(reading->sink->context, &reading->place, name);
}

/* --- what inih calls --- */

static int refuse(struct reading *reading, int result, int max, unsigned odd)
{
    switch (result) {
    case -EFBIG:
        conf_problem(&reading->place, reading->problem,
                     "the line is longer than %d bytes; a list may go on in another line with the "
                     "same key",
                     max);
        return -EINVAL;
    case -EILSEQ:
        conf_problem(&reading->place, reading->problem,
                     "the line holds a byte 0x%02x; only text and tabs are allowed", odd);
        return -EINVAL;
    default:
        conf_problem(&reading->place, reading->problem, "cannot be read: %s", strerror(-result));
        return result;
    }
}

static int take_line(struct reading *reading, char *out, int max)
{
    unsigned odd = 0;
    reading->place.line++;
    int length = read_line(reading->file, out, max, &odd);
    if (length == -ENODATA) {
        return length;
    }
    if (length < 0) {
        return refuse(reading, length, max, odd);
    }
    const char *why = objection(out);
    if (why != NULL) {
        conf_problem(&reading->place, reading->problem, "%s", why);
        return -EINVAL;
    }
    return out[0] == '[' ? tell_section(reading, out) : 0;
}

/* inih's reader: as fgets, into `size` bytes; NULL ends the file. */
static char *next_line(char *out, int size, void *context)
{
    struct reading *reading = context;
    int max = size - 2 < CONF_LINE_MAX ? size - 2 : CONF_LINE_MAX;
    if (reading->result == 0) {
        reading->result = take_line(reading, out, max);
    }
    return reading->result == 0 ? out : NULL;
}

static int next_entry(void *context, const char *section, const char *key, const char *value)
{
    struct reading *reading = context;
    const struct conf_sink *sink = reading->sink;
    reading->result = sink->entry(sink->context, &reading->place, section, key, value);
    return reading->result == 0;
}

static int read_stream(struct reading *reading)
{
    int line = ini_parse_stream(next_line, reading, next_entry, reading);
    if (reading->result != -ENODATA) {
        return reading->result;
    }
    if (line < 0) {
        conf_problem(&reading->place, reading->problem, "out of memory");
        return -ENOMEM;
    }
    if (line > 0) {
        reading->place.line = (unsigned)line;
        conf_problem(&reading->place, reading->problem, "%s", line_shapes);
        return -EINVAL;
    }
    return 0;
}

/* Without waiting for the writer of a FIFO. A character device is taken for /dev/null's sake. */
static int open_file(const struct conf_place *place, char problem[CONF_PROBLEM_MAX], FILE **ret)
{
    struct stat stat;
    int fd = open(place->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &stat) != 0) {
        int error = errno;
        conf_problem(place, problem, "cannot be opened: %s", strerror(error));
        if (fd >= 0) {
            (void)close(fd); /* only read from */
        }
        return -error;
    }
    bool regular = S_ISREG(stat.st_mode) || S_ISCHR(stat.st_mode);
    FILE *file = regular ? fdopen(fd, "r") : NULL;
    if (file == NULL) {
        int error = regular ? errno : EINVAL;
        conf_problem(place, problem, "%s",
                     S_ISDIR(stat.st_mode) ? "is a directory; allowed: a file"
                                           : "is not a regular file");
        (void)close(fd);
        return -error;
    }
    *ret = file;
    return 0;
}

int conf_read(const char *path, const struct conf_sink *sink, char problem[CONF_PROBLEM_MAX])
{
    struct reading reading = {.place = {.path = path}, .sink = sink, .problem = problem};
    int result = open_file(&reading.place, problem, &reading.file);
    if (result != 0) {
        return result;
    }
    result = read_stream(&reading);
    (void)fclose(reading.file); /* only read from */
    return result;
}
