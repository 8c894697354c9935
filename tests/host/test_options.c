/* SPDX-License-Identifier: Apache-2.0 */
#include "host/conf/conf.h"
#include "host/options.h"
#include "support/unit.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { ARGUMENTS_MAX = 48 };

static struct options options;
static char words[1024];

/* Splits a line at its blanks, as a shell would, and parses it. */
static const char *parse(const char *line)
{
    static char problem[OPTIONS_PROBLEM_MAX];
    char *argv[ARGUMENTS_MAX] = {NULL};
    char *rest = NULL;
    int argc = 0;
    snprintf(words, sizeof words, "vsock_host %s", line);
    for (char *word = strtok_r(words, " ", &rest); word != NULL && argc < ARGUMENTS_MAX - 1;
         word = strtok_r(NULL, " ", &rest)) {
        argv[argc++] = word;
    }
    problem[0] = '\0';
    int result = options_parse(argc, argv, &options, problem);
    CHECK_EQUAL(result, problem[0] == '\0' ? 0 : -EINVAL);
    return problem;
}

UNIT_TEST(test_defaults, "defaults")
{
    REQUIRE_STRING(parse(""), "");
    CHECK_EQUAL(options.action, OPTIONS_RUN);
    CHECK_STRING(options.config_path, CONF_DEFAULT_PATH);
    CHECK_NULL(options.listen[0]);
    CHECK_EQUAL(options.log, LOG_AUTO);
    CHECK_FALSE(options.verbose);
}

UNIT_TEST(test_all, "every option")
{
    REQUIRE_STRING(parse("--config a --config=b --listen unix:/x -v "
                         "--listen=vsock:any:5 --log auto --log stderr"),
                   "");
    CHECK_STRING(options.config_path, "b");
    CHECK_STRING(options.listen[0], "unix:/x");
    CHECK_STRING(options.listen[1], "vsock:any:5");
    CHECK_NULL(options.listen[2]);
    CHECK_EQUAL(options.log, LOG_STDERR);
    CHECK_TRUE(options.verbose);
    CHECK_STRING(parse("--log journal"), "");
    CHECK_EQUAL(options.log, LOG_JOURNAL);
}

static const struct {
    const char *line;
    enum options_action action;
} actions[] = {
    {"--check-config", OPTIONS_CHECK_CONFIG},
    {"--dump-config", OPTIONS_DUMP_CONFIG},
    {"--status", OPTIONS_STATUS},
    {"--status --status", OPTIONS_STATUS},
    {"-h", OPTIONS_HELP},
    {"--help", OPTIONS_HELP},
    {"-V", OPTIONS_VERSION},
    {"--version", OPTIONS_VERSION},
    {"--status --help", OPTIONS_HELP},
    {"-V --check-config", OPTIONS_VERSION},
    {"-vV", OPTIONS_VERSION},
    {"--", OPTIONS_RUN},
};

UNIT_TEST(test_actions, "what to do")
{
    CHECK_EACH(i, actions, "%s", actions[i].line) {
        CHECK_STRING(parse(actions[i].line), "");
        CHECK_EQUAL(options.action, actions[i].action);
    }
}

static const struct {
    const char *line;
    const char *problem;
} refused[] = {
    {"--confg x", "unknown option --confg; did you mean --config?"},
    {"--check-confg=3", "unknown option --check-confg; did you mean --check-config?"},
    {"--zebra", "unknown option --zebra; see vsock_host --help"},
    {"--l x", "unknown option --l; see vsock_host --help"},
    {"-x", "unknown option -x; see vsock_host --help"},
    {"-vx", "unknown option -x; see vsock_host --help"},
    {"--config", "option --config needs a value"},
    {"--listen", "option --listen needs a value"},
    {"--status=now", "option --status takes no value"},
    {"--verbose=1", "option --verbose takes no value"},
    {"--log syslog", "--log syslog: expected journal, stderr or auto"},
    {"--log journald", "--log journald: expected journal, stderr or auto; did you mean journal?"},
    {"--check-config --dump-config",
     "--check-config and --dump-config: only one of them is allowed"},
    {"--status --check-config", "--status and --check-config: only one of them is allowed"},
    {"serve", "unexpected argument serve; vsock_host has only options"},
    {"-- --status", "unexpected argument --status; vsock_host has only options"},
    {"serve --status", "unexpected argument serve; vsock_host has only options"},
    {"\x1b[2J", "unexpected argument \\x1b[2J; vsock_host has only options"},
};

UNIT_TEST(test_refused, "usage errors")
{
    CHECK_EACH(i, refused, "%s", refused[i].line) {
        CHECK_STRING(parse(refused[i].line), refused[i].problem);
    }
}

static const char *parse_listeners(int count)
{
    char line[1024] = "";
    for (int i = 0; i < count; i++) {
        size_t length = strlen(line);
        snprintf(line + length, sizeof line - length, " --listen unix:/%d", i);
    }
    return parse(line);
}

UNIT_TEST(test_listeners, "listeners, up to the limit and above")
{
    CHECK_STRING(parse_listeners(16), "");
    CHECK_STRING(options.listen[15], "unix:/15");
    CHECK_NULL(options.listen[16]);
    CHECK_STRING(parse_listeners(17), "--listen unix:/16 is one too many; at most 16 are allowed");
}

/* A screen is 24 lines of 80 columns. */
UNIT_TEST(test_help_is_one_screen, "the help fits a screen")
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    REQUIRE_NOT_NULL(out);
    options_print_help(out);
    REQUIRE_EQUAL(fclose(out), 0);
    size_t lines = 0;
    for (const char *line = text; *line != '\0'; line = strchr(line, '\n') + 1) {
        CHECK_COMPARE(strcspn(line, "\n"), <=, 80);
        lines++;
    }
    CHECK_COMPARE(lines, >, 10);
    CHECK_COMPARE(lines, <, 24);
    free(text);
}

UNIT_MAIN("options")
