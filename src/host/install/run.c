/* SPDX-License-Identifier: Apache-2.0 */
#include "host/install/run.h"

#include "host/log.h"
#include "host/message_id.h"
#include "host/process/output.h"
#include "host/systemd/logind.h"
#include "wire/clock.h"
#include "wire/number.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

void install_exit_status_format(const struct child_result *result, char *out, size_t size)
{
    int number = result->exit_status;
    if (result->end == CHILD_EXITED) {
        (void)snprintf(out, size, "exited with status %d", number);
        return;
    }
    const char *name = sigabbrev_np(number);
    (void)snprintf(out, size, "%s signal %d (SIG%s)",
                   result->end == CHILD_TIMEOUT ? "took too long and was ended by" : "was ended by",
                   number, name != NULL ? name : "?");
}

int install_exit_status(const struct child_result *result)
{
    return result->end == CHILD_EXITED ? result->exit_status : 128 + result->exit_status;
}

enum { WHY_MAX = 512 };

static void on_line(void *context, const char *line)
{
    (void)context;
    log_info("reboot: %s", line);
}

static void on_text(void *context, struct text line)
{
    tail_add(context, line);
}

static int run_command(char *const argv[], int64_t limit_ms, struct install_failure *failure)
{
    struct tail tail;
    struct child_result result;
    struct child_command step = {
        .argv = argv,
        .deadline_ms = clock_deadline(limit_ms),
        .stop_fd = -1, /* once installed, we are asked to stop in vain */
        .on_line = on_line,
        .on_text = on_text,
        .context = &tail,
    };
    tail_init(&tail);
    int error = child_run(&step, &result);
    if (error != 0) {
        return install_fail(failure, ERROR_REBOOT_FAILED,
                            "the reboot command %.128s cannot be started: %s", argv[0],
                            strerror(-error));
    }
    if (result.end == CHILD_EXITED && result.exit_status == 0) {
        return 0;
    }
    char how[INSTALL_ENDING_MAX];
    char said[TAIL_MAX + 1];
    install_exit_status_format(&result, how, sizeof how);
    tail_join(&tail, said);
    return install_fail(failure, ERROR_REBOOT_FAILED, "the reboot command %.128s %s%s%s", argv[0],
                        how, said[0] != '\0' ? ": " : "", said);
}

static int ask_logind(int64_t delay_ms, struct install_failure *failure)
{
    char why[WHY_MAX];
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
    int result = by_command ? run_command(conf->reboot.command.items, limit_ms, failure)
                            : ask_logind(conf->reboot.delay_ms, failure);
    if (result == 0) {
        *reboot_at = at;
    }
    return result;
}

/* What the deployed installer says when it must be tried later. */
#define NOT_COMMITTED "Cannot install an upgrade before present system is committed as stable."

struct listener {
    struct tail tail;
    char hex[SHA256_HEX + 1]; /* of the image */
    bool not_committed;
};

static void install_run_on_line(void *context, const char *line)
{
    const struct listener *listener = context;
    const struct log_field fields[] = {{"VSOCK_UPGRADE_SHA256", listener->hex}};
    log_event(PRIORITY_INFO, MESSAGE_ID_INSTALLER_OUTPUT, fields, 1, "installer: %s", line);
}

static void install_run_on_text(void *context, struct text line)
{
    struct listener *listener = context;
    tail_add(&listener->tail, line);
    listener->not_committed =
        listener->not_committed ||
        memmem(line.bytes, line.length, NOT_COMMITTED, sizeof NOT_COMMITTED - 1) != NULL;
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

static int judge(const struct conf *conf, const struct listener *listener,
                 const struct child_result *result, struct install_failure *failure)
{
    char how[INSTALL_ENDING_MAX];
    char said[TAIL_MAX + 1];
    if (result->end == CHILD_EXITED && result->exit_status == 0) {
        return 0;
    }
    install_exit_status_format(result, how, sizeof how);
    tail_join(&listener->tail, said);
    if (result->end == CHILD_EXITED && result->exit_status == 1 && listener->not_committed) {
        return install_fail(failure, ERROR_NOT_READY,
                            "try later: the present system is not committed as stable: %s", said);
    }
    return install_fail(failure, ERROR_INSTALL_FAILED, "the installer %.128s %s%s%s",
                        conf->install.installer.items[0], how, said[0] != '\0' ? ": " : "", said);
}

int install_run(const struct conf *conf, const uint8_t sha256[SHA256_SIZE], char *path, int lock_fd,
                int stop_fd, struct install_outcome *ret, struct install_failure *failure)
{
    struct listener listener = {.not_committed = false};
    struct child_result result = {.end = CHILD_EXITED};
    char **argv = build_argv(&conf->install.installer, path);
    struct child_command step = {
        .argv = argv,
        .deadline_ms = clock_deadline(conf->install.installer_ms),
        .stop_fd = stop_fd,
        .survives = true,
        .holds_output = true,
        .inherit_fd = lock_fd,
        .on_line = install_run_on_line,
        .on_text = install_run_on_text,
        .context = &listener,
    };
    *ret = (struct install_outcome){.exit_status = -1};
    tail_init(&listener.tail);
    sha256_format(sha256, listener.hex);
    int error = argv == NULL ? -ENOMEM : child_run(&step, &result);
    free(argv);
    if (error != 0) {
        return install_fail(failure, ERROR_INSTALL_FAILED,
                            "the installer %.128s cannot be started: %s",
                            conf->install.installer.items[0], strerror(-error));
    }
    if (result.end == CHILD_LEFT) {
        ret->left = true;
        return 0;
    }
    ret->exit_status = install_exit_status(&result);
    return judge(conf, &listener, &result, failure);
}
