/* SPDX-License-Identifier: Apache-2.0 */
#include "host/hsm/main.h"

#include "host/conf/conf.h"
#include "host/hsm/limit.h"
#include "host/hsm/run.h"
#include "host/hsm/usb.h"
#include "host/log.h"
#include "host/process/helper_main.h"
#include "host/process/result_line.h"
#include "wire/clock.h"
#include "wire/number.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define PROGRAM "vsock_host-hsm"

enum { CID_MAX = UINT32_MAX - 1 }; /* the highest means "any" to the kernel: no guest has it */

const char hsm_options_help[] =
    "usage: vsock_host-hsm [--config FILE] attach|detach CID\n"
    "Attaches the HSM, a USB stick, to the domain of the guest with that CID, or detaches it.\n"
    "vsock_host starts it. stdout gets one line, done: TEXT or CODE: TEXT; CODE is the error\n"
    "that the guest is told.\n"
    "\n"
    "      --config FILE    the configuration (default " CONF_DEFAULT_PATH ")\n"
    "  -h, --help           this text\n"
    "  -V, --version        the release\n"
    "\n"
    "Exit status:\n"
    "  0  done\n"
    "  1  not done; the line on stdout says why\n"
    "  2  usage\n";

static int take_words(char *const words[], struct hsm_options *options,
                      char problem[COMMAND_LINE_PROBLEM_MAX])
{
    uint64_t cid = 0;
    if (strcmp(words[0], "attach") == 0) {
        options->verb = HSM_ATTACH;
    } else if (strcmp(words[0], "detach") == 0) {
        options->verb = HSM_DETACH;
    } else {
        return command_line_refuse(problem, "%s is no command; expected attach or detach",
                                   words[0]);
    }
    if (decimal_parse(words[1], 0, CID_MAX, &cid) != 0) {
        return command_line_refuse(problem, "%s is no CID; expected a number from 0 to %u",
                                   words[1], (unsigned)CID_MAX);
    }
    options->cid = (uint32_t)cid;
    return 0;
}

static int hsm_options_parse(int argc, char *argv[], struct hsm_options *ret,
                             char problem[COMMAND_LINE_PROBLEM_MAX])
{
    struct command_line line;
    int error = command_line_parse(argc, argv, PROGRAM, &line, problem);
    if (error != 0) {
        return error;
    }
    struct hsm_options options = {.action = line.action, .config_path = line.config_path};
    if (line.action == COMMAND_LINE_RUN) {
        error = line.count == 2 ? take_words(line.words, &options, problem)
                                : command_line_refuse(problem,
                                                      "expected attach or detach and a CID, got %d "
                                                      "arguments; see " PROGRAM " --help",
                                                      line.count);
        if (error != 0) {
            return error;
        }
    }
    *ret = options;
    return 0;
}

/* vsock_host-hsm: attaches the HSM to a guest's domain, or detaches it. See --help for what it
 * says, and docs/architecture.md for how it is run. SIGTERM ends it as it ends any program: what was
 * begun is found by the next one. */

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
    char line[OPERATION_LINE_MAX + 1];
    result_line_format(code, text, line);
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
        .usb_folder = HSM_USB_FOLDER,
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
