/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines that are refused, word for word, and the help that lists what is taken. */
#include "compat/dialects.h"
#include "guest/help.h"
#include "guest/options.h"
#include "options_case.h"

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define SEE  "see 'vsock_guest --help'"

static const struct {
    const char *line;
    const char *error;
} rows[] = {
    {"", "no command is given; " SEE},
    {"-v", "no command is given; " SEE},
    {"atach-hsm", "unknown command 'atach-hsm'; did you mean attach-hsm?"},
    {"reboot-the-moon", "unknown command 'reboot-the-moon'; " SEE},
    {"attach-hsm detach-hsm", "one command at a time: 'detach-hsm' comes after 'attach-hsm'"},
    {"--attach-hsm detach-hsm", "one command at a time: 'detach-hsm' comes after '--attach-hsm'"},
    {"--attach-hsm --detach-hsm",
     "one command at a time: '--detach-hsm' comes after '--attach-hsm'"},
    {"--notify a --notify b", "one command at a time: '--notify' comes after '--notify'"},
    {"notify a attach-hsm", "one command at a time: 'attach-hsm' comes after 'notify'"},
    {"attach-hsm x", "'x' is one word too many for attach-hsm"},
    {"notify a b", "'b' is one word too many for notify; put the message in quotes"},
    {"notify", "notify needs a MESSAGE, or - to read it from stdin"},
    {"notify --count", "--count needs a value: --count N"},
    {"--notify", "--notify needs a value: --notify MESSAGE"},
    {"attach-hsm -t", "--timeout needs a value: --timeout SECONDS"},
    {"attach-hsm --verbose=1", "--verbose takes no value"},
    {"attach-hsm --tiemout 3", "unknown option '--tiemout'; did you mean --timeout?"},
    {"attach-hsm --tiemout=3", "unknown option '--tiemout=3'; did you mean --timeout?"},
    {"attach-hsm --ver", "option '--ver' is ambiguous; expected --verbose or --version"},
    {"attach-hsm --=1", "unknown option '--=1'; " SEE},
    {"attach-hsm --frobnicate", "unknown option '--frobnicate'; " SEE},
    {"attach-hsm -vx", "unknown option '-x' in '-vx'; " SEE},
    {"attach-hsm --count 2", "--count belongs to notify, not to attach-hsm"},
    {"--attach-hsm --hash " HASH, "--hash belongs to upgrade, not to --attach-hsm"},
    {"notify a --follow", "--follow belongs to get-upgrade-status, not to notify"},
    {"decode --url u", "--url belongs to upgrade, not to decode"},
    {"upgrade --hash " HASH, "upgrade needs --url URL"},
    {"upgrade --url u", "upgrade needs --hash SHA256"},
    {"--upgrade u", "upgrade needs --hash SHA256"},
    {"upgrade --url ''", "the url has 0 bytes; expected 1 to 2048 bytes of UTF-8"},
    {"upgrade --url \xff",
     "the url has 1 bytes that are not UTF-8; expected 1 to 2048 bytes of UTF-8"},
    {"upgrade --hash abc", "--hash takes the SHA-256 of the image, 64 hex digits, not 'abc' "
                           "(3 bytes)"},
    {"notify \xc0\x80", "the message is not text; expected UTF-8 without NUL"},
    {"notify a --echo=", "--echo= names no device; expected --echo or --echo=DEVICE,..."},
    {"notify a --count -1", "--count takes a number from 0 to 4294967295, not '-1'"},
    {"notify a --count 4294967296",
     "--count takes a number from 0 to 4294967295, not '4294967296'"},
    {"attach-hsm -t 1e3",
     "--timeout takes seconds from 0 to 1000000000, such as 30 or 0.5, not '1e3'"},
    {"attach-hsm --connect-timeout -1",
     "--connect-timeout takes seconds from 0 to 1000000000, such as 30 or 0.5, not '-1'"},
    {"attach-hsm -p 0", "--port takes a number from 1 to 4294967294, not '0'"},
    {"attach-hsm -p 4294967295", "--port takes a number from 1 to 4294967294, not '4294967295'"},
    {"attach-hsm -a unix:/s -p 1",
     "--port goes with a vsock address; --address names a Unix socket"},
    {"attach-hsm -o yaml", "--output takes payload, value or json, not 'yaml'"},
    {"attach-hsm -o jsn", "--output takes payload, value or json, not 'jsn'; did you mean 'json'?"},
    {"attach-hsm --progress ''", "--progress takes auto, always or never, not ''"},
    {"help nonsense", "unknown command 'nonsense'; " SEE},
    {"help notfy", "unknown command 'notfy'; did you mean notify?"},
    {"help notify notify", "one command at a time: 'notify' comes after 'help'"},
    {"decode a b", "'b' is one word too many for decode"},
};

UNIT_TEST(test_refusals, "refusals, word for word")
{
    CHECK_EACH(i, rows, "%s", rows[i].line) {
        struct options_case made = options_case_parse(rows[i].line, NULL);
        CHECK_COMPARE(made.status, <, 0);
        if (strcmp(made.error, rows[i].error) != 0) {
            fprintf(stderr, "%s\n  got  %s\n  want %s\n", rows[i].line, made.error, rows[i].error);
        }
        CHECK_STRING(made.error, rows[i].error);
        options_case_done(&made);
    }
}

UNIT_TEST(test_refused_addresses, "refused addresses")
{
    struct options_case made = options_case_parse("attach-hsm -a vsock:any:1", NULL);
    CHECK_COMPARE(made.status, <, 0);
    CHECK_PREFIX(made.error, "--address 'vsock:any:1': ");
    options_case_done(&made);
    made = options_case_parse("attach-hsm", "tcp:1");
    CHECK_COMPARE(made.status, <, 0);
    CHECK_PREFIX(made.error, "VSOCK_HOST_ADDRESS 'tcp:1': ");
    options_case_done(&made);
}

/* A name of the decided dialects is refused until its row is there, and the rows are named. */
UNIT_TEST(test_protocols, "protocols")
{
    static const char *const names[] = {"tlv-1", "tlv-0", "json-1", "json-0", "nonsense"};
    CHECK_EACH(i, names, "%s", names[i]) {
        char line[64];
        snprintf(line, sizeof line, "attach-hsm --protocol %s", names[i]);
        struct options_case made = options_case_parse(line, NULL);
        CHECK_EQUAL(made.status == 0, dialect_find(names[i]) != NULL);
        if (made.status < 0) {
            CHECK_CONTAINS(made.error, "--protocol takes one of auto, ");
            CHECK_CONTAINS(made.error, names[i]);
        }
        options_case_done(&made);
    }
}

UNIT_TEST(test_limits_of_texts, "limits of texts")
{
    static char message[NOTIFY_MAX + 2];
    memset(message, 'a', NOTIFY_MAX + 1);
    CHECK_NULL(options_judge_message((struct text){message, NOTIFY_MAX}));
    CHECK_NOT_NULL(options_judge_message((struct text){message, NOTIFY_MAX + 1}));
    CHECK_NOT_NULL(options_judge_message((struct text){"a\0b", 3}));

    static char line[URL_MAX + 256];
    snprintf(line, sizeof line, "upgrade --hash " HASH " --url %.*s", URL_MAX, message);
    struct options_case made = options_case_parse(line, NULL);
    CHECK_EQUAL(made.status, 0);
    options_case_done(&made);
    snprintf(line, sizeof line, "upgrade --hash " HASH " --url %.*s", URL_MAX + 1, message);
    made = options_case_parse(line, NULL);
    CHECK_STRING(made.error, "the url has 2049 bytes; expected 1 to 2048 bytes of UTF-8");
    options_case_done(&made);
}

UNIT_TEST(test_no_words_at_all, "no words at all")
{
    char *argv[] = {NULL};
    struct options options;
    char error[OPTIONS_ERROR_MAX];
    CHECK_COMPARE(options_parse(0, argv, NULL, &options, error), <, 0);
}

/* The first screen names every option and every command; a page is there for each command. */
UNIT_TEST(test_help_is_complete, "help is complete")
{
    char screen[HELP_MAX];
    help_text(NULL, screen);
    for (size_t i = 0; options_name(i) != NULL; i++) {
        CHECK_ROW("i = %zu", i);
        CHECK_CONTAINS(screen, options_name(i));
    }
    for (unsigned command = 1; command <= COMMAND_LAST; command++) {
        CHECK_ROW("command = %u", command);
        char page[HELP_MAX];
        CHECK_CONTAINS(screen, command_name(command));
        REQUIRE_TRUE(help_has(command_name(command)));
        help_text(command_name(command), page);
        CHECK_COMPARE(strlen(page), <, HELP_MAX - 1);
    }
}

/* Nothing that is typed makes it do more than refuse. */
UNIT_TEST(test_long_words, "long words")
{
    static char line[8192] = "attach-hsm --";
    size_t begin = strlen(line);
    memset(line + begin, 'x', sizeof line - begin - 1);
    struct options_case made = options_case_parse(line, NULL);
    CHECK_COMPARE(made.status, <, 0);
    CHECK_COMPARE(strlen(made.error), <, OPTIONS_ERROR_MAX);
    options_case_done(&made);
}

UNIT_MAIN("guest: usage")
