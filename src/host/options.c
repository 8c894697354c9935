/* SPDX-License-Identifier: Apache-2.0 */
#include "host/options.h"

#include "host/conf/conf.h"
#include "host/operation.h"
#include "wire/address.h"
#include "wire/suggest.h"
#include "wire/text.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <string.h>

/* Long options without a letter: above every character. */
enum {
    OPTION_CONFIG = 256,
    OPTION_CHECK,
    OPTION_DUMP,
    OPTION_HSM_RESULTS,
    OPTION_LISTEN,
    OPTION_LOG,
    OPTION_STATUS
};

static const struct option long_options[] = {
    {"config", required_argument, NULL, OPTION_CONFIG},
    {"check-config", no_argument, NULL, OPTION_CHECK},
    {"dump-config", no_argument, NULL, OPTION_DUMP},
    {"hsm-results", required_argument, NULL, OPTION_HSM_RESULTS},
    {"listen", required_argument, NULL, OPTION_LISTEN},
    {"log", required_argument, NULL, OPTION_LOG},
    {"status", no_argument, NULL, OPTION_STATUS},
    {"verbose", no_argument, NULL, 'v'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};
enum { LONG_OPTIONS = sizeof long_options / sizeof long_options[0] - 1 };

static const char *const log_names[] = {
    [LOG_AUTO] = "auto", [LOG_JOURNAL] = "journal", [LOG_STDERR] = "stderr"};
enum { LOG_NAMES = sizeof log_names / sizeof log_names[0] };

PRINTF_LIKE(2, 3)
static int refuse(char problem[OPTIONS_PROBLEM_MAX], const char *format, ...)
{
    char text[4 * OPTIONS_PROBLEM_MAX];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    (void)escape_text(text_of(text), ESCAPE_LINE, problem, OPTIONS_PROBLEM_MAX);
    return -EINVAL;
}

/* `given` is the word that getopt did not accept. A single letter of it is in optopt. */
static int refuse_unknown(const char *given, char problem[OPTIONS_PROBLEM_MAX])
{
    const char *names[LONG_OPTIONS];
    char name[64];
    int length = (int)strcspn(given, "=");
    if (optopt >= OPTION_CONFIG || (optopt != 0 && strncmp(given, "--", 2) == 0)) {
        return refuse(problem, "option %.*s takes no value", length, given);
    }
    if (optopt != 0) {
        return refuse(problem, "unknown option -%c; see vsock_host --help", optopt);
    }
    for (size_t i = 0; i < LONG_OPTIONS; i++) {
        names[i] = long_options[i].name;
    }
    snprintf(name, sizeof name, "%.*s", length, given);
    const char *nearest = suggest_name(name + strspn(name, "-"), names, LONG_OPTIONS);
    if (nearest == NULL) {
        return refuse(problem, "unknown option %s; see vsock_host --help", name);
    }
    return refuse(problem, "unknown option %s; did you mean --%s?", name, nearest);
}

static int add_listener(struct options *options, char problem[OPTIONS_PROBLEM_MAX])
{
    struct address address;
    const char *why;
    if (address_parse(optarg, ADDRESS_LISTEN, &address, &why) < 0) {
        return refuse(problem, "--listen \"%s\": %s", optarg, why);
    }
    for (size_t i = 0; i < OPTIONS_LISTEN_MAX; i++) {
        if (options->listen[i] == NULL) {
            options->listen[i] = optarg;
            return 0;
        }
    }
    return refuse(problem, "--listen %s is one too many; at most %d are allowed", optarg,
                  OPTIONS_LISTEN_MAX);
}

static int set_log(struct options *options, char problem[OPTIONS_PROBLEM_MAX])
{
    for (unsigned i = 0; i < LOG_NAMES; i++) {
        if (strcmp(optarg, log_names[i]) == 0) {
            options->log = (enum log_target)i;
            return 0;
        }
    }
    const char *nearest = suggest_name(optarg, log_names, LOG_NAMES);
    if (nearest == NULL) {
        return refuse(problem, "--log %s: expected journal, stderr or auto", optarg);
    }
    return refuse(problem, "--log %s: expected journal, stderr or auto; did you mean %s?", optarg,
                  nearest);
}

/* --help and --version take precedence over the others, of which only one is allowed. */
static int set_action(struct options *options, enum options_action action,
                      char problem[OPTIONS_PROBLEM_MAX])
{
    static const char *const names[] = {
        [OPTIONS_CHECK_CONFIG] = "--check-config",
        [OPTIONS_DUMP_CONFIG] = "--dump-config",
        [OPTIONS_STATUS] = "--status",
    };
    if (action < OPTIONS_HELP && options->action >= OPTIONS_HELP) {
        return 0;
    }
    if (action < OPTIONS_HELP && options->action != OPTIONS_RUN && options->action != action) {
        return refuse(problem, "%s and %s: only one of them is allowed", names[options->action],
                      names[action]);
    }
    options->action = action;
    return 0;
}

static int take_option(int option, const char *given, struct options *options,
                       char problem[OPTIONS_PROBLEM_MAX])
{
    switch (option) {
    case OPTION_CONFIG:
        options->config_path = optarg;
        return 0;
    case OPTION_HSM_RESULTS:
        options->hsm_results = optarg;
        return 0;
    case OPTION_LISTEN:
        return add_listener(options, problem);
    case OPTION_LOG:
        return set_log(options, problem);
    case OPTION_CHECK:
        return set_action(options, OPTIONS_CHECK_CONFIG, problem);
    case OPTION_DUMP:
        return set_action(options, OPTIONS_DUMP_CONFIG, problem);
    case OPTION_STATUS:
        return set_action(options, OPTIONS_STATUS, problem);
    case 'h':
        return set_action(options, OPTIONS_HELP, problem);
    case 'V':
        return set_action(options, OPTIONS_VERSION, problem);
    case 'v':
        options->verbose = true;
        return 0;
    case ':':
        return refuse(problem, "option %s needs a value", given);
    default:
        return refuse_unknown(given, problem);
    }
}

int options_parse(int argc, char *argv[], struct options *ret, char problem[OPTIONS_PROBLEM_MAX])
{
    struct options options = {
        .config_path = CONF_DEFAULT_PATH, .hsm_results = OPERATION_RESULTS, .log = LOG_AUTO};
    int option;
    int word = 1;
    optind = 0; /* getopt(3): begins anew, the permutation included */
    opterr = 0;
    while ((option = getopt_long(argc, argv, "+:vhV", long_options, NULL)) != -1) {
        if (take_option(option, argv[word], &options, problem) != 0) {
            return -EINVAL;
        }
        word = optind;
    }
    if (optind < argc) {
        return refuse(problem, "unexpected argument %s; vsock_host has only options", argv[optind]);
    }
    *ret = options;
    return 0;
}

void options_print_help(FILE *out)
{
    fputs("usage: vsock_host [OPTIONS]\n"
          "Serves the guests of this machine over vsock.\n"
          "\n"
          "      --config FILE    the configuration, with drop-ins in FILE.d/*.conf\n"
          "                       (default " CONF_DEFAULT_PATH ")\n"
          "      --listen ADDR    vsock:any:PORT, vsock:CID:PORT or unix:/PATH, in place of\n"
          "                       [listen] address; may be given several times\n"
          "      --hsm-results DIR\n"
          "                       where the units of vsock_host-hsm leave their result\n"
          "                       (default " OPERATION_RESULTS ")\n"
          "      --log WHERE      journal, stderr or auto (default auto: the journal when\n"
          "                       stderr leads there)\n"
          "  -v, --verbose        log more\n"
          "\n"
          "      --check-config   check the configuration, and exit\n"
          "      --dump-config    print every key with its value, and exit\n"
          "      --status         print the state of the last upgrade, and exit\n"
          "  -h, --help           print this, and exit\n"
          "  -V, --version        print the version, and exit\n"
          "\n"
          "Exit status: 0 after SIGTERM or SIGINT, 1 configuration or start, 2 usage.\n"
          "See vsock_host(8) and vsock_host.conf(5).\n",
          out);
}
