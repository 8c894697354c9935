/* SPDX-License-Identifier: Apache-2.0 */
/* vsock_host-hsm: attaches the HSM to a guest's domain, or detaches it. SIGTERM ends it at any point: the
 * next run finds what was begun. */
#include "host/conf/conf.h"
#include "host/hsm/limit.h"
#include "host/hsm/run.h"
#include "host/log.h"
#include "host/process/helper_main.h"
#include "host/process/result_line.h"
#include "wire/clock.h"
#include "wire/number.h"

#include <signal.h>
#include <string.h>
#include <unistd.h>

enum { CID_MAX = UINT32_MAX - 1 }; /* the highest means "any" to the kernel: no guest has it */

static const char help[] =
    "usage: vsock_host-hsm [--config FILE] attach|detach CID\n"
    "Attaches the HSM, a USB token, to the domain of the guest with that CID, or detaches it.\n"
    "vsock_host starts it. stdout gets one line, done: TEXT or CODE: TEXT; CODE is the\n"
    "error for the guest.\n"
    "\n"
    "      --config FILE    the configuration (default " CONF_DEFAULT_PATH ")\n"
    "  -h, --help           this text\n"
    "  -V, --version        the release\n"
    "\n"
    "Exit status:\n"
    "  0  done\n"
    "  1  not done; the line on stdout has the reason\n"
    "  2  usage\n";

static int parse_words(void *context, char *const words[], int count,
                       char problem[HELPER_MAIN_PROBLEM_MAX])
{
    struct hsm_order *order = context;
    uint64_t cid = 0;
    if (count != 2) {
        return helper_main_refuse(problem,
                                  "expected attach or detach and a CID, got %d arguments; see "
                                  "vsock_host-hsm --help",
                                  count);
    }
    if (strcmp(words[0], "attach") != 0 && strcmp(words[0], "detach") != 0) {
        return helper_main_refuse(problem, "unknown command %s; expected attach or detach",
                                  words[0]);
    }
    if (decimal_parse(words[1], 0, CID_MAX, &cid) != 0) {
        return helper_main_refuse(problem, "not a CID: %s; expected a number from 0 to %u",
                                  words[1], (unsigned)CID_MAX);
    }
    order->verb = words[0][0] == 'a' ? HSM_ATTACH : HSM_DETACH;
    order->cid = (uint32_t)cid;
    return 0;
}

/* The parent may have blocked or ignored signals. */
static void reset_signals(void)
{
    sigset_t none;
    (void)sigemptyset(&none); /* none of these can fail */
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)signal(SIGTERM, SIG_DFL);
    (void)signal(SIGCHLD, SIG_DFL);
    (void)signal(SIGPIPE, SIG_IGN); /* libvirt's connection may break */
}

/* The result, and nothing else, goes to stdout. Returns the exit status. */
static int write_result(enum error_code code, const char *text)
{
    char line[RESULT_LINE_MAX + 1];
    result_line_format(code, text, line);
    hsm_limit_claim();
    ssize_t written = write(STDOUT_FILENO, line, strlen(line));
    return code == ERROR_NONE && written > 0 ? 0 : 1;
}

int main(int argc, char *argv[])
{
    struct hsm_order order = {.usb_folder = HSM_USB_FOLDER};
    const struct helper_main program = {"vsock_host-hsm", help, parse_words, &order};
    struct hsm_result result;
    const char *config_path = NULL;
    struct conf *conf = NULL;
    char problem[CONF_PROBLEM_MAX];
    int exit_status = 0;
    if (!helper_main_begin(&program, argc, argv, &config_path, &exit_status)) {
        return exit_status;
    }
    reset_signals();
    if (conf_load(config_path, NULL, &conf, problem) != 0) {
        return write_result(ERROR_INTERNAL, problem);
    }
    order.conf = conf;
    order.deadline_ms = clock_deadline(conf->hsm.timeout_ms);
    hsm_limit_start(conf->hsm.timeout_ms, conf->hsm.uri);
    hsm_run(&order, &result);
    if (result.note[0] != '\0') {
        log_notice("%s", result.note);
    }
    exit_status = write_result(result.code, result.text);
    (void)conf_free(conf); /* NULL */
    return exit_status;
}
