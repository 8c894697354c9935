/* SPDX-License-Identifier: Apache-2.0 */
#include "host/steps/hsm_options.h"

#include <string.h>

#include "host/conf/conf.h"
#include "wire/decimal.h"

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

int hsm_options_parse(int argc, char *argv[], struct hsm_options *ret,
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
