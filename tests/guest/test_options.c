/* SPDX-License-Identifier: Apache-2.0 */
/* Command lines that are taken, and what they mean. */
#include "compat/dialects.h"
#include "options_case.h"
#include "wire/clock.h"

#define HASH "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"

/* Each test looks at one line. */
static struct options_case parse(const char *line)
{
    struct options_case made = options_case_parse(line, NULL);
    if (made.status != 0) {
        fprintf(stderr, "%s: %s\n", line, made.error);
    }
    REQUIRE_EQUAL(made.status, 0);
    return made;
}

UNIT_TEST(test_defaults, "defaults")
{
    struct options_case made = parse("attach-hsm");
    CHECK_EQUAL(made.options.action, ACTION_ASK);
    CHECK_EQUAL(made.options.request.command, COMMAND_ATTACH_HSM);
    CHECK_EQUAL(made.options.address.family, AF_VSOCK);
    CHECK_EQUAL(made.options.address.cid, 2);
    CHECK_EQUAL(made.options.address.port, 19090);
    CHECK_STRING(made.options.address_source, "default");
    CHECK_EQUAL(made.options.timeout_ms, 30000);
    CHECK_EQUAL(made.options.connect_ms, 5000);
    CHECK_NULL(made.options.dialect);
    CHECK_EQUAL(made.options.output, OUTPUT_PAYLOAD);
    CHECK_EQUAL(made.options.progress, WHEN_AUTO);
    CHECK_FALSE(made.options.verbose || made.options.quiet);
    options_case_done(&made);
}

UNIT_TEST(test_every_command, "every command")
{
    for (unsigned command = 1; command <= COMMAND_LAST; command++) {
        CHECK_ROW("command = %u", command);
        char line[256];
        snprintf(line, sizeof line, "%s%s", command_name(command),
                 command == COMMAND_UPGRADE  ? " --url u --hash " HASH
                 : command == COMMAND_NOTIFY ? " m"
                                             : "");
        struct options_case made = parse(line);
        CHECK_EQUAL(made.options.request.command, command);
        options_case_done(&made);
    }
}

UNIT_TEST(test_options_before_and_after, "options before and after the command")
{
    static const char *const lines[] = {
        "-a unix:/s -t 2.5 --connect-timeout=0 --protocol tlv-1 -o json --progress never -v "
        "attach-hsm",
        "attach-hsm --address=unix:/s --timeout=2.5 --connect-timeout 0 --protocol=tlv-1 "
        "--output=json --progress=never --verbose",
        "--addr unix:/s --time 2.5 --connect 0 --proto=tlv-1 --out json --prog never --verb "
        "attach-hsm",
        "-aunix:/s -vt2.5 attach-hsm --connect-timeout 0 --protocol tlv-1 -ojson --progress never",
    };
    CHECK_EACH(i, lines, "%s", lines[i]) {
        struct options_case made = parse(lines[i]);
        CHECK_EQUAL(made.options.address.family, AF_UNIX);
        CHECK_STRING(made.options.address.path, "/s");
        CHECK_STRING(made.options.address_source, "option --address");
        CHECK_EQUAL(made.options.timeout_ms, 2500);
        CHECK_EQUAL(made.options.connect_ms, 0);
        CHECK_EQUAL(made.options.dialect, dialect_find("tlv-1"));
        CHECK_EQUAL(made.options.output, OUTPUT_JSON);
        CHECK_EQUAL(made.options.progress, WHEN_NEVER);
        CHECK_TRUE(made.options.verbose);
        options_case_done(&made);
    }
}

UNIT_TEST(test_the_last_one_counts, "the last one counts")
{
    struct options_case made =
        parse("-t 1 attach-hsm -t 2 -o json -o value -v -q --protocol tlv-1 --protocol auto "
              "-a unix:/s -a vsock:3:4");
    CHECK_EQUAL(made.options.timeout_ms, 2000);
    CHECK_EQUAL(made.options.output, OUTPUT_VALUE);
    CHECK_TRUE(made.options.quiet);
    CHECK_FALSE(made.options.verbose);
    CHECK_NULL(made.options.dialect);
    CHECK_EQUAL(made.options.address.cid, 3);
    CHECK_EQUAL(made.options.address.port, 4);
    options_case_done(&made);
}

UNIT_TEST(test_timeouts, "timeouts")
{
    static const struct {
        const char *line;
        int64_t timeout_ms;
    } rows[] = {
        {"upgrade --url u --hash " HASH, 3600000},
        {"--upgrade u --hash " HASH, 3600000},
        {"get-upgrade-status", 30000},
        {"get-upgrade-status --follow", 3600000},
        {"get-upgrade-status --follow -t 5", 5000},
        {"attach-hsm -t 0", CLOCK_NEVER},
        {"attach-hsm -t 0.0001", 1},
        {"attach-hsm -t 5.", 5000},
        {"decode", CLOCK_NEVER},
        {"decode -t 5", 5000},
        {"help -t 5", 5000},
    };
    CHECK_EACH(i, rows, "%s", rows[i].line) {
        struct options_case made = parse(rows[i].line);
        CHECK_EQUAL(made.options.timeout_ms, rows[i].timeout_ms);
        options_case_done(&made);
    }
}

UNIT_TEST(test_upgrade, "upgrade")
{
    struct options_case made = parse("upgrade --no-wait --hash " HASH " --url http://h/i");
    CHECK_TEXT(made.options.request.url, "http://h/i");
    CHECK_EQUAL(made.options.request.sha256[1], 0x11);
    CHECK_EQUAL(made.options.request.sha256[31], 0xff);
    CHECK_TRUE(made.options.no_wait);
    options_case_done(&made);
}

UNIT_TEST(test_notify, "notify")
{
    struct options_case made = parse("notify hello --count 4294967295");
    CHECK_TEXT(made.options.request.message, "hello");
    CHECK_EQUAL(made.options.request.count, UINT32_MAX);
    CHECK_FALSE(made.options.message_from_stdin);
    CHECK_NULL(made.options.echo_devices);
    options_case_done(&made);

    made = parse("notify --echo --count 0 -- --hello");
    CHECK_TEXT(made.options.request.message, "--hello");
    CHECK_EQUAL(made.options.request.count, 0);
    CHECK_STRING(made.options.echo_devices, "/dev/tty1,/dev/ttyS0");
    options_case_done(&made);

    made = parse("notify - --echo=/a,/b");
    CHECK_TRUE(made.options.message_from_stdin);
    CHECK_EQUAL(made.options.request.count, 1);
    CHECK_STRING(made.options.echo_devices, "/a,/b");
    options_case_done(&made);

    made = parse("notify ''");
    CHECK_EQUAL(made.options.request.message.length, 0);
    options_case_done(&made);
}

UNIT_TEST(test_flag_form, "flag form")
{
    struct options_case made = parse("--port 7 --get-hostos-version");
    CHECK_EQUAL(made.options.request.command, COMMAND_GET_HOSTOS_VERSION);
    CHECK_EQUAL(made.options.output, OUTPUT_VALUE);
    CHECK_EQUAL(made.options.address.port, 7);
    CHECK_STRING(made.options.address_source, "option --port");
    options_case_done(&made);

    made = parse("--hash " HASH " --output payload --upgrade http://h/i");
    CHECK_EQUAL(made.options.request.command, COMMAND_UPGRADE);
    CHECK_TEXT(made.options.request.url, "http://h/i");
    CHECK_EQUAL(made.options.output, OUTPUT_PAYLOAD);
    options_case_done(&made);

    made = parse("--count 2 --notify --version");
    CHECK_EQUAL(made.options.action, ACTION_ASK);
    CHECK_TEXT(made.options.request.message, "--version");
    CHECK_EQUAL(made.options.request.count, 2);
    options_case_done(&made);

    made = parse("--notify -");
    CHECK_TEXT(made.options.request.message, "-");
    CHECK_FALSE(made.options.message_from_stdin);
    options_case_done(&made);

    made = parse("--notify=a=b");
    CHECK_TEXT(made.options.request.message, "a=b");
    options_case_done(&made);
}

UNIT_TEST(test_addresses, "addresses")
{
    static const struct {
        const char *line;
        const char *environment;
        const char *expected;
        const char *source;
    } rows[] = {
        {"attach-hsm", "", "vsock:2:19090", "default"},
        {"attach-hsm", "vsock:3:4", "vsock:3:4", "environment VSOCK_HOST_ADDRESS"},
        {"attach-hsm -p 5", "vsock:3:4", "vsock:3:5", "option --port"},
        {"attach-hsm -p 5", "unix:/e", "unix:/e", "environment VSOCK_HOST_ADDRESS"},
        {"attach-hsm -a unix:/o", "vsock:3:4", "unix:/o", "option --address"},
        {"attach-hsm -a unix:/o", "nonsense", "unix:/o", "option --address"},
        {"attach-hsm -p 5 -a vsock:6:7", NULL, "vsock:6:5", "option --address"},
        {"attach-hsm -p 4294967294", NULL, "vsock:2:4294967294", "option --port"},
    };
    CHECK_EACH(i, rows, "%s", rows[i].line) {
        struct options_case made = options_case_parse(rows[i].line, rows[i].environment);
        REQUIRE_EQUAL(made.status, 0);
        char address[ADDRESS_TEXT_MAX];
        address_format(&made.options.address, address);
        CHECK_STRING(address, rows[i].expected);
        CHECK_STRING(made.options.address_source, rows[i].source);
        options_case_done(&made);
    }
}

UNIT_TEST(test_other_actions, "help, version, decode")
{
    static const struct {
        const char *line;
        enum action action;
        const char *topic;
        const char *file;
    } rows[] = {
        {"--help", ACTION_HELP, NULL, NULL},
        {"-vh --nonsense", ACTION_HELP, NULL, NULL},
        {"help", ACTION_HELP, NULL, NULL},
        {"help notify", ACTION_HELP, "notify", NULL},
        {"upgrade -h", ACTION_HELP, "upgrade", NULL},
        {"--attach-hsm --help", ACTION_HELP, NULL, NULL},
        {"-V", ACTION_VERSION, NULL, NULL},
        {"upgrade --version", ACTION_VERSION, NULL, NULL},
        {"decode", ACTION_DECODE, NULL, NULL},
        {"decode /f", ACTION_DECODE, NULL, "/f"},
    };
    CHECK_EACH(i, rows, "%s", rows[i].line) {
        struct options_case made = options_case_parse(rows[i].line, "nonsense");
        REQUIRE_EQUAL(made.status, 0);
        CHECK_EQUAL(made.options.action, rows[i].action);
        CHECK_TRUE(rows[i].topic == NULL ? made.options.topic == NULL
                                         : strcmp(made.options.topic, rows[i].topic) == 0);
        CHECK_TRUE(rows[i].file == NULL ? made.options.file == NULL
                                        : strcmp(made.options.file, rows[i].file) == 0);
        options_case_done(&made);
    }
}

UNIT_MAIN("guest: options")
