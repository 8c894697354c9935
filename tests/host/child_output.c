/* SPDX-License-Identifier: Apache-2.0 */
#include "child_output.h"

#include "support/unit.h"
#include "wire/clock.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

static void on_line(void *context, const char *line)
{
    struct printed *into = context;
    unsigned long left_out = 0;
    if (sscanf(line, "(%lu lines left out)", &left_out) == 1) { // NOLINT(cert-err34-c)
        into->left_out += left_out;
        return;
    }
    if (into->lines++ == 0) {
        (void)snprintf(into->first, sizeof into->first, "%s", line);
        if (into->stop_fd >= 0) {
            CHECK_EQUAL(eventfd_write(into->stop_fd, 1), 0);
        }
    }
    if (into->length + strlen(line) + 2 < sizeof into->all) {
        into->length += (size_t)snprintf(into->all + into->length, sizeof into->all - into->length,
                                         "%s\n", line);
    }
}

static void on_text(void *context, struct text line)
{
    (void)line;
    ((struct printed *)context)->texts++;
}

struct printed printed;
struct child_result result;

struct child_command command_of(char *const argv[], int64_t ms)
{
    memset(&printed, 0, sizeof printed);
    printed.stop_fd = -1;
    return (struct child_command){.argv = argv,
                                  .deadline_ms = clock_deadline(ms),
                                  .grace_ms = GRACE_MS,
                                  .stop_fd = -1,
                                  .sink = {on_line, on_text, &printed}};
}

char *const *shell(const char *script)
{
    static char text[1024];
    static char program[] = "/bin/sh";
    static char option[] = "-c";
    static char *argv[] = {program, option, text, NULL};
    (void)snprintf(text, sizeof text, "%s", script);
    return argv;
}

void run_shell(const char *script, enum child_end end, int exit_status)
{
    struct child_command command = command_of(shell(script), FAR_MS);
    REQUIRE_EQUAL(child_run(&command, &result), 0);
    CHECK_EQUAL(result.end, end);
    CHECK_EQUAL(result.exit_status, exit_status);
}

bool ended(pid_t pid)
{
    char path[64];
    char state = 0;
    (void)snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        return true;
    }
    int found = fscanf(file, "%*d %*s %c", &state); // NOLINT(cert-err34-c)
    (void)fclose(file);
    return found != 1 || state == 'Z';
}

pid_t printed_pid(void)
{
    int pid = atoi(printed.first); // NOLINT(cert-err34-c)
    REQUIRE_COMPARE(pid, >, 1);
    return pid;
}
