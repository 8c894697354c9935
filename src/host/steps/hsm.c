/* SPDX-License-Identifier: Apache-2.0 */
/* vsock_host-hsm: attaches the HSM to a guest's domain, or detaches it. See --help for what it
 * says, and docs/architecture.md for how it is run. SIGTERM ends it as it ends any program: what was
 * begun is found by the next one. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "host/errand/errand_line.h"
#include "host/log/log.h"
#include "host/steps/descriptors.h"
#include "host/steps/hsm_limit.h"
#include "host/steps/hsm_options.h"
#include "host/steps/hsm_run.h"
#include "host/steps/hsm_sticks.h"
#include "wire/clock.h"

enum hsm_status { STATUS_DONE = 0, STATUS_TOLD = 1, STATUS_USAGE = 2 };

/* Whatever started us may have had signals blocked or ignored. */
static void take_signals(void)
{
    sigset_t none;
    (void)sigemptyset(&none); /* none of these can fail */
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGTERM, SIG_DFL);
    (void)signal(SIGCHLD, SIG_DFL);
    (void)signal(SIGPIPE, SIG_IGN); /* libvirt's connection may break */
}

/* The result, and nothing else, goes to stdout. */
static enum hsm_status say(enum error_code code, const char *text)
{
    char line[ERRAND_LINE_MAX + 1];
    errand_line_format(code, text, line);
    hsm_limit_claim();
    ssize_t written = write(STDOUT_FILENO, line, strlen(line));
    return code == ERROR_NONE && written > 0 ? STATUS_DONE : STATUS_TOLD;
}

static enum hsm_status run(const struct hsm_options *options, const struct conf *conf)
{
    struct hsm_result result;
    const struct hsm_order order = {
        .conf = conf,
        .verb = options->verb,
        .cid = options->cid,
        .deadline_ms = clock_deadline(conf->hsm.timeout_ms),
        .usb_folder = HSM_STICKS_FOLDER,
    };
    hsm_limit_start(conf->hsm.timeout_ms, conf->hsm.uri);
    hsm_run(&order, &result);
    if (result.note[0] != '\0') {
        log_notice("%s", result.note);
    }
    return say(result.code, result.text);
}

int main(int argc, char *argv[])
{
    struct hsm_options options;
    struct conf *conf = NULL;
    char usage[COMMAND_LINE_PROBLEM_MAX];
    char problem[CONF_PROBLEM_MAX];
    descriptors_open_standard();
    take_signals();
    if (hsm_options_parse(argc, argv, &options, usage) != 0) {
        fprintf(stderr, "vsock_host-hsm: %s\n", usage);
        return STATUS_USAGE;
    }
    if (options.action != COMMAND_LINE_RUN) {
        return command_line_answer(options.action, "vsock_host-hsm", hsm_options_help)
                   ? STATUS_DONE
                   : STATUS_TOLD;
    }
    log_init("vsock_host-hsm", LOG_AUTO, false);
    if (conf_load(options.config_path, NULL, &conf, problem) != 0) {
        return (int)say(ERROR_INTERNAL, problem);
    }
    enum hsm_status status = run(&options, conf);
    (void)conf_free(conf); /* NULL */
    return (int)status;
}
