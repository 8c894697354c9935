/* SPDX-License-Identifier: Apache-2.0 */
#include "host/steps/install_options.h"

#include "host/conf/conf.h"
#include "wire/hex.h"

#define PROGRAM "vsock_host-install"

const char install_options_help[] =
    "usage: vsock_host-install [--config FILE] SHA256\n"
    "Installs the verified image SHA256.img of [upgrade] directory and asks for the reboot.\n"
    "vsock_host starts it; what it did is in the file \"record\" of [install] directory.\n"
    "\n"
    "      --config FILE    the configuration (default " CONF_DEFAULT_PATH ")\n"
    "  -h, --help           this text\n"
    "  -V, --version        the release\n"
    "\n"
    "Exit status:\n"
    "  0  installed, and the reboot is asked for\n"
    "  1  failed; the record and the last line of stderr say why\n"
    "  2  usage\n"
    "  3  busy: another installation lives; its record is left alone\n"
    "  4  nothing was begun, or nothing could be recorded: the configuration or a directory\n"
    "  5  told to stop (SIGTERM, SIGINT): the installer is left running, and holds the lock\n"
    "An image that this boot's record says is installed is not installed again: only the\n"
    "reboot is asked for.\n";

static int take_hash(const struct command_line *line, uint8_t sha256[SHA256_SIZE],
                     char problem[COMMAND_LINE_PROBLEM_MAX])
{
    if (line->count != 1) {
        return command_line_refuse(
            problem, "expected one SHA-256, got %d arguments; see " PROGRAM " --help", line->count);
    }
    if (sha256_parse(text_of(line->words[0]), sha256) != 0) {
        return command_line_refuse(problem, "%s is no SHA-256; expected 64 hex digits",
                                   line->words[0]);
    }
    return 0;
}

int install_options_parse(int argc, char *argv[], struct install_options *ret,
                          char problem[COMMAND_LINE_PROBLEM_MAX])
{
    struct command_line line;
    int error = command_line_parse(argc, argv, PROGRAM, &line, problem);
    if (error != 0) {
        return error;
    }
    struct install_options options = {.action = line.action, .config_path = line.config_path};
    if (line.action == COMMAND_LINE_RUN) {
        error = take_hash(&line, options.sha256, problem);
        if (error != 0) {
            return error;
        }
    }
    *ret = options;
    return 0;
}
