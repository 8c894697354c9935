/* SPDX-License-Identifier: Apache-2.0 */
#include "host/conf/conf_read.h"

#include "host/conf/conf_value.h"
#include "wire/text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
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

static int add_drop_in(const char *folder, const char *name, struct conf_strings *files)
{
    char *path;
    if (asprintf(&path, "%s/%s", folder, name) < 0) {
        return -ENOMEM;
    }
    int result = conf_strings_append(files, path);
    free(path);
    return result;
}

static int add_drop_ins(const char *folder, struct conf_strings *files,
                        char problem[CONF_PROBLEM_MAX])
{
    struct dirent **entries = NULL;
    int count = scandir(folder, &entries, is_drop_in, by_name);
    if (count < 0) {
        int error = errno;
        const struct conf_place place = {.path = folder};
        (void)conf_refuse(&place, problem, "cannot be listed: %s", strerror(error));
        return error == ENOENT ? 0 : -error;
    }
    int result = 0;
    for (int i = 0; i < count; i++) {
        if (result == 0) {
            result = add_drop_in(folder, entries[i]->d_name, files);
        }
        free(entries[i]);
    }
    free(entries);
    return result;
}

int conf_files_find(const char *path, struct conf_strings *files, char problem[CONF_PROBLEM_MAX])
{
    char *folder;
    if (asprintf(&folder, "%s.d", path) < 0) {
        return -ENOMEM;
    }
    int result = conf_strings_append(files, path);
    if (result == 0) {
        result = add_drop_ins(folder, files, problem);
    }
    free(folder);
    return result;
}

int conf_refuse(const struct conf_place *place, char problem[CONF_PROBLEM_MAX], const char *format,
                ...)
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
    return -EINVAL;
}

/* --- lines --- */

struct reading {
    FILE *file;
    struct conf_place place;
    const struct conf_sink *sink;
    char *problem;
};

/* Reads up to a newline. -ENODATA at the end of the file, else 0 or -errno. */
static int read_line(struct reading *reading, char line[CONF_LINE_MAX + 1])
{
    size_t length = 0;
    int byte;
    reading->place.line++;
    while ((byte = getc(reading->file)) != EOF && byte != '\n') {
        if (length == CONF_LINE_MAX) {
            return conf_refuse(&reading->place, reading->problem,
                               "the line is longer than %d bytes; a list may go on in another line "
                               "with the same key",
                               CONF_LINE_MAX);
        }
        if ((byte < ' ' && byte != '\t' && byte != '\r') || byte == 0x7f) {
            return conf_refuse(&reading->place, reading->problem,
                               "the line holds a byte 0x%02x; only text and tabs are allowed",
                               (unsigned)byte);
        }
        line[length++] = (char)byte;
    }
    if (ferror(reading->file)) {
        int error = errno;
        (void)conf_refuse(&reading->place, reading->problem, "cannot be read: %s", strerror(error));
        return -error;
    }
    line[length] = '\0';
    return byte == EOF && length == 0 ? -ENODATA : 0;
}

static const char blanks[] = " \t\r";

static char *trim_blanks(char *text)
{
    text += strspn(text, blanks);
    size_t length = strlen(text);
    while (length > 0 && strchr(blanks, text[length - 1]) != NULL) {
        length--;
    }
    text[length] = '\0';
    return text;
}

/* A comment begins with a ; behind a blank. */
static void cut_comment(char *line)
{
    for (char *at = strchr(line, ';'); at != NULL; at = strchr(at + 1, ';')) {
        if (at > line && strchr(blanks, at[-1]) != NULL) {
            *at = '\0';
            return;
        }
    }
}

static int take_section(const struct reading *reading, char *line)
{
    char *end = strchr(line, ']');
    if (end == NULL || end[1 + strspn(end + 1, blanks)] != '\0') {
        return conf_refuse(&reading->place, reading->problem,
                           "a section is [name], and only a comment follows it");
    }
    *end = '\0';
    return reading->sink->section(reading->sink->context, &reading->place, line + 1);
}

static int take_entry(const struct reading *reading, char *line)
{
    char *separator = strpbrk(line, "=:");
    if (separator == NULL || *separator == ':') {
        return conf_refuse(&reading->place, reading->problem,
                           "a line is [section], key = value, or a comment after # or ;");
    }
    *separator = '\0';
    return reading->sink->entry(reading->sink->context, &reading->place, trim_blanks(line),
                                trim_blanks(separator + 1));
}

static int take_line(const struct reading *reading, char *line)
{
    const char *text = line + strspn(line, blanks);
    if (*text == '\0' || *text == ';' || *text == '#') {
        return 0;
    }
    if (text != line) {
        return conf_refuse(&reading->place, reading->problem,
                           "the line begins with a blank; keys and sections begin at its start");
    }
    if (strncmp(line, "\xef\xbb\xbf", 3) == 0) {
        return conf_refuse(&reading->place, reading->problem,
                           "the line begins with a byte order mark, which is not allowed");
    }
    cut_comment(line);
    return line[0] == '[' ? take_section(reading, line) : take_entry(reading, line);
}

/* Without waiting for the writer of a FIFO. A character device is allowed for the sake of /dev/null. */
static int open_file(const struct conf_place *place, char problem[CONF_PROBLEM_MAX], FILE **ret)
{
    struct stat stat;
    int fd = open(place->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &stat) != 0) {
        int error = errno;
        (void)conf_refuse(place, problem, "cannot be opened: %s", strerror(error));
        if (fd >= 0) {
            (void)close(fd); /* only read from */
        }
        return -error;
    }
    bool regular = S_ISREG(stat.st_mode) || S_ISCHR(stat.st_mode);
    FILE *file = regular ? fdopen(fd, "r") : NULL;
    if (file == NULL) {
        int error = regular ? errno : EINVAL;
        (void)conf_refuse(place, problem, "%s",
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
    char line[CONF_LINE_MAX + 1] = "";
    struct reading reading = {.place = {.path = path}, .sink = sink, .problem = problem};
    int result = open_file(&reading.place, problem, &reading.file);
    if (result != 0) {
        return result;
    }
    while (result == 0) {
        result = read_line(&reading, line);
        if (result == 0) {
            result = take_line(&reading, line);
        }
    }
    (void)fclose(reading.file); /* only read from */
    return result == -ENODATA ? 0 : result;
}
