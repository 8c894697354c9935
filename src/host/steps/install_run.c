/* SPDX-License-Identifier: Apache-2.0 */
#include "host/steps/install_run.h"

#include <errno.h>
#include <stdlib.h>

#include "host/log/log.h"
#include "host/log/message_id.h"
#include "host/step/tail.h"
#include "host/steps/install_ending.h"
#include "wire/clock.h"
#include "wire/hex.h"

/* What the deployed installer says when it must be tried later. */
#define NOT_COMMITTED "Cannot install an upgrade before present system is committed as stable."

struct listener {
    struct tail tail;
    char hex[SHA256_HEX + 1]; /* of the image */
    bool not_committed;
};

static void on_line(void *context, const char *line)
{
    const struct listener *listener = context;
    const struct log_field fields[] = {{"VSOCK_UPGRADE_SHA256", listener->hex}};
    log_event(PRIORITY_INFO, MESSAGE_ID_INSTALLER_OUTPUT, fields, 1, "installer: %s", line);
}

static void on_text(void *context, struct text line)
{
    struct listener *listener = context;
    tail_add(&listener->tail, line);
    listener->not_committed =
        listener->not_committed ||
        memmem(line.bytes, line.length, NOT_COMMITTED, sizeof(NOT_COMMITTED) - 1) != NULL;
}

/* The configured words, then the image's path. */
static char **build_argv(const struct conf_strings *words, char *path)
{
    char **argv = calloc(words->count + 2, sizeof(*argv));
    if (argv != NULL) {
        memcpy(argv, words->items, words->count * sizeof(*argv));
        argv[words->count] = path;
    }
    return argv;
}

static int judge(const struct conf *conf, const struct listener *listener,
                 const struct step_result *result, struct install_failure *failure)
{
    char how[INSTALL_ENDING_MAX];
    char said[TAIL_MAX + 1];
    if (result->end == STEP_EXITED && result->exit_status == 0) {
        return 0;
    }
    install_ending_format(result, how, sizeof(how));
    tail_join(&listener->tail, said);
    if (result->end == STEP_EXITED && result->exit_status == 1 && listener->not_committed) {
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
    struct step_result result = {.end = STEP_EXITED};
    char **argv = build_argv(&conf->install.installer, path);
    struct step step = {
        .argv = argv,
        .deadline_ms = clock_deadline(conf->install.installer_ms),
        .stop_fd = stop_fd,
        .survives = true,
        .holds_output = true,
        .inherit_fd = lock_fd,
        .on_line = on_line,
        .on_text = on_text,
        .context = &listener,
    };
    *ret = (struct install_outcome){.exit_status = -1};
    tail_init(&listener.tail);
    sha256_format(sha256, listener.hex);
    int error = argv == NULL ? -ENOMEM : step_run(&step, &result);
    free(argv);
    if (error != 0) {
        return install_fail(failure, ERROR_INSTALL_FAILED,
                            "the installer %.128s cannot be started: %s",
                            conf->install.installer.items[0], strerror(-error));
    }
    if (result.end == STEP_LEFT) {
        ret->left = true;
        return 0;
    }
    ret->exit_status = install_ending_status(&result);
    return judge(conf, &listener, &result, failure);
}
