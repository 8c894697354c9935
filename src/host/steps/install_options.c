/* SPDX-License-Identifier: Apache-2.0 */
#include "host/steps/install_options.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>

#include "host/conf/conf.h"
#include "wire/escape.h"
#include "wire/hex.h"

enum { OPTION_CONFIG = 256 }; /* long options without a letter: above every character */

static const struct option long_options[] = {
    {"config", required_argument, NULL, OPTION_CONFIG},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

PRINTF_LIKE(2, 3)
static int refuse(char problem[INSTALL_PROBLEM_MAX], const char *format, ...)
{
    char text[INSTALL_PROBLEM_MAX];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments); /* cut, if it must be */
    va_end(arguments);
    (void)escape_text(text_of(text), ESCAPE_LINE, problem, INSTALL_PROBLEM_MAX);
    return -EINVAL;
}

static int take(int option, const char *given, struct install_options *options,
                char problem[INSTALL_PROBLEM_MAX])
{
    switch (option) {
    case OPTION_CONFIG:
        options->config_path = optarg;
        return 0;
    case 'h':
        options->action = INSTALL_HELP;
        return 0;
    case 'V':
        options->action = INSTALL_VERSION;
        return 0;
    case ':':
        return refuse(problem, "option %s needs a value; see vsock_host-install --help", given);
    default:
        return refuse(problem, "%s is no option; expected --config FILE, --help or --version",
                      given);
    }
}

static int take_hash(char *const words[], int count, struct install_options *options,
                     char problem[INSTALL_PROBLEM_MAX])
{
    if (count != 1) {
        return refuse(problem,
                      "expected one SHA-256, got %d arguments; see vsock_host-install --help",
                      count);
    }
    if (sha256_parse(text_of(words[0]), options->sha256) != 0) {
        return refuse(problem, "%s is no SHA-256; expected 64 hex digits", words[0]);
    }
    return 0;
}

int install_options_parse(int argc, char *argv[], struct install_options *ret,
                          char problem[INSTALL_PROBLEM_MAX])
{
    struct install_options options = {.config_path = CONF_DEFAULT_PATH};
    opterr = 0;
    for (;;) {
        int word = optind;
        int option = getopt_long(argc, argv, "+:hV", long_options, NULL);
        if (option == -1) {
            break;
        }
        int error = take(option, argv[word], &options, problem);
        if (error != 0) {
            return error;
        }
    }
    if (options.action == INSTALL_RUN) {
        int error = take_hash(argv + optind, argc - optind, &options, problem);
        if (error != 0) {
            return error;
        }
    }
    *ret = options;
    return 0;
}

void install_options_print_help(FILE *out)
{
    fputs("usage: vsock_host-install [--config FILE] SHA256\n"
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
          "reboot is asked for.\n",
          out);
}
