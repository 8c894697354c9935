/* SPDX-License-Identifier: Apache-2.0 */
#include "host/program/program_child.h"

#include <stdio.h>
#include <string.h>

static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

static void describe(const struct program *program, const struct step_result *result,
                     struct program_result *ret)
{
    static const struct {
        enum program_end end;
        enum error_code code;
        const char *text;
    } ends[] = {
        [STEP_EXITED] = {PROGRAM_ENDED, ERROR_INTERNAL, "exited with status"},
        [STEP_SIGNALED] = {PROGRAM_ENDED, ERROR_INTERNAL, "was ended by signal"},
        [STEP_TIMEOUT] = {PROGRAM_TIMEOUT, ERROR_TIMEOUT,
                          "took too long and was killed; the signal was"},
        [STEP_LEFT] = {PROGRAM_LEFT, ERROR_SHUTTING_DOWN, "was left running; status"},
    };
    const char *nothing = program->said != NULL ? "nothing on stderr" : "it wrote nothing";
    bool well = result->end == STEP_EXITED && result->exit_status == 0;
    ret->end = ends[result->end].end;
    ret->code = well ? ERROR_NONE : ends[result->end].code;
    (void)snprintf(ret->how, sizeof(ret->how), "%.128s %s %d: %s", base_name(program->argv[0]),
                   ends[result->end].text, result->exit_status,
                   result->line[0] != '\0' ? result->line : nothing);
}

void program_child_run(const struct program *program, struct program_result *ret)
{
    struct step step = {
        .argv = program->argv,
        .deadline_ms = program->deadline_ms,
        .stop_fd = program->stop_fd,
        .survives = program->survives,
        .inherit_fd = program->inherit_fd,
        .said = program->said,
        .said_size = program->said_size,
        .on_line = program->on_line,
        .context = program->context,
    };
    struct step_result result;
    struct program_result described = {.end = PROGRAM_REFUSED, .code = ERROR_UNAVAILABLE};
    int error = step_run(&step, &result);
    if (error == 0) {
        describe(program, &result, &described);
        described.said = result.said;
    } else {
        (void)snprintf(described.how, sizeof(described.how), "%.256s cannot be started: %s",
                       program->argv[0], strerror(-error));
    }
    *ret = described;
}
