/* SPDX-License-Identifier: Apache-2.0 */
#include "host/install/run.h"

#include "host/log.h"
#include "host/message_id.h"
#include "host/process/child.h"
#include "host/systemd/logind.h"
#include "wire/clock.h"
#include "wire/number.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

/* What the deployed installer prints when it must be tried later. */
#define NOT_COMMITTED "Cannot install an upgrade before present system is committed as stable."

struct listener {
    const char *name; /* in the log */
    const char *message_id;
    struct output_tail tail;
    char hex[SHA256_HEX + 1]; /* of the image, "": not logged */
    bool not_committed;
};

static void log_line_of_program(void *context, const char *line)
{
    const struct listener *listener = context;
    const struct log_field fields[] = {
        {"VSOCK_UPGRADE_SHA256", listener->hex[0] != '\0' ? listener->hex : NULL}};
    log_event(PRIORITY_INFO, listener->message_id, fields, 1, "%s: %s", listener->name, line);
}

static void keep_line(void *context, struct text line)
{
    struct listener *listener = context;
    output_tail_add(&listener->tail, line);
    listener->not_committed =
        listener->not_committed ||
        memmem(line.bytes, line.length, NOT_COMMITTED, sizeof NOT_COMMITTED - 1) != NULL;
}

/* Runs a program whose failure has this code. 0: it ended with status 0, or was left running. */
static int run_program(struct child_command *command, struct listener *listener,
                       struct child_result *ret, enum error_code code,
                       struct install_failure *failure)
{
    char end[CHILD_END_MAX];
    char tail[OUTPUT_TAIL_MAX + 1];
    command->sink = (struct output_sink){log_line_of_program, keep_line, listener};
    int error = child_run(command, ret);
    if (error != 0) {
        return install_fail(failure, code, "the %s %.128s cannot be started: %s", listener->name,
                            command->argv[0], strerror(-error));
    }
    if (ret->end == CHILD_LEFT || (ret->end == CHILD_EXITED && ret->exit_status == 0)) {
        return 0;
    }
    output_tail_join(&listener->tail, tail);
    if (code == ERROR_INSTALL_FAILED && ret->end == CHILD_EXITED && ret->exit_status == 1 &&
        listener->not_committed) {
        return install_fail(failure, ERROR_NOT_READY,
                            "try later: the current system is not committed as stable: %s", tail);
    }
    child_end_format(ret, end);
    return install_fail(failure, code, "the %s %.128s %s%s%s", listener->name, command->argv[0],
                        end, tail[0] != '\0' ? ": " : "", tail);
}

static int run_reboot_command(char *const argv[], int64_t limit_ms, struct install_failure *failure)
{
    struct listener listener = {.name = "reboot command"};
    struct child_result result;
    struct child_command command = {
        .argv = argv,
        .deadline_ms = clock_deadline(limit_ms),
        .stop_fd = -1, /* a stop has no effect once the image is installed */
    };
    return run_program(&command, &listener, &result, ERROR_REBOOT_FAILED, failure);
}

static int schedule_reboot(int64_t delay_ms, struct install_failure *failure)
{
    char why[512];
    if (logind_schedule_reboot(delay_ms, why, sizeof why) != 0) {
        return install_fail(failure, ERROR_REBOOT_FAILED, "the reboot cannot be scheduled: %s",
                            why);
    }
    return 0;
}

int install_reboot(const struct conf *conf, int64_t limit_ms, uint64_t *reboot_at,
                   struct install_failure *failure)
{
    bool by_command = conf->reboot.method == CONF_REBOOT_COMMAND;
    int64_t ahead_ms = by_command ? 0 : conf->reboot.delay_ms;
    uint64_t at = (uint64_t)time(NULL) + (uint64_t)(ahead_ms + 999) / 1000;
    int result = by_command ? run_reboot_command(conf->reboot.command.items, limit_ms, failure)
                            : schedule_reboot(conf->reboot.delay_ms, failure);
    if (result == 0) {
        *reboot_at = at;
    }
    return result;
}

/* The configured words, then the image's path. */
static char **build_argv(const struct conf_strings *words, char *path)
{
    char **argv = calloc(words->count + 2, sizeof *argv);
    if (argv != NULL) {
        memcpy(argv, words->items, words->count * sizeof *argv);
        argv[words->count] = path;
    }
    return argv;
}

int install_run(const struct conf *conf, const uint8_t sha256[SHA256_SIZE], char *path, int lock_fd,
                int stop_fd, struct install_outcome *ret, struct install_failure *failure)
{
    struct listener listener = {.name = "installer", .message_id = MESSAGE_ID_INSTALLER_OUTPUT};
    struct child_result result = {.end = CHILD_LEFT};
    char **argv = build_argv(&conf->install.installer, path);
    struct child_command command = {
        .argv = argv,
        .deadline_ms = clock_deadline(conf->install.installer_ms),
        .stop_fd = stop_fd,
        .survives = true,
        .holds_output = true,
        .inherit_fd = lock_fd,
    };
    *ret = (struct install_outcome){.exit_status = -1};
    if (argv == NULL) {
        return install_fail(failure, ERROR_INSTALL_FAILED, "the installer %.128s: %s",
                            conf->install.installer.items[0], strerror(ENOMEM));
    }
    sha256_format(sha256, listener.hex);
    int error = run_program(&command, &listener, &result, ERROR_INSTALL_FAILED, failure);
    free(argv);
    ret->left = error == 0 && result.end == CHILD_LEFT;
    if (result.end != CHILD_LEFT) { /* 128+n for a signal, as a shell has it */
        ret->exit_status = result.exit_status + (result.end == CHILD_EXITED ? 0 : 128);
    }
    return error;
}
